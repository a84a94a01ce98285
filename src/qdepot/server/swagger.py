"""Swagger UI at ``/docs``, without anything from the network: labs are often offline."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

ASSETS = ("fastapi_swagger", "resources")
"""The package, and the folder in it, that Swagger UI is taken from."""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>qdepot API</title>
<link rel="icon" href="/docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""

START = """SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayOperationId: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
"""

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # the page styles its own parts in place
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


def router() -> APIRouter:
    """The page, its script, and Swagger UI itself."""
    routes = APIRouter(include_in_schema=False)
    routes.get("/")(_home)
    routes.get("/docs")(_page)
    routes.get("/docs/start.js")(_start)
    return routes


def assets() -> StaticFiles:
    """Swagger UI as it was installed."""
    return StaticFiles(packages=[ASSETS])


async def _home() -> Response:
    return RedirectResponse("/docs")


async def _page() -> Response:
    return HTMLResponse(PAGE, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})


async def _start() -> Response:
    return Response(START, media_type="text/javascript")
