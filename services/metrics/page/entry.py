"""In and out: the link that works once, the form a token is pasted into, and the way out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.metrics.page.answers import HEADERS, frame, page
from shared.errors import Forbidden, Unauthenticated
from shared.identity.gate import Identity
from shared.identity.login import from_our_page
from shared.identity.permissions import PUBLIC, Principal, principal_of

router = APIRouter(include_in_schema=False)
Show = Callable[[Principal], Awaitable[Response]]
_MOST_TOKEN = 16_384


class LoginNeeded(Exception):
    """Nobody is logged in; carries the page that says how to get in."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


async def visitor(request: Request) -> Principal:
    """Who looks at a page. Raises LoginNeeded."""
    try:
        return await principal_of(request)
    except Unauthenticated as problem:
        if _came_from_elsewhere(request):
            raise LoginNeeded(page("bounce.html", 200, to=_here(request))) from None
        old = "cookie" in request.headers and "concert=" in request.headers["cookie"]
        said = problem.detail if "authorization" in request.headers or old else ""
        # The first page greets whoever comes with nothing; everywhere else a login was needed and is missing.
        status = 200 if request.url.path == "/" and not said else 401
        raise LoginNeeded(login_page(request, said, to=_here(request), status=status)) from None


async def shown_to_visitor(request: Request, show: Show) -> Response:
    """A page for whoever is logged in; for others the way in."""
    try:
        return await show(await visitor(request))
    except LoginNeeded as needed:
        return needed.answer


def login_page(request: Request, said: str = "", *, to: str = "/", status: int = 401) -> Response:
    """How to get in, and what went wrong, if something did."""
    return page("login.html", status, said=said, to=to, **frame(request, None))


def redeem(request: Request, code: str) -> Response:
    """Let in whoever brings a code that has not been used."""
    identity: Identity = request.app.state.identity
    principal = identity.links.redeem(code)
    if principal is None:
        said = "This link has been used already, is older than ten minutes, or was made before the last start."
        return login_page(request, said)
    return _welcome(request, principal, "/")


@router.post("/login", openapi_extra=PUBLIC)
async def log_in(request: Request) -> Response:
    """Let in whoever pastes a valid token."""
    if not from_our_page(request):
        raise Forbidden("This form was not sent from a page of this Concert.")
    form = await request.form()
    token, to = str(form.get("token", ""))[:_MOST_TOKEN].strip(), local(str(form.get("to", "/")))
    try:
        principal = await request.app.state.identity.principal_of_token(token)
    except Unauthenticated as problem:
        return login_page(request, problem.detail, to=to)
    return _welcome(request, principal, to)


@router.post("/logout", openapi_extra=PUBLIC)
async def log_out(request: Request) -> Response:
    """Forget the login of this browser."""
    try:
        await principal_of(request)
    except Unauthenticated:
        pass
    answer = RedirectResponse("/", 303, dict(HEADERS))
    request.app.state.identity.log_out(answer)
    return answer


def local(address: str) -> str:
    """An address of this origin, or the first page for anything else."""
    parts = urlsplit(address)
    safe = address.startswith("/") and not address.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return address if safe and address.isprintable() else "/"


def _welcome(request: Request, principal: Principal, to: str) -> Response:
    answer: Response = RedirectResponse(to, 303, dict(HEADERS))
    if _came_from_elsewhere(request):
        answer = page("bounce.html", 200, to=to)
    request.app.state.identity.log_in(answer, principal)
    return answer


def _came_from_elsewhere(request: Request) -> bool:
    # A browser that follows a link from another site keeps our strict cookie back, along redirects too. A page of ours
    # that leads on by itself makes the second request one of our own.
    return request.headers.get("sec-fetch-site") == "cross-site"


def _here(request: Request) -> str:
    return local(f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path)
