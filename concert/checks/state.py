"""Checks of what the services have written: events that nobody could send or apply, stores that do not fit the log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import sqlalchemy as sa

from concert.checks.finding import Finding, shown
from concert.services import SERVICES
from shared.application import Service
from shared.bus import Message, Position
from shared.bus.logfile import Reading, end_of
from shared.instant import now
from shared.own_log import DatabaseBehindLog, OwnLog
from shared.peek import peek
from shared.settings import Settings
from shared.store import Snapshot, open_store
from shared.store.sqlite import SqliteSession, complete
from shared.store.tables import HeldEvent, Journal
from shared.store.types import moment_of

T = TypeVar("T")
PATIENCE = 4.0
LONG_SECONDS = 60.0
"""What waits as long as this does not come by itself."""
_held = HeldEvent.__table__.c  # type: ignore[attr-defined]
_journal = Journal.__table__.c  # type: ignore[attr-defined]
_FIRST_HELD = sa.select(HeldEvent).order_by(_held.reason.is_(None), _held.since, _held.subject, _held.version).limit(1)
_PARKED = sa.select(sa.func.count()).where(_held.reason.is_not(None))
_UNSENT = sa.select(sa.func.count(), sa.func.min(_journal.time)).where(sa.not_(_journal.sent))


@dataclass(frozen=True, slots=True)
class Kept:
    """What a service has not told yet, and what it could not apply."""

    service: str
    unsent: int
    oldest: str | None
    parked: int
    first: HeldEvent | None


class Seen:
    """The store of a service, looked at beside whoever uses it."""

    def __init__(self, service: Service, url: str) -> None:
        self.service = service
        self.url = url

    async def read(self, query: Callable[[Snapshot], Awaitable[T]]) -> T:
        """Answer a query from one snapshot."""
        if self.url.startswith("sqlite:"):
            with closing(peek(self._file)) as connection:
                connection.execute("BEGIN")
                return complete(query(Snapshot(SqliteSession(connection))))
        store = open_store(self.url, self.service.name, connections=1)
        async with asyncio.timeout(PATIENCE):
            await store.start()
            try:
                return await store.read(query)
            finally:
                await store.close()

    @property
    def is_there(self) -> bool:
        """Whether there is anything to look at."""
        return not self.url.startswith("sqlite:") or self._file.exists()

    @property
    def _file(self) -> Path:
        return Path(self.url.removeprefix("sqlite:")) / f"{self.service.name}.db"


class _SeenLog:
    """The embedded log, read beside whoever writes it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def messages(self, topics: Sequence[str], start: Mapping[Position, int]) -> AsyncIterator[list[Message]]:
        """What is there now, and an empty batch at its end."""
        end = end_of(self.path)
        with closing(Reading(self.path, topics, start, end, log=peek(self.path))) as reading:
            while reading.place < end:
                yield reading.read(end)
        yield []


def events(settings: Settings) -> Finding:
    """Whether events wait that nobody could send or apply."""
    stores = [each for each in (Seen(service, settings.store) for service in SERVICES) if each.is_there]
    try:
        found = asyncio.run(_kept(stores))
    except Exception:  # the checks of the stores say what
        return Finding("warning", "not looked at: a store cannot be read")
    for each in found:
        if each.parked:
            said = f"{each.parked} could not be applied by {each.service}, the first of {_name(each.first)}"
            return Finding("wrong", said, "`concert parked list`", each.first.reason if each.first else "")  # type: ignore[arg-type]
    for each in found:
        if each.first is not None and _long_ago(each.first.since):
            said = f"{_name(each.first)} has waited in {each.service} since {shown(each.first.since)}"
            return Finding(
                "wrong", f"{said} for the one before it", "see its owner's outbox, and `concert parked list`"
            )
    for each in found:
        if each.oldest is not None and _long_ago(moment_of(each.oldest)):
            said = f"{each.unsent} of {each.service} have not been sent, the oldest since {each.oldest[:19]}Z"
            return Finding("wrong", said, "see that the broker takes them, and that the service runs")
    return Finding("ok", "none is parked, and none waits for long")


def own_log(settings: Settings, prefix: str) -> Finding:
    """Whether the log holds nothing of a service's that its own store does not know."""
    try:
        asyncio.run(_compared(settings, prefix))
    except DatabaseBehindLog as fault:
        return Finding("wrong", str(fault).rstrip("."), "restore all of one backup, or what was there before")
    except Exception:  # the checks of the stores and of the log say what
        return Finding("warning", "not compared with the stores: one of them cannot be read")
    return Finding("ok", "the stores know all that the log holds of theirs")


def service(name: str, url: str) -> Finding:
    """Whether a service answers, and can do its work."""
    try:
        answer = httpx.get(f"{url}/readyz", params={"others": "false"}, timeout=PATIENCE)
        parts = answer.json()["parts"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        remedy = f"see whether its container runs: `docker compose ps {name}`, `docker compose logs {name}`"
        return Finding("wrong", f"{url} does not answer", remedy)
    trouble = "; ".join(f"{part}: {state}" for part, state in parts.items() if state != "ok")
    if trouble:
        return Finding("wrong", f"{url} answers, but is not ready", "see the line about what it names", trouble)
    return Finding("ok", f"{url} answers and is ready")


async def _kept(stores: Sequence[Seen]) -> list[Kept]:
    async def look(store: Seen) -> Kept:
        async def query(snapshot: Snapshot) -> Kept:
            ((unsent, oldest),) = await snapshot.rows(_UNSENT)
            parked = await snapshot.scalar(_PARKED)
            first = await snapshot.all(HeldEvent, _FIRST_HELD)
            return Kept(store.service.name, unsent, oldest, parked, first[0] if first else None)

        return await store.read(query)

    return list(await asyncio.gather(*map(look, stores)))


async def _compared(settings: Settings, prefix: str) -> None:
    """Raises DatabaseBehindLog."""
    async with _log(settings, prefix) as bus:
        for each in SERVICES:
            store: Any = Seen(each, settings.store)
            if store.is_there and bus is not None:
                await OwnLog(store, bus, each.name, each.topics).look()


@asynccontextmanager
async def _log(settings: Settings, prefix: str) -> AsyncIterator[Any]:
    """The log that these settings name; none that has not been made."""
    if settings.bus == "embedded":
        file = settings.data / "log.db"
        yield _SeenLog(file) if file.exists() else None
        return
    from shared.bus.kafka import KafkaBus

    bus = KafkaBus(settings.kafka_bootstrap_servers, "concert-doctor", prefix, patience=PATIENCE)
    async with asyncio.timeout(PATIENCE):
        await bus.start()
    try:
        yield bus
    finally:
        await bus.close()


def _name(held: HeldEvent | None) -> str:
    return f"{held.subject}@{held.version}" if held is not None else "a subject"


def _long_ago(moment: datetime) -> bool:
    return (now() - moment).total_seconds() > LONG_SECONDS
