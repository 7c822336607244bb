"""The other services over HTTP: in the same process without a network, elsewhere at the addresses in the settings."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx

from shared import traces
from shared.identity.gate import signing_key
from shared.identity.tokens import mint
from shared.instant import now
from shared.settings import Settings
from shared.tasks import completed

SCOPES = (
    "books:read",
    "members:read",
    "teams:read",
    "groups:read",
    "departments:read",
    "trainings:read",
    "expenses:read",
    "goals:read",
    "customers:read",
    "deals:read",
    "items:read",
    "mentions:read",
    "scorecards:read",
)
LIFE = timedelta(hours=1)
OTHERS = ("teams", "targets", "meetings")
"""The services that the one which speaks for all asks."""


class Neighbours:
    """Clients of the other services, with a token that lets one service ask another."""

    def __init__(self, settings: Settings, service: str) -> None:
        self._settings = settings
        self._service = service
        self._apps: Mapping[str, Any] = {}
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._token = ""
        self._renew_at = now()

    def share_process_with(self, apps: Mapping[str, Any]) -> None:
        """These services run here: ask them without a network."""
        self._apps = apps

    async def get(
        self,
        service: str,
        path: str,
        /,
        *,
        seconds: float = 5,
        headers: Mapping[str, str] | None = None,
        wait: int | None = None,
        **query: Any,
    ) -> httpx.Response:
        """Ask a neighbour, as this service or with the headers of somebody else; raises httpx.HTTPError when it does
        not answer in time. With `wait` it takes that many seconds to wait for what `after` names."""
        sent = self._headers() if headers is None else dict(headers)
        if wait is not None:
            sent["Prefer"] = f"wait={wait}"
        sent |= traces.headers()
        return await self._client(service).get(path, params=query, headers=sent, timeout=seconds)

    async def ask(self, service: str, path: str, body: Mapping[str, Any], *, seconds: float = 5) -> httpx.Response:
        """Ask a neighbour what does not belong into an address; raises httpx.HTTPError."""
        sent = self._headers() | traces.headers()
        return await self._client(service).post(path, json=dict(body), headers=sent, timeout=seconds)

    async def close(self) -> None:
        """Close the connections."""
        await completed(asyncio.gather(*(client.aclose() for client in self._clients.values())))

    def _client(self, service: str) -> httpx.AsyncClient:
        if service not in self._clients:
            if service in self._apps:
                transport = httpx.ASGITransport(self._apps[service], raise_app_exceptions=False)
                client = httpx.AsyncClient(transport=transport, base_url="http://concert.internal")
            else:
                client = httpx.AsyncClient(base_url=getattr(self._settings, f"{service}_url"))
            self._clients[service] = client
        return self._clients[service]

    def _headers(self) -> dict[str, str]:
        if now() >= self._renew_at:
            subject = f"service {self._service}"
            key = signing_key(self._settings)
            audience = self._settings.jwt_audience
            self._token = mint(key, subject=subject, scopes=SCOPES, expires=LIFE, audience=audience)
            self._renew_at = now() + LIFE / 2
        return {"Authorization": f"Bearer {self._token}"}
