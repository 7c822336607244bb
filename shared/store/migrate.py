"""Bringing a service's database to the shape this version needs, by its own Alembic history."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine

from shared.instant import now
from shared.peek import peek

HISTORIES = Path(__file__).resolve().parents[2] / "migrations"
LOOK_SECONDS = 3.0


class HasTables(Protocol):
    """A service, as far as its database is concerned."""

    @property
    def name(self) -> str:
        """Its name, that of its history too."""

    @property
    def all_tables(self) -> Any:
        """The tables it declares."""


def migrate(service: HasTables, url: str) -> None:
    """Apply the revisions that the database lacks."""
    _with_connection(url, service.name, lambda connection: command.upgrade(_config(service, connection), "head"))


def revise(service: HasTables, url: str, message: str) -> None:
    """Write the revision that leads from the database to the declared tables."""
    number = f"{len(list((HISTORIES / service.name).glob('[0-9]*.py'))) + 1:04d}"

    def write(connection: sa.Connection) -> None:
        command.revision(_config(service, connection), message, autogenerate=True, rev_id=number)

    _with_connection(url, service.name, write)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a database was found: the revision that it is at (none: it is empty), and what its clock said."""

    revision: str | None
    clock: datetime


def standing(service: HasTables, url: str) -> Standing | None:
    """How a service's database stands, looked at beside whoever uses it; none when there is no file of SQLite yet.
    Raises what the driver raises."""
    if not url.startswith("sqlite:"):
        return asyncio.run(_standing_on_postgres(url.replace("{service}", service.name)))
    file = Path(url.removeprefix("sqlite:")) / f"{service.name}.db"
    if not file.exists():
        return None
    engine = sa.create_engine("sqlite://", creator=lambda: peek(file), poolclass=sa.NullPool)
    with engine.connect() as connection:
        return _standing(connection)


def lacking(service: HasTables, revision: str | None) -> list[str]:
    """The revisions that a database at this one lacks, the oldest first. Raises LookupError for one that is unknown."""
    history = [each.revision for each in ScriptDirectory.from_config(_history(service)).walk_revisions()][::-1]
    if revision is None:
        return history
    if revision not in history:
        raise LookupError(revision)
    return history[history.index(revision) + 1 :]


def metadata_of(service: HasTables) -> sa.MetaData:
    """The declared tables of one service, apart from those of the others."""
    metadata = sa.MetaData()
    for model in service.all_tables:
        model.__table__.to_metadata(metadata)
    return metadata


def _history(service: HasTables) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HISTORIES))
    config.set_main_option("version_locations", str(HISTORIES / service.name))
    config.set_main_option("path_separator", "os")
    return config


def _config(service: HasTables, connection: sa.Connection) -> Config:
    config = _history(service)
    config.attributes["connection"] = connection
    config.attributes["metadata"] = metadata_of(service)
    return config


def _with_connection(url: str, service: str, work: Callable[[sa.Connection], None]) -> None:
    if url.startswith("sqlite:"):
        folder = Path(url.removeprefix("sqlite:"))
        folder.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(f"sqlite:///{folder / service}.db")
        with engine.begin() as connection:
            work(connection)
        engine.dispose()
    else:
        asyncio.run(_on_postgres(url.replace("{service}", service), work))


async def _standing_on_postgres(url: str) -> Standing:
    engine = create_async_engine("postgresql+asyncpg" + url[url.index("://") :], connect_args={"timeout": LOOK_SECONDS})
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_standing)
    finally:
        await engine.dispose()


def _standing(connection: sa.Connection) -> Standing:
    revision = MigrationContext.configure(connection).get_current_revision()
    if connection.dialect.name == "sqlite":
        return Standing(revision, now())
    clock: datetime = connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    return Standing(revision, clock)


async def _on_postgres(url: str, work: Callable[[sa.Connection], None]) -> None:
    engine = create_async_engine("postgresql+asyncpg" + url[url.index("://") :])
    async with engine.begin() as connection:
        await connection.run_sync(work)
    await engine.dispose()


__all__ = ["HISTORIES", "Standing", "lacking", "metadata_of", "migrate", "revise", "standing"]
