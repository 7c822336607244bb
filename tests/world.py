"""A whole Concert for a test: four services on stores and a log of their own, and clients that talk to it."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from concert.origin import Origin
from concert.runner import introduce
from concert.services import SERVICES
from shared.application import Running, running
from shared.bus import TOPICS, Bus
from shared.bus.embedded import EmbeddedBus
from shared.bus.kafka import KafkaBus, create_topics
from shared.identity.gate import Identity, signing_key
from shared.identity.scopes import ADMIN
from shared.identity.tokens import mint
from shared.settings import Settings
from shared.store.migrate import metadata_of, migrate
from tests.engines import Kafka, Postgres

LATEST = 12


@dataclass
class World:
    """Four running services and an administrator's client."""

    services: dict[str, Running]
    bus: Bus
    settings: Settings
    origin: Origin
    admin: httpx.AsyncClient
    _latest: deque[str] = field(default_factory=lambda: deque(maxlen=LATEST))
    """What the administrator wrote last, as versions to wait for."""

    def __post_init__(self) -> None:
        async def note(response: httpx.Response) -> None:
            if response.request.method != "GET" and (written := response.headers.get("concert-version")):
                self._latest.append(written)

        self.admin.event_hooks["response"].append(note)

    async def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """A write as the administrator."""
        return await self.admin.post(path, json=body, headers=headers)

    async def made(self, path: str, body: Any) -> dict[str, Any]:
        """A write that must succeed; answers with the resource."""
        response = await self.post(path, body)
        assert response.status_code in (200, 201), response.text
        result: dict[str, Any] = response.json()
        return result

    async def agreed(self, path: str, body: Any) -> httpx.Response:
        """A write as somebody of finance: to what the administrator has set, somebody else agrees."""
        headers = token_headers(self.settings, ADMIN, department="finance")
        async with client_of(self.origin, headers) as other:
            return await other.post(path, json=body)

    async def settled(self, path: str, response: httpx.Response, **query: Any) -> Any:
        """What a path shows once it holds what a write made; a view also what was written before, which may come later
        where it went another way."""
        query["after"] = [response.headers["concert-version"]]
        if path.startswith("/v1/views"):
            query["after"] += self._latest
        answer = await self.admin.get(path, params=query, headers={"Prefer": "wait=20"})
        assert answer.status_code == 200, answer.text
        return answer.json()


@dataclass(frozen=True)
class Ground:
    """The engines that a world stands on: where its stores are, and its log."""

    engines: str
    store_url: str
    bus: Bus


@asynccontextmanager
async def embedded(folder: Path) -> AsyncIterator[Ground]:
    """SQLite files and the embedded log, in a folder."""
    bus = EmbeddedBus(folder / "log.db")
    await bus.start()
    try:
        yield Ground("embedded", empty_files(folder), bus)
    finally:
        await bus.close()


@asynccontextmanager
async def real(server: Postgres, broker: Kafka) -> AsyncIterator[Ground]:
    """PostgreSQL databases of their own, and topics of their own on a Kafka broker."""
    prefix = f"{uuid4().hex[:12]}."
    await create_topics(broker.address, prefix=prefix)
    bus = KafkaBus(broker.address, "tests", prefix)
    await bus.start()
    try:
        async with empty_databases(server) as url:
            yield Ground("real", url, bus)
    finally:
        await bus.close()
        await broker.delete_topics(*(prefix + topic for topic in TOPICS))


@asynccontextmanager
async def world(folder: Path, ground: Ground | None = None, **settings: Any) -> AsyncIterator[World]:
    """A Concert in a folder, on embedded engines unless others are given."""
    async with AsyncExitStack() as stack:
        if ground is None:
            ground = await stack.enter_async_context(embedded(folder))
        chosen = Settings(data=folder, store_url=ground.store_url, demo=False, **settings)
        identity = Identity.of(chosen)
        services: dict[str, Running] = {}
        for service in SERVICES:
            started = running(service, chosen, ground.bus, identity)
            services[service.name] = await stack.enter_async_context(started)
        introduce(services)
        origin = Origin(services)
        admin = await stack.enter_async_context(client_of(origin, token_headers(chosen, ADMIN)))
        yield World(services, ground.bus, chosen, origin, admin)


def empty_files(folder: Path) -> str:
    """The address of migrated SQLite files in a folder; those that are there stay as they are."""
    for file in migrated_files().glob("*.db"):
        if not (folder / file.name).exists():
            shutil.copy(file, folder)
    return f"sqlite:{folder}"


@asynccontextmanager
async def empty_databases(server: Postgres) -> AsyncIterator[str]:
    """The address of migrated databases, nobody else's for the time; emptied and used again, which takes a tenth of
    the time of making them."""
    free = _free_databases.setdefault(server.address, [])
    if free:
        url = free.pop()
    else:
        url = server.url(f"w{uuid4().hex[:12]}_{{service}}")
        for name, migrated in zip([each.name for each in SERVICES], await _migrated_databases(server), strict=True):
            await server.create_database(url.replace("{service}", name).rpartition("/")[2], template=migrated)
    yield url
    for service in SERVICES:
        connection = await asyncpg.connect(url.replace("{service}", service.name))
        try:
            await connection.execute(_emptying(service.name))
        finally:
            await connection.close()
    free.append(url)


async def _migrated_databases(server: Postgres) -> list[str]:
    """Databases that have been migrated once, to be copied, made by the first of all workers that needs them."""
    marked = f"migrated_{_mark_of_the_migrations()}"
    connection = await asyncpg.connect(server.address)
    try:
        await connection.execute("SELECT pg_advisory_lock(hashtext($1))", marked)
        there = {each["datname"] for each in await connection.fetch("SELECT datname FROM pg_database")}
        for service in SERVICES:
            if f"{marked}_{service.name}" not in there:
                # Under a name of its own until it is whole.
                making = f"{uuid4().hex[:12]}_{service.name}"
                await asyncio.to_thread(migrate, service, await server.create_database(making))
                await connection.execute(f'ALTER DATABASE "{making}" RENAME TO "{marked}_{service.name}"')
    finally:
        await connection.close()
    return [f"{marked}_{service.name}" for service in SERVICES]


@cache
def _mark_of_the_migrations() -> str:
    files = sorted((Path(__file__).parent.parent / "migrations").rglob("*.py"))
    return sha256(b"".join(each.read_bytes() for each in files)).hexdigest()[:12]


@cache
def _emptying(name: str) -> str:
    """What empties the tables of a service."""
    tables = [table for service in SERVICES if service.name == name for table in metadata_of(service).sorted_tables]
    return "SET lock_timeout = '5s';" + "".join(f'DELETE FROM "{table.name}";' for table in tables)


@cache
def migrated_files() -> Path:
    """Empty stores that have been migrated once, to be copied: a migration takes longer than most tests."""
    folder = Path(tempfile.mkdtemp(prefix="concert-empty-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for service in SERVICES:
        migrate(service, f"sqlite:{folder}")
    return folder


_free_databases: dict[str, list[str]] = {}


def client_of(origin: Origin, headers: Mapping[str, str]) -> httpx.AsyncClient:
    """A client of the one origin, without a network between."""
    transport = httpx.ASGITransport(origin, raise_app_exceptions=False)
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


def importing(settings: Settings) -> dict[str, str]:
    """The header of a tool that brings deals from another system: it states their credits as they are there."""
    return token_headers(settings, "deals:write", "imports:write", department="sales")
