"""Pages on error codes: where the ``type`` of a problem leads."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from qdepot.errors import NotFoundError, QDepotError, error_classes
from qdepot.server.errors import status_of, title_of

_STYLE = """
:root { color-scheme: light dark; }
body { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem; font-family: system-ui, sans-serif; line-height: 1.5; }
h1 { overflow-wrap: anywhere; font-size: 1.6rem; }
dt { margin-top: 0.7rem; }
dd { margin-left: 0; }
"""

_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()

CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing but the style of these pages."""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - qdepot</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""

_WHERE_MORE_IS = (
    "<p>The answer that led you here says what happened in <code>detail</code>, and what to do about it in "
    "<code>solution</code>.</p>"
)


def router() -> APIRouter:
    """A page on each code, and one on all of them."""
    routes = APIRouter(include_in_schema=False)
    routes.get("/problems")(_all_codes)
    routes.get("/problems/{code}")(_one_code)
    return routes


async def _all_codes() -> Response:
    rows = "\n".join(
        f"<dt>{_link(code)}, HTTP status {status_of(found)}</dt><dd>{escape(title_of(found))}</dd>"
        for code, found in sorted(error_classes().items())
    )
    return _page("Problems", f"<dl>\n{rows}\n</dl>\n{_WHERE_MORE_IS}")


async def _one_code(code: str) -> Response:
    found = error_classes().get(code)
    if found is None:
        raise NotFoundError(f"there is no error code {code[:100]!r}", solution="See /problems for those there are.")
    kinds = [parent for parent in found.__mro__[1:] if issubclass(parent, QDepotError)]
    parents = ", ".join(_link(parent.code) for parent in kinds)
    lines = (
        f"<p>{escape(title_of(found))}</p>",
        _WHERE_MORE_IS,
        f"<p>HTTP status {status_of(found)}.{f' A kind of: {parents}.' if parents else ''}</p>",
        '<p><a href="/problems">All problems</a></p>',
    )
    return _page(code, "\n".join(lines))


def _link(code: str) -> str:
    return f'<a href="/problems/{code}"><code>{code}</code></a>'


def _page(title: str, body: str) -> Response:
    page = _PAGE.format(title=escape(title), style=_STYLE, body=body)
    return HTMLResponse(page, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})
