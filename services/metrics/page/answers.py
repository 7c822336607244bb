"""How a page is answered: rendered, with headers that let it load nothing from elsewhere and be framed nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.metrics.page.layout import LAYOUTS, TITLES
from services.metrics.page.review.words import STATES
from services.metrics.page.values import day_in_words, in_words, moment_in_words, shown, ticks
from services.metrics.views import VIEWS
from shared import __version__
from shared.http.runtime import runtime_of
from shared.identity.permissions import Principal

_HERE: Final = Path(__file__).parent
MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}  # fmt: skip
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # Of our own pages the browser tells us where a form came from; others learn nothing.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept, Cookie",
}


@cache
def assets() -> Mapping[str, bytes]:
    """The style sheet, the script and the mark, by name."""
    return {file.name: file.read_bytes() for file in sorted((_HERE / "static").iterdir())}


@cache
def asset(name: str) -> str:
    """The address of an asset, which changes with its content, so that browsers may keep it."""
    return f"/assets/{name}?v={blake2b(assets()[name], digest_size=6).hexdigest()}"


@cache
def templates() -> Environment:
    """The templates; everything that is put into them is escaped."""
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(asset=asset, version=__version__, titles=TITLES, shown=shown, states=STATES)
    environment.filters.update(ticks=ticks, in_words=in_words, day=day_in_words, moment=moment_in_words, shown=shown)
    return environment


def render(name: str, **context: Any) -> str:
    """A template filled in."""
    return templates().get_template(name).render(**context)


def page(name: str, status: int = 200, **context: Any) -> HTMLResponse:
    """A page as an answer."""
    return HTMLResponse(render(name, **context), status, dict(HEADERS))


def open_to(principal: Principal) -> list[str]:
    """The departments whose views somebody may read; their own comes first."""
    found = [department for department in LAYOUTS if department in VIEWS and principal.may(f"views.{department}:read")]
    return sorted(found, key=lambda department: department != principal.department)


def frame(request: Request, principal: Principal | None, here: str = "") -> dict[str, Any]:
    """What the frame around every page shows: where one is, who one is, and how consistent the views are."""
    certificate = runtime_of(request).extras.get("certificate")
    may_see = principal is not None and principal.may("consistency:read")
    last = certificate.last if certificate is not None and may_see else None
    return {
        "here": here,
        "who": principal,
        "may_see_consistency": may_see,
        "verdict": last["verdict"] if last else None,
        "csrf": request.app.state.identity.csrf(request) if "cookie" in request.headers else "",
    }


def asset_response(name: str) -> Response | None:
    """An asset as an answer, if there is one of this name."""
    content = assets().get(name)
    if content is None:
        return None
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return Response(content, 200, headers, MEDIA_TYPES[Path(name).suffix])
