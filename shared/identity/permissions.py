"""Who asks, what they may do, and the permission that every route names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts

from shared.errors import Forbidden
from shared.identity.scopes import ADMIN, DEPARTMENT_SCOPES, known_scopes

MARK: Final = "x-permission"
SECURITY_SCHEMES: Final[dict[str, Any]] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
PUBLIC: Final[dict[str, Any]] = {MARK: "public", "security": []}
"""The `openapi_extra` of a route that needs no token: liveness, readiness, documents."""
_SCOPE = re.compile(r"[a-z][a-z-]*(\.([a-z][a-z-]*|\{[a-z_]+\}))?:(read|write)|admin")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a tool, a member or an operator, with what they may do."""

    subject: str
    scopes: frozenset[str] = field(default_factory=frozenset)
    department: str | None = None
    member: str | None = None

    def may(self, scope: str) -> bool:
        """Whether a scope is held, by itself or by one that includes it."""
        held = self.scopes
        if scope in held or ADMIN in held:
            return True
        collection, _, access = scope.rpartition(":")
        if access == "read" and f"{collection}:write" in held:
            return True
        whole, part, _ = collection.partition(".")
        return bool(part) and self.may(f"{whole}:{access}")


@dataclass(frozen=True, slots=True)
class Permission:
    """The scope a route needs, as a dependency that answers with who asks.

    A scope may take a part of the path: `views.{department}:read`. Raises Unauthenticated without a valid token and
    Forbidden when the token lacks the scope.
    """

    scope: str

    async def __call__(self, request: Request) -> Principal:
        principal: Principal = await request.app.state.identity.principal_of(request)
        scope = self.scope.format_map(request.path_params) if "{" in self.scope else self.scope
        if principal.may(scope):
            return principal
        raise forbidden(scope)

    @property
    def openapi(self) -> dict[str, Any]:
        """What OpenAPI says of a route that needs it."""
        return {MARK: self.scope, "security": [{"token": [self.scope]}]}


def forbidden(scope: str) -> Forbidden:
    """The problem of a token that lacks a scope; names the scope in the answer and in its header."""
    problem = Forbidden(
        f"This needs a token with the scope {scope}; the one that was sent does not have it.", scope=scope
    )
    if scope.isascii() and scope.isprintable() and '"' not in scope:
        problem.headers["WWW-Authenticate"] = f'Bearer realm="concert", error="insufficient_scope", scope="{scope}"'
    return problem


@cache
def require(scope: str) -> Permission:
    """The permission to name in a route: `Depends(require("deals:write"))`. Raises ValueError for a malformed scope."""
    if not _SCOPE.fullmatch(scope):
        raise ValueError(f"{scope!r} is not a scope; scopes are <collection>:read, <collection>:write and admin")
    return Permission(scope)


async def principal_of(request: Request) -> Principal:
    """Who sends a request; raises Unauthenticated. A route asks through `require` instead."""
    principal: Principal = await request.app.state.identity.principal_of(request)
    return principal


class RouteWithoutPermission(Exception):
    """Some routes do not say who may use them; the message lists them."""


def assert_every_route_names_its_permission(app: FastAPI) -> None:
    """Refuse an app in which a route neither demands exactly one permission nor is marked PUBLIC.

    Where a route also documents its permission, the documented one must be the demanded one. Raises
    RouteWithoutPermission.
    """
    faults = [
        f"{'/'.join(sorted(route.methods or ()))} {route.path}: {fault}".strip()
        for route in iter_route_contexts(app.routes)
        if (fault := _fault_of(route))
    ]
    if faults:
        raise RouteWithoutPermission("\n".join(faults))


def scopes_nobody_is_given(app: FastAPI) -> set[str]:
    """Scopes that routes demand and that stand in no table: nobody but an administrator could use these routes."""
    demanded = {permission.scope for route in iter_route_contexts(app.routes) for permission in _demanded(route)}
    return {scope for scope in demanded if "{" not in scope} - known_scopes()


def _fault_of(route: RouteContext) -> str:
    documented = (getattr(route, "openapi_extra", None) or {}).get(MARK)
    demanded = sorted({permission.scope for permission in _demanded(route)})
    if documented == PUBLIC[MARK]:
        return f"is marked public but demands {', '.join(demanded)}" if demanded else ""
    if not demanded:
        return "names no permission; add Depends(require(...)) or openapi_extra=PUBLIC"
    if len(demanded) > 1:
        return f"demands several permissions: {', '.join(demanded)}"
    if documented not in (None, demanded[0]):
        return f"documents {documented} but demands {demanded[0]}"
    return ""


def _demanded(route: RouteContext) -> Iterator[Permission]:
    dependant = getattr(route, "dependant", None)
    return _within(dependant) if dependant is not None else iter(())


def _within(dependant: Dependant) -> Iterator[Permission]:
    if isinstance(dependant.call, Permission):
        yield dependant.call
    for inner in dependant.dependencies:
        yield from _within(inner)


__all__ = [
    "DEPARTMENT_SCOPES",
    "PUBLIC",
    "SECURITY_SCHEMES",
    "Permission",
    "Principal",
    "RouteWithoutPermission",
    "assert_every_route_names_its_permission",
    "forbidden",
    "principal_of",
    "require",
    "scopes_nobody_is_given",
]
