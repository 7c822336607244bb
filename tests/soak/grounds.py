"""The two kinds of engines under a soak: how far the views are, how large all is, and what can go wrong."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import asyncpg

from shared.bus.kafka import KafkaBus
from shared.peek import peek
from tests.chaos.victims import servers_of
from tests.engines import Engine, Kafka, Postgres
from tests.soak.applier import Applier, EmbeddedApplier, ServedApplier, TellingOverHttp
from tests.soak.measured import size_of
from tests.soak.telling import Log
from tests.starting import forked
from tests.world import empty_files

PROGRESS = "SELECT owner, applied, seen, skipped FROM source_progress"
WRITING = 120
"""The byte by which those who have a SQLite file agree on who writes, beside its write-ahead log."""
Fault = Callable[[float], Awaitable[None]]
"""Something goes wrong, for so many seconds where it has a length."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What the views hold of an owner."""

    applied: int
    seen: int
    skipped: int


class Ground(ABC):
    """Engines, with metrics on them."""

    warm_after: ClassVar[int]
    """Events after which the caches of a process are full."""
    victim: Applier
    log: Log

    @property
    @abstractmethod
    def faults(self) -> Mapping[str, Fault]:
        """What can go wrong here beside the process of metrics."""

    @abstractmethod
    async def progress(self) -> dict[str, Progress]:
        """What the views hold, by owner. Raises OSError or the database's own fault when it cannot be said now."""

    @abstractmethod
    async def sizes(self) -> tuple[int, int]:
        """Bytes of the views' store and of the log."""


class Embedded(Ground):
    """SQLite and the embedded log."""

    # Five connections keep up to 64 MiB of the file each.
    warm_after = 150_000

    def __init__(self, folder: Path) -> None:
        empty_files(folder)
        self.folder = folder
        self.victim = EmbeddedApplier(folder)

    @property
    def faults(self) -> Mapping[str, Fault]:
        return {"database held": self._holding("metrics.db"), "log held": self._holding("log.db")}

    async def progress(self) -> dict[str, Progress]:
        def read() -> dict[str, Progress]:
            with closing(peek(self.folder / "metrics.db")) as store:
                return {owner: Progress(*numbers) for owner, *numbers in store.execute(PROGRESS)}

        try:
            return await asyncio.to_thread(read)
        except sqlite3.Error as fault:
            raise OSError(str(fault)) from fault

    async def sizes(self) -> tuple[int, int]:
        store, log = ([self.folder / f"{name}{part}" for part in ("", "-wal")] for name in ("metrics.db", "log.db"))
        return size_of(*store), size_of(*log)

    def _holding(self, file: str) -> Fault:
        async def hold(seconds: float) -> None:
            holding = forked(keep_writers_out, self.folder / f"{file}-shm", seconds)
            await asyncio.to_thread(holding.join)

        return hold


def keep_writers_out(index: Path, seconds: float) -> None:
    """Be the one who writes a SQLite file, and write nothing; whoever waits for the lock is the file's own affair."""
    with suppress(OSError), index.open("r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX, 1, WRITING)
        time.sleep(seconds)


class Served(Ground):
    """PostgreSQL and Kafka, of its own."""

    warm_after = 30_000

    def __init__(self, victim: ServedApplier, bus: KafkaBus) -> None:
        self.victim = victim
        self.server, self.broker, self.log = victim.server, victim.broker, bus
        self.database = victim.url.replace("{service}", "metrics")

    @property
    def faults(self) -> Mapping[str, Fault]:
        return {
            "broker stood still": _standing_still(self.broker), "database stood still": _standing_still(self.server),
            "broker killed": _killing(self.broker), "database killed": _killing(self.server),
        }  # fmt: skip

    async def progress(self) -> dict[str, Progress]:
        async with self._connected() as connection:
            return {owner: Progress(*numbers) for owner, *numbers in await connection.fetch(PROGRESS)}

    async def sizes(self) -> tuple[int, int]:
        async with self._connected() as connection:
            store = int(await connection.fetchval("SELECT pg_database_size(current_database())"))
        return store, await asyncio.to_thread(size_of, _folder_of(self.broker) / "data")

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncpg.Connection]:
        try:
            connection = await asyncpg.connect(self.database, timeout=3, command_timeout=3)
            try:
                yield connection
            finally:
                connection.terminate()
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
            raise OSError(str(fault)) from fault


def _folder_of(engine: Engine) -> Path:
    assert engine._folder is not None
    return Path(engine._folder)


def _processes_of(engine: Engine) -> list[int]:
    """The engine's process and those that it has begun."""
    first = int((_folder_of(engine) / "pid").read_text().split()[0])
    return [first, *map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())]


def _standing_still(engine: Engine) -> Fault:
    async def stand(seconds: float) -> None:
        stopped = _processes_of(engine)
        _signal(stopped, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            _signal(stopped, signal.SIGCONT)

    return stand


def _signal(processes: list[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


def _killing(engine: Engine) -> Fault:
    async def kill(seconds: float) -> None:
        await asyncio.to_thread(engine.kill)
        await asyncio.sleep(seconds / 4)
        await asyncio.to_thread(engine.start)

    return kill


@asynccontextmanager
async def embedded(folder: Path, owners: str, leak: int, mutant: str | None) -> AsyncIterator[Ground]:
    """Metrics on files of its own."""
    ground = Embedded(folder)
    ground.victim.owners, ground.victim.leak, ground.victim.mutant = owners, leak, mutant
    await asyncio.to_thread(ground.victim.start)
    ground.log = telling = TellingOverHttp(ground.victim)
    try:
        yield ground
    finally:
        await telling.close()
        await asyncio.to_thread(ground.victim.kill)


@asynccontextmanager
async def served(folder: Path, owners: str, leak: int, mutant: str | None) -> AsyncIterator[Ground]:
    """Metrics on servers of its own, which end with it. Raises Unavailable."""
    exits = ExitStack()
    try:
        victim = await asyncio.to_thread(_begun, exits, folder)
        victim.owners, victim.leak, victim.mutant = owners, leak, mutant
        bus = KafkaBus(victim.broker.address, "owners")
        await bus.start()
        try:
            await asyncio.to_thread(victim.start)
            yield Served(victim, bus)
        finally:
            await bus.close()
    finally:
        await asyncio.to_thread(exits.close)


def _begun(exits: ExitStack, folder: Path) -> ServedApplier:
    server, broker = exits.enter_context(Postgres()), exits.enter_context(Kafka())
    victim = exits.enter_context(servers_of(folder, server, broker, kind=ServedApplier))
    assert isinstance(victim, ServedApplier)
    return victim
