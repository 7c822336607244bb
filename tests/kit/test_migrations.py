"""The histories lead to the tables as they are declared, and what a store holds on the way there stays."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import sqlalchemy as sa
from sqlmodel import Field

from concert.services import SERVICES
from services.metrics.facts.teams import MemberFact, members
from shared.application import Service
from shared.events.teams import MemberLeft, MemberRecruited
from shared.instant import now
from shared.store import Context, Job, Row, Tx, open_store
from shared.store.migrate import differing, migrate
from shared.store.sql import Raw
from shared.store.tables import Journal
from tests.engines import Postgres

FIRST = "0001"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where empty stores are."""
    if request.param == "sqlite":
        yield f"sqlite:{tmp_path}"
        return
    server: Postgres = request.getfixturevalue("postgres_server")
    name = f"m{uuid4().hex[:12]}"
    for service in SERVICES:
        asyncio.run(server.create_database(f"{name}_{service.name}"))
    yield server.url(name + "_{service}")


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_history_leads_to_the_tables_as_they_are_declared(service: Service, url: str) -> None:
    migrate(service, url)
    assert differing(service, url) is None
    # A second time there is nothing to do.
    migrate(service, url)


def test_a_table_that_the_history_lacks_is_noticed(tmp_path: Path) -> None:
    class Forgotten(Row, table=True):
        id: str = Field(primary_key=True)

    url = f"sqlite:{tmp_path}"
    migrate(SERVICES[0], url)
    try:
        found = differing(replace(SERVICES[0], tables=(*SERVICES[0].tables, Forgotten)), url)
    finally:
        Row.metadata.remove(Forgotten.__table__)  # type: ignore[attr-defined]
    assert found is not None
    assert "forgotten" in found


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_what_a_store_of_the_first_release_holds_is_there_after_an_upgrade(service: Service, url: str) -> None:
    migrate(service, url, FIRST)

    async def told() -> list[Journal]:
        store = open_store(url, service.name)
        await store.start()
        try:
            await store.write(Job(tell, Context(now())))
            return await store.read(lambda snapshot: snapshot.all(Journal, sa.select(Journal)))
        finally:
            await store.close()

    async def tell(tx: Tx) -> None:
        count = len(await tx.all(Journal, sa.select(Journal)))
        tx.put(Journal.make(seq=count + 1, subject="x/1", version=count + 1, id=f"id{count}", type="t", topic="t",
                            time="2026-01-01T00:00:00Z"))  # fmt: skip

    assert len(asyncio.run(told())) == 1
    migrate(service, url)
    assert [row.id for row in asyncio.run(told())] == ["id0", "id1"]


def test_a_member_known_before_there_were_ramps_has_the_ones_their_events_give(url: str) -> None:
    metrics = next(service for service in SERVICES if service.name == "metrics")
    migrate(metrics, url, "0003")
    told = MemberFact.make(id="mbr_a")
    recruited = MemberRecruited(department="sales", starts_on=date(2025, 1, 1))
    for event in (recruited, MemberLeft(on=date(2025, 6, 1)), replace(recruited, starts_on=date(2026, 1, 1))):
        members.fold(told, event)
    table = MemberFact.__table__.c  # type: ignore[attr-defined]
    ramps = sa.select(table.ramps).where(table.id == "mbr_a")
    stays = '[{"from":"2025-01-01","of":null,"to":"2025-06-01"},{"from":"2026-01-01","of":null,"to":null}]'

    async def upgraded() -> list[Any]:
        store = open_store(url, metrics.name)
        await store.start()
        try:
            await store.write(Job(known, Context(now())))
            found = []
            for revision in ("0012", "0013"):
                await asyncio.to_thread(migrate, metrics, url, revision)
                found.append(await store.read(lambda snapshot: snapshot.scalar(ramps)))
            return found
        finally:
            await store.close()

    async def known(tx: Tx) -> None:
        insert = (
            "INSERT INTO member_fact (id, shard, total, total_currency, starts_on, employments, departments,"
            f" memberships, \"groups\", erased) VALUES ('mbr_a', 0, 0, '', '2026-01-01', '{stays}', '[]', '[]',"
            " '[]', false)"
        )
        await tx.session.execute(Raw(insert), [()])

    # What is known stays readable until it has been heard anew.
    assert asyncio.run(upgraded()) == [told.ramps, told.ramps]
    assert [each["to"] for each in told.ramps] == ["2025-06-01", None]


def test_a_step_waits_for_a_version_that_reads_what_it_changes_and_never_ends_its_statement(
    postgres_server: Postgres,
) -> None:
    """The reader has read what the step wants, and wants what the step has: the step gives way."""
    metrics = next(service for service in SERVICES if service.name == "metrics")
    name = f"m{uuid4().hex[:12]}"
    asyncio.run(postgres_server.create_database(f"{name}_metrics"))
    url = postgres_server.url(name + "_{service}")
    migrate(metrics, url, "0006")

    async def read_beside() -> None:
        reader = await asyncpg.connect(url.replace("{service}", "metrics"))
        try:
            migrating = asyncio.create_task(asyncio.to_thread(migrate, metrics, url))
            for _ in range(20):
                async with reader.transaction():
                    await reader.fetch("SELECT count(*) FROM customer_fact")
                    await asyncio.sleep(0.1)
                    await reader.fetch("SELECT count(*) FROM deal_fact JOIN held_event ON true JOIN position ON true")
            await migrating
        finally:
            await reader.close()

    try:
        asyncio.run(read_beside())
        assert differing(metrics, url) is None
    finally:
        asyncio.run(postgres_server.drop_database(f"{name}_metrics"))
