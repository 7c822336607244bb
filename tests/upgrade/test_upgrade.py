"""What the last release left behind is brought up to date while that release still serves: expanded now, contracted by
a later release at the earliest."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from concert.services import SERVICES
from shared.store.migrate import differing, migrate
from tests.engines import Postgres
from tests.metrics.test_certificate import settled_verdict
from tests.upgrade.dumped import RELEASED, parts, read
from tests.world import world

Shape = dict[str, dict[str, tuple[str, bool, bool]]]
"""By table its columns, each with its type, whether it may be null, and whether it has a default."""


class Databases:
    """The databases of the release, on one engine."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = url.partition(":")[0]

    def run(self, service: str, statements: list[str]) -> None:
        """Run statements on the database of a service, all or none."""
        text = "\n".join(statements)
        if self.engine == "sqlite":
            with closing(sqlite3.connect(self._file(service))) as connection:
                connection.executescript(f"BEGIN;{text}COMMIT;")
        else:
            asyncio.run(self._run(service, text))

    def counted(self, service: str) -> dict[str, int]:
        """How many rows each table of a service has."""
        tables = [name for name in self.shape(service) if name != "alembic_version"]
        question = "SELECT " + ", ".join(f'(SELECT count(*) FROM "{name}") AS "{name}"' for name in tables)
        if self.engine == "sqlite":
            with closing(sqlite3.connect(self._file(service))) as connection:
                return dict(zip(tables, connection.execute(question).fetchone(), strict=True))
        return asyncio.run(self._counted(service, question))

    def shape(self, service: str) -> Shape:
        """What the tables of a service are like."""
        if self.engine == "sqlite":
            engine = sa.create_engine(f"sqlite:///{self._file(service)}")
            with engine.connect() as connection:
                found = _shape(connection)
            engine.dispose()
            return found
        return asyncio.run(self._shape(service))

    def _file(self, service: str) -> Path:
        return Path(self.url.removeprefix("sqlite:")) / f"{service}.db"

    async def _run(self, service: str, text: str) -> None:
        connection = await asyncpg.connect(self.url.replace("{service}", service))
        try:
            await connection.execute(text)
        finally:
            await connection.close()

    async def _counted(self, service: str, question: str) -> dict[str, int]:
        connection = await asyncpg.connect(self.url.replace("{service}", service))
        try:
            return dict(await connection.fetchrow(question))
        finally:
            await connection.close()

    async def _shape(self, service: str) -> Shape:
        address = self.url.replace("{service}", service)
        engine = create_async_engine("postgresql+asyncpg" + address[address.index("://") :])
        async with engine.connect() as connection:
            found = await connection.run_sync(_shape)
        await engine.dispose()
        return found


def _shape(connection: sa.Connection) -> Shape:
    inspected = sa.inspect(connection)
    return {
        table: {
            each["name"]: (str(each["type"]), bool(each["nullable"]), each.get("default") is not None)
            for each in inspected.get_columns(table)
        }
        for table in inspected.get_table_names()
    }


def contracted(before: Shape, after: Shape) -> list[str]:
    """What the version before could no longer read or write."""
    found = [f"the table {table} is gone" for table in before.keys() - after.keys()]
    for table in before.keys() & after.keys():
        old, new = before[table], after[table]
        found += [f"{table}.{name} is gone" for name in old.keys() - new.keys()]
        for name in old.keys() & new.keys():
            if old[name][0] != new[name][0]:
                found.append(f"{table}.{name} was {old[name][0]} and is {new[name][0]}")
            if old[name][1] and not new[name][1]:
                found.append(f"{table}.{name} may not be null any more")
        for name in new.keys() - old.keys():
            _, nullable, default = new[name]
            if not nullable and not default:
                found.append(f"{table}.{name} is new and has no default: the version before leaves it out")
    return sorted(found)


@pytest.fixture(params=["sqlite", "postgresql"])
def released(request: pytest.FixtureRequest, tmp_path: Path) -> Databases:
    """The tables of the last release, still empty."""
    if request.param == "sqlite":
        found = Databases(f"sqlite:{tmp_path}")
    else:
        server: Postgres = request.getfixturevalue("postgres_server")
        name = f"u{uuid4().hex[:12]}"
        for service in SERVICES:
            asyncio.run(server.create_database(f"{name}_{service.name}"))
        found = Databases(server.url(name + "_{service}"))
    for service in SERVICES:
        found.run(service.name, [parts(read(f"{found.engine}-{service.name}"))[0]])
    return found


def rows_of(databases: Databases, service: str) -> list[str]:
    """What the last release writes into the tables of a service, but for where they stand."""
    rows = parts(read(f"{databases.engine}-{service}"))[1]
    return [row for row in rows if "alembic_version" not in row.split("(")[0]]


def test_no_migration_takes_from_the_last_release_what_it_reads_or_writes(released: Databases) -> None:
    for service in SERVICES:
        before = released.shape(service.name)
        released.run(service.name, _standing(released, service.name))
        migrate(service, released.url)
        assert contracted(before, released.shape(service.name)) == [], service.name
        # It goes on writing beside the new version, with the statements that it knows.
        released.run(service.name, rows_of(released, service.name))
        assert differing(service, released.url) is None


def test_what_the_last_release_holds_is_there_after_the_upgrade(released: Databases) -> None:
    counts: dict[str, int] = {}
    for service in SERVICES:
        rows = rows_of(released, service.name)
        released.run(service.name, [*_standing(released, service.name), *rows])
        before = released.counted(service.name)
        migrate(service, released.url)
        assert differing(service, released.url) is None
        after = released.counted(service.name)
        assert {name: after[name] for name in before} == before, "also what is known of others, until it is heard anew"
        counts |= before
    assert counts["deal"] > 10
    assert counts["deal_fact"] == counts["deal"]


async def test_an_upgraded_concert_goes_on_where_the_last_release_stopped(tmp_path: Path) -> None:
    files = Databases(f"sqlite:{tmp_path}")
    for name in (*(service.name for service in SERVICES), "log"):
        files.run(name, read(f"sqlite-{name}").split("\n"))
    for service in SERVICES:
        await asyncio.to_thread(migrate, service, files.url)
    expected: dict[str, Any] = json.loads((RELEASED / "figures.json").read_text())
    async with world(tmp_path) as concert:
        await settled_verdict(concert, "consistent")
        written = await concert.post("/v1/customers", {"name": "After the upgrade"})
        shown = await concert.settled("/v1/views", written, period="2025")
        for department, figures in expected.items():
            found = shown["views"][department]["figures"]
            # What is not a figure any longer, or counts to this day, is no matter of the upgrade.
            same = [name for name in figures if "open" not in name and "outstanding" not in name and name in found]
            assert {name: found[name] for name in same} == {name: figures[name] for name in same}


def _standing(databases: Databases, service: str) -> list[str]:
    rows = parts(read(f"{databases.engine}-{service}"))[1]
    return [row for row in rows if "alembic_version" in row.split("(")[0]]


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ({}, "the table deal is gone"),
        ({"deal": {}}, "deal.name is gone"),
        ({"deal": {"name": ("INTEGER", True, False)}}, "deal.name was TEXT and is INTEGER"),
        ({"deal": {"name": ("TEXT", False, False)}}, "deal.name may not be null any more"),
        (
            {"deal": {"name": ("TEXT", True, False), "by": ("TEXT", False, False)}},
            "deal.by is new and has no default: the version before leaves it out",
        ),
    ],
)
def test_a_step_that_contracts_is_named(after: Shape, said: str) -> None:
    assert said in contracted({"deal": {"name": ("TEXT", True, False)}}, after)


def test_a_step_that_expands_is_none() -> None:
    before: Shape = {"deal": {"name": ("TEXT", False, False)}}
    after: Shape = {
        "deal": {"name": ("TEXT", True, False), "by": ("TEXT", True, False), "kind": ("TEXT", False, True)},
        "more": {"id": ("TEXT", False, False)},
    }
    assert contracted(before, after) == []


def test_what_is_kept_of_a_release_is_small() -> None:
    assert sum(file.stat().st_size for file in RELEASED.iterdir()) < 250_000
