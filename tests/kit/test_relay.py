"""The relay, on both stores: whatever was committed reaches the log, in the order of its subject, sent by one only."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import asyncpg
import pytest

from services.targets.domain.customers import Customer
from shared import lease
from shared.bus import BusError, Message, Position, Record
from shared.errors import OutcomeUnknown, Refused
from shared.relay import Relay
from shared.store import Store, Tx
from tests.kit.conftest import Stores, until
from tests.kit.customers import job, meet, rename, versions


class Recorder:
    """A log that remembers what it was given, and can refuse to confirm it."""

    healthy = None

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.refusals = 0

    async def start(self) -> None:
        """Nothing has to be reached."""

    async def close(self) -> None:
        """Nothing has to be let go of."""

    async def publish(self, records: Sequence[Record]) -> None:
        """Take records; one that is refused may still have been taken, as with any log."""
        await asyncio.sleep(0)
        self.records += records
        if self.refusals:
            self.refusals -= 1
            raise BusError("not confirmed")

    async def messages(self, topics: Sequence[str], start: Mapping[Position, int]) -> AsyncIterator[Sequence[Message]]:
        """Nobody listens here."""
        yield []

    @property
    def sent(self) -> list[tuple[str, int]]:
        """What came, as subject and version."""
        return [(record.key, int(dict(record.headers)["ce_sequence"])) for record in self.records]


def firsts(sent: Sequence[tuple[str, int]]) -> dict[str, list[int]]:
    """The versions of each subject in the order in which they first came."""
    found: dict[str, list[int]] = {}
    for subject, version in sent:
        if version not in found.setdefault(subject, []):
            found[subject].append(version)
    return found


@pytest.fixture
def bus() -> Recorder:
    return Recorder()


@pytest.fixture
def relay(store: Store, bus: Recorder) -> Relay:
    return Relay(store, bus, "targets")


async def test_an_event_travels_as_a_cloudevent(store: Store, bus: Recorder, relay: Relay) -> None:
    customer = await store.write(meet("Acme"))
    assert await relay.send_window() == 1
    (record,) = bus.records
    head = dict(record.headers)
    assert (record.topic, record.key) == ("concert.targets", customer.subject)
    assert (head["ce_type"], head["ce_subject"]) == ("concert.targets.customer-met.v1", customer.subject)
    assert (head["ce_sequence"], head["ce_source"], head["ce_specversion"]) == ("1", "/targets", "1.0")


async def test_each_event_is_sent_once_when_all_is_well(store: Store, bus: Recorder, relay: Relay) -> None:
    await store.write_all([meet(f"{number}") for number in range(5)])
    assert [await relay.send_window() for _ in range(3)] == [5, 0, 0]
    assert bus.sent == await versions(store)
    assert (await relay.backlog())[0] == 0


async def test_what_the_log_did_not_confirm_is_sent_again_from_the_first(
    store: Store, bus: Recorder, relay: Relay
) -> None:
    await store.write_all([meet(f"{number}") for number in range(3)])
    bus.refusals = 2
    for _ in range(2):
        with pytest.raises(BusError):
            await relay.send_window()
    assert (await relay.backlog())[0] == 3
    assert await relay.send_window() == 3
    assert bus.sent == (await versions(store)) * 3


async def test_what_was_sent_but_not_marked_is_sent_again(
    store: Store, bus: Recorder, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.write(meet("Acme"))
    assert await relay._lease.holds()

    async def lost(job: Any) -> Any:
        raise OutcomeUnknown

    with monkeypatch.context() as patched:
        patched.setattr(store, "write", lost)
        with pytest.raises(OutcomeUnknown):
            await relay.send_window()
    assert await relay.send_window() == 1
    assert bus.sent == (await versions(store)) * 2


async def test_the_order_of_a_subject_survives_writers_at_once_and_what_they_roll_back(
    stores: Stores, bus: Recorder
) -> None:
    replicas = [await stores.open("targets") for _ in range(2 if stores.on_postgres else 1)]
    customers = [await replicas[0].write(meet(f"{number}")) for number in range(5)]
    relay = Relay(replicas[0], bus, "targets")
    running = asyncio.create_task(relay.run())

    class No(Refused):
        """No."""

    def change(key: str, number: int) -> Any:
        async def run(tx: Tx) -> None:
            await rename(key, f"name {number}").run(tx)
            await rename(key, f"name {number} again").run(tx)
            if number % 7 == 0:
                raise No

        return job(run)

    async def writer(store: Store) -> None:
        for number in range(25):
            try:
                await store.write(change(random.choice(customers).id, number))
            except No:
                continue

    for replica in replicas:
        replica.committed = relay.wake
    await asyncio.gather(*(writer(random.choice(replicas)) for _ in range(8)))
    while (await relay.backlog())[0]:
        relay.wake()
        assert not running.done()
    relay.stop()
    await running
    sent = firsts(bus.sent)
    assert sum(map(len, sent.values())) == len(await versions(replicas[0])) > 200
    assert all(found == list(range(1, len(found) + 1)) for found in sent.values())


async def test_an_event_that_is_committed_late_is_not_passed_over(stores: Stores, bus: Recorder) -> None:
    if not stores.on_postgres:
        pytest.skip("on SQLite the events are numbered in the order of their commits")
    store = await stores.open("targets")
    relay = Relay(store, bus, "targets")
    late = await asyncpg.connect(stores.url.replace("{service}", "targets"))
    transaction = late.transaction()
    await transaction.start()
    await late.execute(
        "INSERT INTO journal (subject, version, id, type, topic, time, data, sent) VALUES"
        " ('customer/late', 1, 'aa', 'concert.targets.customer-met.v1', 'concert.targets', 't', '{}', false)"
    )
    early = await store.write(meet("early"))
    assert await relay.send_window() == 1
    await transaction.commit()
    await late.close()
    assert await relay.send_window() == 1
    assert bus.sent == [(early.subject, 1), ("customer/late", 1)]


async def test_of_two_relays_one_sends_and_the_other_takes_over_when_it_stops(stores: Stores) -> None:
    first_store = await stores.open("targets")
    second_store = await stores.open("targets") if stores.on_postgres else first_store
    logs = Recorder(), Recorder()
    first, second = Relay(first_store, logs[0], "targets"), Relay(second_store, logs[1], "targets")
    running = asyncio.create_task(first.run())
    customer = await first_store.write(meet("Acme"))
    await until(lambda: bool(logs[0].records))
    assert await second.send_window() == 0
    first.stop()
    await running
    changed = await first_store.write(rename(customer.id, "Acme Ltd"))
    assert await second.send_window() == 1
    assert logs[0].sent == [(customer.subject, 1)]
    assert logs[1].sent == [(customer.subject, changed.version)]


async def test_a_relay_that_slept_through_its_lease_asks_before_it_sends(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "SECONDS", 1.3)
    monkeypatch.setattr(lease, "SECONDS_ON_ONE_MACHINE", 1.3)
    monkeypatch.setattr(lease, "RENEW_AFTER", 0.2)
    first_store = await stores.open("targets")
    second_store = await stores.open("targets") if stores.on_postgres else first_store
    sleeper, other = Relay(first_store, Recorder(), "targets"), Relay(second_store, Recorder(), "targets")
    assert await sleeper._lease.holds()
    assert not await other._lease.holds()
    await asyncio.sleep(1.4)
    assert await other._lease.holds()
    await first_store.write(meet("Acme"))
    assert await sleeper.send_window() == 0
    assert await other.send_window() == 1


async def test_a_restart_does_not_wait_for_the_lease_of_the_dead(stores: Stores) -> None:
    """On SQLite, where the file says that the other process has gone; elsewhere the lease ends by itself."""
    if stores.on_postgres:
        pytest.skip("another process may hold the lease and live")
    dead = await stores.open("targets")
    assert await Relay(dead, Recorder(), "targets")._lease.holds()
    await dead.close()
    assert await Relay(await stores.open("targets"), Recorder(), "targets")._lease.holds()


async def test_a_relay_that_is_told_to_stop_marks_what_it_has_sent(store: Store) -> None:
    class Slow(Recorder):
        async def publish(self, records: Sequence[Record]) -> None:
            started.set()
            await asyncio.sleep(0.2)
            await super().publish(records)

    started = asyncio.Event()
    relay = Relay(store, Slow(), "targets")
    await store.write(meet("Acme"))
    running = asyncio.create_task(relay.run())
    await started.wait()
    relay.stop()
    await running
    assert (await relay.backlog())[0] == 0


async def test_a_customer_keeps_the_events_of_its_life_in_one_partition(store: Store, bus: Recorder) -> None:
    customer: Customer = await store.write(meet("Acme"))
    await store.write(rename(customer.id, "Acme Ltd"))
    await Relay(store, bus, "targets").send_window()
    assert {record.key for record in bus.records} == {customer.subject}
