"""Where a service keeps what it owns, on SQLite or on PostgreSQL, behind one face."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

from shared.store.entity import Entity, Row
from shared.store.tx import Context, Job, Session, Snapshot, Tx

T = TypeVar("T")
__all__ = ["Context", "Entity", "Job", "Row", "Snapshot", "Store", "Tx", "open_store"]


class Store(Protocol):
    """One service's database."""

    dialect: sa.Dialect
    committed: Callable[[], None]
    group_sizes: Callable[[int], None]

    async def start(self) -> None:
        """Open it."""

    async def close(self) -> None:
        """Finish what was accepted and close it."""

    async def write(self, job: Job[T]) -> T:
        """Run a job and commit; returns after the commit is durable, raises what the job raised."""

    async def write_all(self, jobs: Sequence[Job[Any]]) -> list[Any]:
        """Run jobs that commit together; a refused one is answered by its exception and leaves nothing."""

    async def read(self, query: Callable[[Snapshot], Awaitable[T]]) -> T:
        """Answer a query from one snapshot."""

    async def lacks_room(self) -> str | None:
        """None, or why nothing more can be stored, since a write has failed for that."""

    def beside(self, models: Sequence[type[Row]]) -> AbstractAsyncContextManager[Store]:
        """A second store with these tables, empty; it ends with the context, and one that a process left behind is
        thrown away."""

    async def adopt(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Run work in one transaction that may take its time, and in which the tables of the store beside this one are
        called `beside.<table>`."""


def open_store(url: str, service: str, *, connections: int = 16) -> Store:
    """The store of a service at `sqlite:<folder>` or `postgresql://…/{service}`, with so many connections at most."""
    if url.startswith("sqlite:"):
        from shared.store.sqlite import SqliteStore

        return SqliteStore(Path(url.removeprefix("sqlite:")) / f"{service}.db")
    if url.startswith(("postgresql:", "postgres:")):
        from shared.store.postgres import PostgresStore

        return PostgresStore(url.replace("{service}", service), connections=connections)
    raise ValueError(f"CONCERT_STORE_URL must begin with sqlite: or postgresql:, not {url.partition(':')[0]!r}")
