"""What a store promises, on both engines: all of a piece of work or nothing, and no yes before it is durable."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from services.targets.domain.customers import Customer
from shared.errors import Conflict, Invalid, NotFound, Overloaded, Refused
from shared.ids import new_id
from shared.store import Snapshot, Store, Tx
from shared.store import postgres as on_postgres
from shared.store import sqlite as on_sqlite
from shared.store.tables import External, Journal, Lease
from tests.kit.conftest import Stores
from tests.kit.customers import external_names, job, meet, names, rename, versions


class NotToday(Refused):
    """Not today."""


def refused(*, after_flush: bool, **externals: str) -> Any:
    async def run(tx: Tx) -> None:
        await meet("refused", **externals).run(tx)
        if after_flush:
            await tx.rows(sa.select(Journal.__table__.c.id))  # type: ignore[attr-defined]
        raise NotToday

    return job(run)


async def test_a_change_and_its_event_are_stored_together(store: Store) -> None:
    customer = await store.write(meet("Acme", crm="7"))
    await store.write(rename(customer.id, "Acme Ltd"))
    assert await names(store) == ["Acme Ltd"]
    assert await versions(store) == [(customer.subject, 1), (customer.subject, 2)]
    assert await external_names(store) == ["7"]


async def test_a_change_that_changes_nothing_has_no_event(store: Store) -> None:
    customer = await store.write(meet("Acme"))
    assert (await store.write(rename(customer.id, "Acme"))).version == 1
    assert len(await versions(store)) == 1


async def test_what_is_refused_leaves_nothing(store: Store) -> None:
    for after_flush in (False, True):
        with pytest.raises(NotToday):
            await store.write(refused(after_flush=after_flush, crm="7"))
    assert (await names(store), await versions(store), await external_names(store)) == ([], [], [])


@pytest.mark.parametrize("after_flush", [False, True])
async def test_in_a_group_the_refused_leave_nothing_and_the_others_stay(store: Store, after_flush: bool) -> None:
    jobs = [meet("first", crm="1"), refused(after_flush=after_flush, crm="2"), meet("last", crm="3")]
    first, no, last = await store.write_all(jobs)
    assert (first.name, last.name) == ("first", "last")
    assert isinstance(no, NotToday)
    assert await names(store) == ["first", "last"]
    assert await external_names(store) == ["1", "3"]
    assert len(await versions(store)) == 2


async def test_one_thing_that_is_changed_often_in_a_group_has_an_event_for_each_change(store: Store) -> None:
    customer = await store.write(meet("Acme"))
    await store.write_all([rename(customer.id, f"Acme {number}") for number in range(5)])
    assert [version for _, version in await versions(store)] == [1, 2, 3, 4, 5, 6]
    assert await names(store) == ["Acme 4"]


async def test_a_refused_change_takes_only_itself_back(store: Store) -> None:
    customer = await store.write(meet("Acme"))

    async def rename_and_refuse(tx: Tx) -> None:
        await rename(customer.id, "Wrong").run(tx)
        raise NotToday

    jobs = [rename(customer.id, "Right"), job(rename_and_refuse), rename(customer.id, "Better")]
    _, no, better = await store.write_all(jobs)
    assert isinstance(no, NotToday)
    assert better.version == 3
    assert await names(store) == ["Better"]


async def test_two_creations_of_one_external_id_in_one_group_make_one(store: Store) -> None:
    outcomes = await store.write_all([meet("one", crm="7"), meet("other", crm="7")])
    assert [type(each) for each in outcomes] == [Customer, Conflict]
    assert await names(store) == ["one"]


async def test_many_creations_of_one_external_id_at_once_make_one(stores: Stores) -> None:
    replicas = [await stores.open("targets") for _ in range(2 if stores.on_postgres else 1)]
    made = [replica.write(meet(f"customer {number}", crm="7")) for number in range(10) for replica in replicas]
    outcomes = await asyncio.gather(*made, return_exceptions=True)
    kept = [each for each in outcomes if isinstance(each, Customer)]
    assert len(kept) == 1
    assert {type(each) for each in outcomes} == {Customer, Conflict}
    assert await names(replicas[0]) == [kept[0].name]


async def test_changes_at_once_follow_one_another(stores: Stores) -> None:
    replicas = [await stores.open("targets") for _ in range(2 if stores.on_postgres else 1)]
    customer = await replicas[0].write(meet("Acme"))

    def change(number: int) -> Any:
        async def run(tx: Tx) -> int:
            return (await rename(customer.id, f"Acme {number}").run(tx)).version

        return job(run)

    changes = [replicas[number % len(replicas)].write(change(number)) for number in range(30)]
    assert sorted(await asyncio.gather(*changes)) == list(range(2, 32))
    assert [version for _, version in await versions(replicas[0])] == list(range(1, 32))


async def test_changes_decided_on_the_same_version_without_a_lock_do_not_overwrite_one_another(stores: Stores) -> None:
    replicas = [await stores.open("targets") for _ in range(2 if stores.on_postgres else 1)]
    customer = await replicas[0].write(meet("Acme"))
    both = asyncio.Barrier(2)
    tries = 0

    async def careless(tx: Tx) -> Customer:
        nonlocal tries
        tries += 1
        found = await tx.find(Customer, customer.id)
        assert found is not None
        if stores.on_postgres and tries <= 2:
            await both.wait()
        return tx.save(found, found.change(name=f"change {tries}"))

    changed = await asyncio.gather(*(replicas[number % len(replicas)].write(job(careless)) for number in range(2)))
    assert sorted(each.version for each in changed) == [2, 3]


async def test_a_name_that_could_not_be_given_is_asked_for_again(store: Store) -> None:
    known = await store.write(meet("known", crm="7"))

    async def link_and_refuse(tx: Tx) -> None:
        other = await meet("other").run(tx)
        tx.name_externally(other, "crm", "7")
        raise NotToday

    async def look(tx: Tx) -> str:
        return (await tx.load(Customer, "ext:crm:7")).id

    _, found = await store.write_all([job(link_and_refuse), job(look)])
    assert found == known.id


async def test_a_name_can_pass_from_one_thing_to_another(store: Store) -> None:
    old, new = await store.write(meet("old", crm="7")), await store.write(meet("new"))

    async def pass_on(tx: Tx) -> None:
        tx.put(External.make(kind="customer", source="crm", name="7", id=new.id))
        tx.remove(External.make(kind="customer", source="crm", name="7", id=old.id))

    await store.write(job(pass_on))
    assert (await store.read(lambda snapshot: snapshot.get(Customer, "ext:crm:7"))).id == new.id


async def test_a_value_that_cannot_be_stored_is_the_fault_of_its_sender_alone(store: Store) -> None:
    async def huge(tx: Tx) -> Customer:
        customer, met = Customer.meet(name="huge", region=None, id=new_id("cust"))
        saved = tx.save(customer, met)
        saved.total = 2**70
        return saved

    first, no, last = await store.write_all([meet("first"), job(huge), meet("last")])
    assert isinstance(no, Invalid)
    assert (first.name, last.name) == ("first", "last")
    assert await names(store) == ["first", "last"]
    with pytest.raises(Invalid):
        await store.write(job(huge))


async def test_a_fault_in_one_piece_of_work_is_not_the_fault_of_the_others(store: Store) -> None:
    async def broken(tx: Tx) -> None:
        await meet("broken").run(tx)
        await tx.rows(sa.text("SELECT nothing FROM nowhere"))

    first, fault, last = await store.write_all([meet("first"), job(broken), meet("last")])
    assert (first.name, last.name) == ("first", "last")
    assert isinstance(fault, Exception)
    assert await names(store) == ["first", "last"]


async def test_a_snapshot_does_not_see_what_comes_later(store: Store) -> None:
    await store.write(meet("before"))
    loop = asyncio.get_running_loop()
    count = sa.select(sa.func.count()).select_from(Journal)

    async def query(snapshot: Snapshot) -> tuple[int, int]:
        first = await snapshot.scalar(count)
        if isinstance(store, on_sqlite.SqliteStore):
            # On SQLite a query runs in a thread of its own and waits for nothing but the store.
            asyncio.run_coroutine_threadsafe(store.write(meet("later")), loop).result()
        else:
            await store.write(meet("later"))
        return first, await snapshot.scalar(count)

    assert await store.read(query) == (1, 1)
    assert await names(store) == ["before", "later"]


async def test_what_is_not_there_is_not_found(store: Store) -> None:
    for ref in ("cust_nobody", "ext:crm:nobody"):
        with pytest.raises(NotFound, match=ref):
            await store.write(rename(ref, "x"))
        with pytest.raises(NotFound, match=ref):
            await store.read(lambda snapshot, ref=ref: snapshot.get(Customer, ref))  # type: ignore[misc]


async def test_more_than_can_wait_is_turned_away(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_sqlite, "MAX_QUEUE", 0)
    monkeypatch.setattr(on_postgres, "MAX_WAITING", 0)
    with pytest.raises(Overloaded) as turned_away:
        await store.write(meet("too much"))
    assert turned_away.value.status == 503
    monkeypatch.undo()
    await store.write(meet("enough"))
    assert await names(store) == ["enough"]


async def test_the_relay_is_told_of_events_and_of_nothing_else(store: Store) -> None:
    told: list[int] = []
    store.committed = lambda: told.append(1)
    with pytest.raises(NotToday):
        await store.write(refused(after_flush=False))
    await asyncio.sleep(0.05)
    assert told == []
    await store.write(meet("Acme"))
    await asyncio.sleep(0.05)
    assert told == [1]


async def test_numbers_of_every_kind_come_back_as_they_went(store: Store) -> None:
    async def keep(tx: Tx) -> None:
        tx.put(Lease.make(job="test", holder="me", until=1.25))

    await store.write(job(keep))
    row = await store.read(lambda snapshot: snapshot.find(Lease, "test"))
    assert row is not None
    assert (row.until, type(row.until)) == (1.25, float)
