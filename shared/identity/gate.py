"""The gate of an app: from a request to who sends it, by token or by the page's login.

The app factory puts one on `app.state.identity`; routes meet it only through `require`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Self

import httpx
from fastapi import Request, Response

from shared.errors import Unauthenticated
from shared.identity.issuer import Issuer, Ourselves, PublishedKeys
from shared.identity.keys import SigningKey, mounted_key, own_key
from shared.identity.login import COOKIE_LIFE, OneTimeLinks, check_page_request, cookie_name, csrf_of
from shared.identity.permissions import Principal
from shared.identity.scopes import ADMIN
from shared.identity.tokens import Verifier, mint, refused
from shared.settings import Settings

OPERATOR = Principal("operator", frozenset({ADMIN}))


class Identity:
    """What an app knows about who may come in."""

    def __init__(
        self, signing: SigningKey, issuers: list[Issuer], *, origin: str = "http://127.0.0.1:8000", audience: str
    ) -> None:
        self._signing = signing
        self._origin = origin
        self._secure = origin.startswith("https:")
        self._page_audience = f"{audience}:page"
        self._tokens = Verifier(issuers, audience)
        self.published = next((each for each in issuers if isinstance(each, PublishedKeys)), None)
        """The keys of the issuer elsewhere, where there is one."""
        # A cookie is no token and a token is no cookie: what a browser holds opens the page only.
        self._cookies = Verifier([Ourselves(signing)], self._page_audience)
        self.links = OneTimeLinks()

    @classmethod
    def of(cls, settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None) -> Self:
        """The gate these settings describe; makes the signing key at first start. Raises BadKey.

        With an issuer configured, our own tokens count only if a signing key was configured too.
        """
        signing = signing_key(settings)
        issuers: list[Issuer] = []
        if settings.signing_key_file or not settings.jwt_issuer:
            issuers.append(Ourselves(signing))
        if settings.jwt_issuer:
            issuers.append(PublishedKeys(settings.jwt_issuer, settings.jwt_jwks_url, transport=transport))
        return cls(signing, issuers, origin=settings.origin, audience=settings.jwt_audience)

    async def principal_of(self, request: Request) -> Principal:
        """Who sends a request. Raises Unauthenticated, or Forbidden for what the page's login must not do."""
        header = request.headers.get("authorization")
        if header is not None:
            scheme, _, token = header.partition(" ")
            if scheme.lower() != "bearer" or not token.strip():
                raise refused("The header Authorization must be: Bearer <token>.")
            return await self._tokens.verify(token.strip())
        cookie = request.cookies.get(cookie_name(self._secure))
        if cookie is None:
            raise _nobody()
        principal = await self._cookies.verify(cookie)
        await check_page_request(request, cookie)
        return principal

    async def principal_of_token(self, token: str) -> Principal:
        """Whom a bearer token speaks for, for a login form it is pasted into. Raises Unauthenticated."""
        return await self._tokens.verify(token.strip())

    def login_link(self, principal: Principal = OPERATOR) -> str:
        """An address that opens the page once, within ten minutes, as somebody."""
        return f"{self._origin}/?login={self.links.make(principal)}"

    def log_in(self, response: Response, principal: Principal, *, at: datetime | None = None) -> None:
        """Let a browser in for eight hours."""
        token = mint(
            self._signing,
            subject=principal.subject,
            scopes=principal.scopes,
            department=principal.department,
            member=principal.member,
            expires=COOKIE_LIFE,
            audience=self._page_audience,
            at=at,
        )
        response.set_cookie(
            cookie_name(self._secure),
            token,
            max_age=int(COOKIE_LIFE.total_seconds()),
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )

    def log_out(self, response: Response) -> None:
        """Let a browser forget its login."""
        response.delete_cookie(
            cookie_name(self._secure), path="/", secure=self._secure, httponly=True, samesite="strict"
        )

    def csrf(self, request: Request) -> str:
        """What the forms of a page carry in their hidden field `csrf`."""
        return csrf_of(request.cookies.get(cookie_name(self._secure), ""))


def signing_key(settings: Settings) -> SigningKey:
    """Our own key: the one that was configured, or the one in the data folder, made if need be. Raises BadKey."""
    configured = settings.signing_key_file
    return mounted_key(configured) if configured else own_key(settings.key_file)


def _nobody() -> Unauthenticated:
    problem = Unauthenticated("Send a token: Authorization: Bearer <token>. `concert token` makes one.")
    problem.headers["WWW-Authenticate"] = 'Bearer realm="concert"'
    return problem
