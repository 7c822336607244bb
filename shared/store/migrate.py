"""Bringing a service's database to the shape this version needs, by its own Alembic history."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.ext.asyncio import create_async_engine

HISTORIES = Path(__file__).resolve().parents[2] / "migrations"


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


def metadata_of(service: HasTables) -> sa.MetaData:
    """The declared tables of one service, apart from those of the others."""
    metadata = sa.MetaData()
    for model in service.all_tables:
        model.__table__.to_metadata(metadata)
    return metadata


def _config(service: HasTables, connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HISTORIES))
    config.set_main_option("version_locations", str(HISTORIES / service.name))
    config.set_main_option("path_separator", "os")
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


async def _on_postgres(url: str, work: Callable[[sa.Connection], None]) -> None:
    engine = create_async_engine("postgresql+asyncpg" + url[url.index("://") :])
    async with engine.begin() as connection:
        await connection.run_sync(work)
    await engine.dispose()


__all__ = ["HISTORIES", "metadata_of", "migrate", "revise"]
