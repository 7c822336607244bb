"""What a service does not listen to costs it next to nothing, and nothing is lost or done twice because of that."""

from __future__ import annotations

import asyncio

import pytest

from services.metrics.facts.customers import customers
from shared.bus import Bus, partition_of
from shared.consumer import Subscriptions
from shared.events.targets import CustomerMet
from shared.positions import stored_positions
from shared.store import Store
from tests.kit.conftest import Stores, at_work
from tests.kit.told import TARGETS, applied, life, opened, told

CUSTOMER = "customer/cust_1"
DEAL = next(f"deal/deal_{number}" for number in range(99)
            if partition_of(f"deal/deal_{number}") != partition_of(CUSTOMER))  # fmt: skip


def of_customers() -> Subscriptions:
    """A service that listens to customers and to nothing else of its topic."""
    subscriptions = Subscriptions(TARGETS, only={TARGETS: frozenset({"customer"})})
    subscriptions.keep(customers)
    return subscriptions


@pytest.fixture
async def store(stores: Stores) -> Store:
    return await stores.open("metrics")


async def read(store: Store) -> dict[int, int]:
    """By partition, how far the database says that the log has been read."""
    return {each.partition: each.next_offset for each in await store.read(stored_positions)}


async def reaches(store: Store, subject: str, offset: int) -> None:
    async with asyncio.timeout(20):
        while (await read(store)).get(partition_of(subject), 0) < offset:
            await asyncio.sleep(0.02)


async def met(store: Store, bus: Bus, version: int = 1) -> None:
    """A customer is met, or told of again, and the service has heard it."""
    await bus.publish([told(CUSTOMER, version, CustomerMet(name="Acme"))])
    async with asyncio.timeout(20):
        while await applied(store, CUSTOMER) < version:
            await asyncio.sleep(0.01)


async def test_what_nobody_listens_to_is_passed_over_and_its_place_stored_within_seconds(
    store: Store, bus: Bus
) -> None:
    async with at_work(store, bus, of_customers()):
        await met(store, bus)
        told_of = life(DEAL, opened())
        await bus.publish(told_of)
        # Nothing else comes: the place is stored all the same, or it would look as if the service were behind.
        await reaches(store, DEAL, 1)
        assert await applied(store, DEAL) == 0


async def test_it_is_not_stored_one_by_one(store: Store, bus: Bus) -> None:
    written = 0
    write = store.write

    async def counted(job):  # type: ignore[no-untyped-def]
        nonlocal written
        written += 1
        return await write(job)

    async with at_work(store, bus, of_customers()) as consumer:
        await met(store, bus)
        store.write = counted  # type: ignore[method-assign]
        for number in range(100):
            await bus.publish(life(f"deal/deal_{number}", opened()))
        async with asyncio.timeout(20):
            while not consumer.caught_up:
                await asyncio.sleep(0)
    assert written < 20


async def test_what_was_passed_over_and_not_stored_comes_again_and_changes_nothing(store: Store, bus: Bus) -> None:
    async with at_work(store, bus, of_customers()) as consumer:
        await met(store, bus)
        await bus.publish(life(DEAL, opened()))
        async with asyncio.timeout(20):
            while not consumer.passed:
                await asyncio.sleep(0)
    assert (await read(store)).get(partition_of(DEAL), 0) == 0
    async with at_work(store, bus, of_customers()):
        await met(store, bus, version=2)
        await reaches(store, DEAL, 1)
    assert await applied(store, DEAL) == 0


async def test_it_is_stored_with_what_is_applied_next(store: Store, bus: Bus) -> None:
    async with at_work(store, bus, of_customers()) as consumer:
        await met(store, bus)
        await bus.publish(life(DEAL, opened()))
        async with asyncio.timeout(20):
            while not consumer.passed:
                await asyncio.sleep(0)
        await met(store, bus, version=2)
        assert (await read(store))[partition_of(DEAL)] == 1
