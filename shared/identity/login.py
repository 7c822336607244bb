"""The page's login: a link that works once, and the cookie it is exchanged for."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request

from shared.errors import Forbidden
from shared.identity.permissions import Principal
from shared.instant import now

LINK_LIFE: Final = timedelta(minutes=10)
COOKIE_LIFE: Final = timedelta(hours=8)
CSRF_FIELD: Final = "csrf"
MAX_LINKS: Final = 100
_FORM = "application/x-www-form-urlencoded"


class OneTimeLinks:
    """Codes that let whoever brings one in as somebody: each works once, for ten minutes, in this process."""

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._waiting: dict[bytes, tuple[datetime, Principal]] = {}

    def make(self, principal: Principal) -> str:
        """A new code; the oldest is forgotten when there are more than a hundred."""
        code = secrets.token_urlsafe(32)
        self._waiting[_digest(code)] = (self._clock() + LINK_LIFE, principal)
        while len(self._waiting) > MAX_LINKS:
            del self._waiting[next(iter(self._waiting))]
        return code

    def redeem(self, code: str) -> Principal | None:
        """Whom a code lets in; none when it is unknown, used or too old."""
        until, principal = self._waiting.pop(_digest(code), (None, None))
        return principal if until is not None and self._clock() < until else None


def cookie_name(secure: bool) -> str:
    """The name of the cookie. Under TLS browsers guard it against neighbouring hosts by its prefix."""
    return "__Host-concert" if secure else "concert"


def csrf_of(cookie: str) -> str:
    """What a form must send back in its hidden field `csrf` to show that it came from a page we made."""
    return blake2b(cookie.encode(), digest_size=24, person=b"concert csrf").hexdigest()


async def check_page_request(request: Request, cookie: str) -> None:
    """Refuse what a cookie alone must not do: anything but reading, and forms sent from our own pages.

    The form stays readable for the route by `await request.form()`. Raises Forbidden.
    """
    if request.method in ("GET", "HEAD"):
        return
    form_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method != "POST" or form_type != _FORM:
        raise Forbidden("The login of the page is for reading and for its own forms; other programs send a token.")
    if not from_our_page(request):
        raise Forbidden("This form was not sent from a page of this Concert.")
    sent = (await request.form()).get(CSRF_FIELD)
    if not isinstance(sent, str) or not hmac.compare_digest(sent.encode(), csrf_of(cookie).encode()):
        raise Forbidden("This form is too old or was not made here; load the page again and send it once more.")


def from_our_page(request: Request) -> bool:
    """Whether a browser says that a form comes from a page of this origin."""
    # The browser writes both headers and pages cannot. Hosts are compared without their scheme: TLS may end before us.
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(request.headers.get("origin", "")).netloc
    return bool(origin) and origin.lower() == request.headers.get("host", "").lower()


def _digest(code: str) -> bytes:
    return blake2b(code.encode("utf-8", "surrogatepass"), digest_size=32).digest()
