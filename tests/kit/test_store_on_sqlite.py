"""What only SQLite can do to a store: a full disk, a commit that fails, one group for many, a file for one process."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from shared.errors import OutcomeUnknown, Overloaded
from shared.store.sqlite import SqliteStore, StoreInUse
from tests.kit.customers import job, meet, names, versions
from tests.world import empty_files


@pytest.fixture
async def store(tmp_path: Path) -> Any:
    empty_files(tmp_path)
    opened = SqliteStore(tmp_path / "targets.db")
    await opened.start()
    yield opened
    await opened.close()


class Commits:
    """The writer's connection, with something in the way of its commits."""

    def __init__(self, connection: sqlite3.Connection, failure: Exception) -> None:
        self.connection = connection
        self.failure = failure

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def execute(self, statement: str, *values: Any) -> Any:
        if statement == "COMMIT":
            raise self.failure
        return self.connection.execute(statement, *values)


def sqlite_error(code: int) -> sqlite3.OperationalError:
    failure = sqlite3.OperationalError("as if")
    failure.sqlite_errorcode = code
    return failure


async def test_nothing_is_acknowledged_while_the_commit_cannot_be_made(store: SqliteStore) -> None:
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(store.write(meet("Acme")))
    await asyncio.sleep(0.3)
    assert not writing.done()
    assert await names(store) == []
    other.execute("COMMIT")
    other.close()
    await writing
    assert await names(store) == ["Acme"]


@pytest.mark.parametrize(
    ("code", "problem"), [(sqlite3.SQLITE_FULL, Overloaded), (sqlite3.SQLITE_IOERR, OutcomeUnknown)]
)
async def test_a_commit_that_fails_is_answered_to_all_of_its_group(
    store: SqliteStore, code: int, problem: type[Exception]
) -> None:
    sound = store._connection
    store._connection = Commits(sound, sqlite_error(code))  # type: ignore[assignment]
    outcomes = await asyncio.gather(*(store.write(meet(f"{number}")) for number in range(5)), return_exceptions=True)
    assert {type(each) for each in outcomes} == {problem}
    store._connection = sound
    assert await names(store) == []
    await store.write(meet("Acme"))
    assert await names(store) == ["Acme"]


async def test_a_full_disk_fails_the_whole_group_with_503_and_the_store_goes_on_afterwards(store: SqliteStore) -> None:
    await store.write(meet("before"))
    connection = store._connection

    def limit(pages: int) -> Any:
        async def run(tx: Any) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages}")

        return job(run)

    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    await store.write(limit(pages + 2))
    outcomes = await store.write_all([meet(f"{number} {'x' * 10_000}") for number in range(20)])
    assert [type(each) for each in outcomes] == [Overloaded] * 20
    assert (outcomes[0].status, outcomes[0].detail) == (
        503,
        "The store cannot take anything now (database or disk is full); nothing of this was stored.",
    )
    assert await names(store) == ["before"]
    await store.write(limit(1_000_000))
    await store.write(meet("later"))
    assert await names(store) == ["before", "later"]
    assert len(await versions(store)) == 2


async def test_writes_that_come_together_share_a_commit(store: SqliteStore) -> None:
    sizes: list[int] = []
    store.group_sizes = sizes.append
    await asyncio.gather(*(store.write(meet(f"{number}")) for number in range(200)))
    assert sum(sizes) == 200
    assert len(sizes) < 50
    assert len(await versions(store)) == 200


async def test_a_file_serves_one_process(store: SqliteStore) -> None:
    with pytest.raises(StoreInUse, match=r"targets\.db is in use"):
        await SqliteStore(store.path).start()
    await store.close()
    second = SqliteStore(store.path)
    await second.start()
    await second.write(meet("Acme"))
    await second.close()


async def test_work_that_waits_for_something_else_than_the_store_is_a_fault(store: SqliteStore) -> None:
    async def dreamer(tx: Any) -> None:
        await meet("dream").run(tx)
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="nothing but its store"):
        await store.write(job(dreamer))
    assert await names(store) == []


async def test_a_writer_that_does_not_answer_in_time_leaves_the_outcome_open(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.store.sqlite.DEADLINE", 0.1)
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OutcomeUnknown):
        await store.write(meet("Acme"))
    other.execute("COMMIT")
    other.close()


async def test_a_query_that_takes_too_long_is_cut_off(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.store.sqlite.DEADLINE", 0.1)
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"

    async def query(snapshot: Any) -> Any:
        return snapshot.session.connection.execute(endless).fetchall()

    with pytest.raises(Overloaded):
        await store.read(query)
    assert await names(store) == []


async def test_the_relay_reads_its_outbox_by_an_index_not_by_the_whole_journal(store: SqliteStore) -> None:
    from shared.relay import _UNSENT
    from shared.store.sql import SQLITE, Statement

    statement = Statement(_UNSENT, SQLITE)
    plan = store._connection.execute(
        f"EXPLAIN QUERY PLAN {statement.text}", statement.values({"window": 10})
    ).fetchall()
    assert "journal_unsent" in str(plan)
