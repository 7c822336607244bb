"""Who may use which route: every route of every service asked by every role, as the table in `docs/permissions.md`.

    python -m tests.surface.roles

writes the table anew; what has changed in it is then read and committed like any other change.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
from fastapi.routing import iter_route_contexts

from concert.services import SERVICES
from shared.identity.scopes import ADMIN, DEPARTMENTS, member_scopes, tool_scopes
from tests.world import World, client_of, token_headers, world

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "permissions.md"
HEAD = """# Who may use which route

Asked of the running services, route by route, by `tests/surface/roles.py`; a test compares this table with what they
answer. `yes`: let through, whatever is then said about the request. `-`: refused with 403, or 401 without a token.
A tool is a token of a department; a member is a person. What is let through may still depend on whose thing it is, and
the page at `/` asks nobody in particular to sign in.

"""
ROLES: dict[str, frozenset[str] | None] = {
    "nobody": None,
    **{f"{department} tool": tool_scopes(department) for department in DEPARTMENTS},
    "member": member_scopes(),
    "sales member": member_scopes("sales"),
    "sales leader": member_scopes("sales", leader=True),
    "admin": frozenset({ADMIN}),
}
Route = tuple[str, str]


def routes_of(concert: World) -> Iterator[Route]:
    """Every method and path that a service offers."""
    for service in SERVICES:
        for route in iter_route_contexts(concert.services[service.name].app.routes):
            for method in sorted(route.methods or ()):
                yield method, str(route.path)


ASKED_OF_PAGES = {"/rows": "/rows?view=sales&figure=revenue", "/history": "/history?of=deal/none_00"}


def addresses(path: str) -> list[str]:
    """Where a route is asked: a view by each department, everything else by an id that is nobody's."""
    if path in ASKED_OF_PAGES:
        return [ASKED_OF_PAGES[path]]
    if path.startswith("/v1/views/{department}"):
        return [path.replace("{department}", department) for department in DEPARTMENTS]
    return [path]


async def let_through(client: httpx.AsyncClient, service_path: str, method: str, headers: Mapping[str, str]) -> bool:
    """Whether a request gets past the door."""
    path = re.sub(r"\{[^}]+\}", "none_00", service_path)
    body = b"{}" if method in ("POST", "PUT", "PATCH") else None
    answer = await client.request(method, path, headers=dict(headers), content=body)
    assert answer.status_code < 500, f"{method} {path}: {answer.text}"
    return answer.status_code not in (401, 403)


async def matrix(concert: World) -> dict[Route, dict[str, bool]]:
    """For every route, and each department's view, who is let through."""
    found: dict[Route, dict[str, bool]] = {}
    tokens = {
        role: token_headers(concert.settings, *scopes) if scopes is not None else {} for role, scopes in ROLES.items()
    }
    async with client_of(concert.origin, {}) as client:
        for method, path in sorted(set(routes_of(concert)), key=lambda route: (route[1], route[0])):
            for address in addresses(path):
                found[method, address] = {
                    role: await let_through(client, address, method, headers) for role, headers in tokens.items()
                }
    return found


def as_markdown(found: Mapping[Route, Mapping[str, bool]]) -> str:
    """The table as it is committed."""
    lines = [f"| route | {' | '.join(ROLES)} |", f"| --- |{' --- |' * len(ROLES)}"]
    for (method, path), may in found.items():
        lines.append(f"| `{method} {path}` | {' | '.join('yes' if may[role] else '-' for role in ROLES)} |")
    return HEAD + "\n".join(lines) + "\n"


async def write() -> None:
    """Ask, and write the table."""
    with tempfile.TemporaryDirectory() as folder:
        async with world(Path(folder)) as concert:
            DOCUMENT.write_text(as_markdown(await matrix(concert)))


if __name__ == "__main__":
    asyncio.run(write())
