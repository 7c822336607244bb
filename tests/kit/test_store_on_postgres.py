"""What only PostgreSQL can do to a store: locks, lost and paused connections, a pool that is used up, replicas."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from services.targets.domain.customers import Customer
from shared.errors import Conflict, Invalid, OutcomeUnknown, Overloaded
from shared.store import Snapshot, Tx, postgres
from shared.store.postgres import PostgresStore
from shared.store.tables import Journal
from tests.engines import Postgres
from tests.kit.customers import job, meet, names, rename, versions
from tests.world import empty_databases

Opened = Callable[..., Awaitable[PostgresStore]]


@pytest.fixture
async def url(postgres_server: Postgres) -> AsyncIterator[str]:
    async with empty_databases(postgres_server) as url:
        yield url.replace("{service}", "targets")


@pytest.fixture
async def opened(url: str) -> AsyncIterator[Opened]:
    stores: list[PostgresStore] = []

    async def open_one(**settings: Any) -> PostgresStore:
        store = PostgresStore(url, **settings)
        await store.start()
        stores.append(store)
        return store

    yield open_one
    for store in stores:
        await store.close()


@pytest.fixture
async def store(opened: Opened) -> PostgresStore:
    return await opened()


async def backend(tx: Tx) -> int:
    return int(await tx.session.connection.fetchval("SELECT pg_backend_pid()"))  # type: ignore[attr-defined]


async def test_a_request_is_one_statement_when_nothing_has_to_be_locked(store: PostgresStore) -> None:
    sent: list[str] = []
    async with store._pool.acquire() as connection:
        connection.add_query_logger(lambda record: sent.append(record.query))
        store._pool, pool = _Only(connection), store._pool
        await store.write(meet("Acme", crm="7"))
        store._pool = pool
    assert [text.split(" ", 1)[0] for text in sent] == ["WITH"]
    assert await versions(store)


class _Only:
    """A pool of one connection that somebody listens to."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    async def acquire(self, **patience: float) -> Any:
        return self.connection

    async def release(self, connection: Any) -> None:
        """It stays with its owner."""


async def test_nothing_is_acknowledged_before_the_commit(store: PostgresStore, url: str) -> None:
    other = await asyncpg.connect(url)
    await other.execute(
        "CREATE FUNCTION wait_a_little() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END $$;"
        "CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON customer DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION wait_a_little()"
    )
    try:
        await other.execute("SELECT pg_advisory_lock(7)")
        writing = asyncio.create_task(store.write(meet("Acme")))
        await asyncio.sleep(0.3)
        assert not writing.done()
        assert await names(store) == []
        await other.execute("SELECT pg_advisory_unlock(7)")
        await writing
        assert await names(store) == ["Acme"]
    finally:
        await other.execute("DROP TRIGGER slow_commit ON customer; DROP FUNCTION wait_a_little")
        await other.close()


async def test_things_locked_crosswise_are_both_changed_in_the_end(store: PostgresStore) -> None:
    first, second = await store.write(meet("first")), await store.write(meet("second"))
    both = asyncio.Barrier(2)
    tries = 0

    def crosswise(*keys: str) -> Any:
        async def run(tx: Tx) -> None:
            nonlocal tries
            tries += 1
            for number, key in enumerate(keys):
                if number and tries <= 2:
                    await both.wait()
                customer = await tx.load(Customer, key)
                tx.save(customer, customer.change(name=f"{customer.name}+"))

        return job(run)

    await asyncio.gather(store.write(crosswise(first.id, second.id)), store.write(crosswise(second.id, first.id)))
    assert tries > 2
    assert await names(store) == ["first++", "second++"]


async def test_a_connection_lost_in_the_middle_leaves_the_outcome_open_and_the_store_goes_on(
    store: PostgresStore, url: str
) -> None:
    customer = await store.write(meet("Acme"))
    other = await asyncpg.connect(url)

    async def cut_off(tx: Tx) -> Customer:
        changed = await rename(customer.id, "never").run(tx)
        await other.execute("SELECT pg_terminate_backend($1)", await backend(tx))
        return changed

    with pytest.raises(OutcomeUnknown) as unknown:
        await store.write(job(cut_off))
    assert unknown.value.status == 503
    outcomes = await asyncio.gather(*(store.write(rename(customer.id, "again")) for _ in range(3)))
    assert {each.version for each in outcomes} == {2}
    assert await names(store) == ["again"]
    await other.close()


async def test_a_connection_lost_while_idle_is_replaced(store: PostgresStore, url: str) -> None:
    await store.write(meet("before"))
    other = await asyncpg.connect(url)
    await other.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'concert' AND datname = current_database()"
    )
    await asyncio.sleep(0.1)
    await store.write(meet("later"))
    assert await names(store) == ["before", "later"]
    await other.close()


async def test_a_connection_lost_while_reading_is_said(store: PostgresStore, url: str) -> None:
    other = await asyncpg.connect(url)

    async def query(snapshot: Any) -> Any:
        pid = await snapshot.session.connection.fetchval("SELECT pg_backend_pid()")
        await other.execute("SELECT pg_terminate_backend($1)", pid)
        return await snapshot.session.connection.fetchval("SELECT 1")

    with pytest.raises(OutcomeUnknown):
        await store.read(query)
    assert await names(store) == []
    await other.close()


async def test_a_paused_database_is_not_waited_for_beyond_the_deadline(
    own_postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "DEADLINE", 0.5)
    paused: list[int] = []

    async def pause(tx: Tx) -> Customer:
        customer = await meet("unknown").run(tx)
        paused.append(await backend(tx))
        os.kill(paused[0], signal.SIGSTOP)
        return customer

    async with empty_databases(own_postgres) as url:
        store = PostgresStore(url.replace("{service}", "targets"))
        await store.start()
        started = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            await store.write(job(pause))
        assert time.monotonic() - started < 2
        await store.write(meet("meanwhile"))
        os.kill(paused[0], signal.SIGCONT)
        await asyncio.sleep(0.2)
        assert "meanwhile" in await names(store)
        assert len(await names(store)) == len(await versions(store))
        await store.close()


async def test_without_a_free_connection_it_is_sure_that_nothing_was_stored(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "ACQUIRE_SECONDS", 0.2)
    store = await opened(connections=1)
    enough = asyncio.Event()

    async def hold(tx: Tx) -> None:
        await enough.wait()

    holding = asyncio.create_task(store.write(job(hold)))
    await asyncio.sleep(0.05)
    with pytest.raises(Overloaded):
        await store.write(meet("too much"))
    enough.set()
    await holding
    await store.write(meet("enough"))
    assert await names(store) == ["enough"]


async def test_a_table_that_is_altered_meanwhile_breaks_no_request(store: PostgresStore, url: str) -> None:
    customer = await store.write(meet("Acme"))
    await store.write(rename(customer.id, "Acme 2"))
    other = await asyncpg.connect(url)
    try:
        await other.execute("ALTER TABLE customer ADD COLUMN newer text")
        await store.write(rename(customer.id, "Acme 3"))
        assert await names(store) == ["Acme 3"]
    finally:
        await other.execute("ALTER TABLE customer DROP COLUMN newer")
        await other.close()


async def test_a_text_with_a_nul_is_refused_not_a_fault(store: PostgresStore) -> None:
    with pytest.raises(Invalid):
        await store.write(meet("nul\0"))
    first, no, last = await store.write_all([meet("first"), meet("nul\0"), meet("last")])
    assert isinstance(no, Invalid)
    assert [first.name, last.name] == await names(store) == ["first", "last"]


async def test_what_is_always_taken_is_a_conflict_in_the_end(store: PostgresStore) -> None:
    customer = await store.write(meet("Acme"))
    tries = 0

    async def same_id(tx: Tx) -> Customer:
        nonlocal tries
        tries += 1
        twin, met = Customer.meet(name="twin", region=None, id=customer.id)
        return tx.save(twin, met)

    with pytest.raises(Conflict):
        await store.write(job(same_id))
    assert tries == postgres.ATTEMPTS
    assert await names(store) == ["Acme"]


async def test_commits_are_durable(store: PostgresStore) -> None:
    async def ask(snapshot: Any) -> Any:
        return await snapshot.session.connection.fetchval(
            "SELECT current_setting('synchronous_commit') || current_setting('transaction_isolation')"
            " || current_setting('transaction_read_only')"
        )

    assert await store.read(ask) == "onrepeatable readon"


async def test_a_reading_that_deadlocks_with_a_migration_is_read_once_more(store: PostgresStore, url: str) -> None:
    await store.write(meet("Acme"))
    migration, looking = await asyncpg.connect(url), await asyncpg.connect(url)
    # Whoever has waited for so long looks for the deadlock, and is its victim: that is to be the reading.
    await migration.execute("SET deadlock_timeout = '20s'")
    changing: list[asyncio.Task[Any]] = []

    async def query(snapshot: Snapshot) -> tuple[int, int]:
        met = await snapshot.all(Customer, sa.select(Customer))
        if not changing:
            await migration.execute("BEGIN; LOCK TABLE journal IN ACCESS EXCLUSIVE MODE")
            then = "LOCK TABLE customer IN ACCESS EXCLUSIVE MODE; COMMIT"
            changing.append(asyncio.create_task(migration.execute(then)))
            async with asyncio.timeout(10):
                while not await looking.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                    await asyncio.sleep(0.01)
        return len(met), len(await snapshot.all(Journal, sa.select(Journal)))

    try:
        assert await store.read(query) == (1, 1)
        await changing[0]
    finally:
        await migration.close()
        await looking.close()


async def test_a_reading_whose_statement_a_migration_has_changed_is_read_once_more(opened: Opened, url: str) -> None:
    store = await opened(connections=1)
    await store.write(meet("Acme"))
    migration = await asyncpg.connect(url)
    try:
        for kind in ("VARCHAR", "TEXT"):
            assert await names(store) == ["Acme"]
            await migration.execute(f"ALTER TABLE customer ALTER name TYPE {kind}")
            assert await names(store) == ["Acme"]
    finally:
        await migration.close()


async def test_a_reading_that_is_always_in_the_way_of_others_is_turned_away(store: PostgresStore) -> None:
    tries = 0

    async def query(snapshot: Snapshot) -> None:
        nonlocal tries
        tries += 1
        raise asyncpg.DeadlockDetectedError("deadlock detected")

    with pytest.raises(Overloaded):
        await store.read(query)
    assert tries == postgres.ATTEMPTS
