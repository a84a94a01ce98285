"""Pages on error codes: where the ``type`` of a problem leads."""

from __future__ import annotations

from html import escape

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from qdepot.errors import NotFoundError, QDepotError, error_classes
from qdepot.server.errors import status_of, title_of

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def router() -> APIRouter:
    """A page on each code, and one on all of them."""
    routes = APIRouter(include_in_schema=False)
    routes.get("/problems")(_all_codes)
    routes.get("/problems/{code}")(_one_code)
    return routes


async def _all_codes() -> Response:
    rows = "\n".join(
        f"<li>{_link(code)} (HTTP {status_of(found)}): {escape(title_of(found))}</li>"
        for code, found in sorted(error_classes().items())
    )
    return _page("Problems", f"<ul>\n{rows}\n</ul>")


async def _one_code(code: str) -> Response:
    found = error_classes().get(code)
    if found is None:
        raise NotFoundError(f"there is no error code {code[:100]!r}", solution="See /problems for those there are.")
    kinds = [parent for parent in found.__mro__[1:] if issubclass(parent, QDepotError)]
    parents = ", ".join(_link(parent.code) for parent in kinds)
    body = f"<p>{escape(title_of(found))}</p>\n<p>HTTP status {status_of(found)}. A kind of: {parents or 'none'}.</p>"
    return _page(code, body + '\n<p><a href="/problems">All problems</a></p>')


def _link(code: str) -> str:
    return f'<a href="/problems/{code}"><code>{code}</code></a>'


def _page(title: str, body: str) -> Response:
    return HTMLResponse(_PAGE.format(title=escape(title), body=body))
