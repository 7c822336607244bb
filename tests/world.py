"""A whole Concert for a test: four services on stores and a log of their own, and clients that talk to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from concert.origin import Origin
from concert.runner import introduce
from concert.services import SERVICES
from shared.application import Running, running
from shared.bus import Bus
from shared.bus.embedded import EmbeddedBus
from shared.identity.gate import Identity, signing_key
from shared.identity.scopes import ADMIN
from shared.identity.tokens import mint
from shared.settings import Settings


@dataclass
class World:
    """Four running services and an administrator's client."""

    services: dict[str, Running]
    bus: Bus
    settings: Settings
    origin: Origin
    admin: httpx.AsyncClient

    async def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """A write as the administrator."""
        return await self.admin.post(path, json=body, headers=headers)

    async def made(self, path: str, body: Any) -> dict[str, Any]:
        """A write that must succeed; answers with the resource."""
        response = await self.post(path, body)
        assert response.status_code in (200, 201), response.text
        result: dict[str, Any] = response.json()
        return result

    async def settled(self, path: str, response: httpx.Response, **query: Any) -> Any:
        """What a path shows once it holds what a write made."""
        query["after"] = response.headers["concert-version"]
        answer = await self.admin.get(path, params=query, headers={"Prefer": "wait=20"})
        assert answer.status_code == 200, answer.text
        return answer.json()


@asynccontextmanager
async def world(folder: Path, **settings: Any) -> AsyncIterator[World]:
    """A Concert on embedded engines in a folder."""
    chosen = Settings(data=folder, store_url=f"sqlite:{folder}", demo=False, **settings)
    identity = Identity.of(chosen)
    async with AsyncExitStack() as stack:
        bus = EmbeddedBus(folder / "log.db")
        await bus.start()
        stack.push_async_callback(bus.close)
        services: dict[str, Running] = {}
        for service in SERVICES:
            services[service.name] = await stack.enter_async_context(running(service, chosen, bus, identity))
        introduce(services)
        origin = Origin(services)
        admin = await stack.enter_async_context(client_of(origin, token_headers(chosen, ADMIN)))
        yield World(services, bus, chosen, origin, admin)


def client_of(origin: Origin, headers: Mapping[str, str]) -> httpx.AsyncClient:
    """A client of the one origin, without a network between."""
    transport = httpx.ASGITransport(origin, raise_app_exceptions=False)  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://concert.test", headers=dict(headers), timeout=60)


def token_headers(
    settings: Settings, *scopes: str, department: str | None = None, member: str | None = None
) -> dict[str, str]:
    """The header that lets a client in with these scopes."""
    subject = member or department or "tester"
    token = mint(
        signing_key(settings),
        subject=subject,
        scopes=scopes,
        department=department,
        member=member,
        expires=timedelta(hours=1),
    )
    return {"Authorization": f"Bearer {token}"}
