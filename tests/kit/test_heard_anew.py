"""A version that keeps more of what it hears finds what the version before has applied, and hears all of it anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.metrics.facts.deals import DealFact
from shared import consumer as applying
from shared.bus import Bus, Message
from shared.bus.embedded import EmbeddedBus
from shared.consumer import Consumer, Subscriptions
from shared.events import Envelope
from shared.events.targets import DealOpened, DealWon
from shared.facts import Facts
from shared.rebuild import Rebuild, RebuildRefused
from shared.store import Store, Tx
from shared.store.tables import External, Position
from tests.kit.conftest import Stores, at_work
from tests.kit.told import TARGETS, held, life, lost, opened, told, won

DEAL, OTHER = "deal/deal_1", "deal/deal_2"
BY_HAND = "reacted"


def hears(*, to_the_end: bool, chokes: bool = False, reading: int = 1) -> Subscriptions:
    """What a version keeps of deals: that they were opened, or also how they ended."""
    deals = Facts(DealFact)

    @deals.on(DealOpened)
    def remember_owner(deal: DealFact, event: DealOpened) -> None:
        deal.owner = event.owner

    if to_the_end:

        @deals.on(DealWon)
        def remember_end(deal: DealFact, event: DealWon) -> None:
            deal.status = "won"

    if chokes:

        @deals.on(DealWon)
        def cannot_be_read(deal: DealFact, event: DealWon) -> None:
            raise ValueError("no event of this type is known")

    subscriptions = Subscriptions(TARGETS, reading=reading)
    subscriptions.keep(deals)
    return subscriptions


def obliged(subscriptions: Subscriptions) -> Subscriptions:
    """The same version, which owes something for every deal that is won."""

    @subscriptions.on(DealWon)
    async def owe(tx: Tx, event: DealWon, envelope: Envelope) -> None:
        tx.add(External.make(kind=BY_HAND, source=envelope.id, name=envelope.subject, id=envelope.key))

    return subscriptions


@pytest.fixture
async def store(stores: Stores) -> Store:
    return await stores.open("metrics")


async def moved_as_before(tx: Tx, messages: Sequence[Message], edition: str) -> list[Message]:
    """How versions before there were editions moved the positions."""
    places = {(each.record.topic, each.partition) for each in messages}
    blanks = [Position.make(topic=topic, partition=partition) for topic, partition in sorted(places)]
    rows = await tx.locked(Position, sorted({topic for topic, _ in places}), blanks)
    stored = {(row.topic, row.partition): row for row in rows}
    fresh = []
    for each in messages:
        position = stored[each.record.topic, each.partition]
        if each.offset >= position.next_offset:
            position.next_offset, position.last_offset = each.offset + 1, each.offset
            position.last_id = dict(each.record.headers)["ce_id"]
            fresh.append(each)
    for place in places:
        tx.put(stored[place])
    return fresh


@asynccontextmanager
async def the_version_before(
    store: Store, bus: Bus, patch: pytest.MonkeyPatch, subscriptions: Subscriptions
) -> AsyncIterator[Consumer]:
    """An applier that keeps no editions."""
    with patch.context() as patched:
        patched.setattr(applying, "advance", moved_as_before)
        patched.setattr(applying, "heard_as", lambda positions, edition: True)
        async with at_work(store, bus, subscriptions) as consumer:
            yield consumer


async def statuses(store: Store) -> dict[str, str]:
    found = await store.read(lambda snapshot: snapshot.all(DealFact, sa.select(DealFact)))
    return {each.id: each.status for each in found}


async def owed(store: Store) -> list[str]:
    column = External.__table__.c  # type: ignore[attr-defined]
    select = sa.select(External).where(column.kind == BY_HAND).order_by(column.name)
    return [each.name for each in await store.read(lambda snapshot: snapshot.all(External, select))]


async def test_the_first_applier_of_a_version_that_keeps_more_hears_all_of_it_anew(
    store: Store, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bus.publish([*life(DEAL, opened(), won()), *life(OTHER, opened())])
    async with the_version_before(store, bus, monkeypatch, hears(to_the_end=False)):
        assert await statuses(store) == {"deal_1": "open", "deal_2": "open"}
    async with at_work(store, bus, hears(to_the_end=True)):
        assert await statuses(store) == {"deal_1": "won", "deal_2": "open"}


@pytest.mark.parametrize("reading", [1, 2])
async def test_the_same_edition_is_heard_once(store: Store, bus: Bus, reading: int) -> None:
    await bus.publish(life(DEAL, opened(), won()))
    async with at_work(store, bus, hears(to_the_end=True)):
        pass
    again = Consumer(store, bus, hears(to_the_end=True, reading=reading))
    heard: list[int] = []

    async def note() -> None:
        heard.append(1)

    again.hear_anew = note
    await again._hear_as_said()
    assert bool(heard) is (reading == 2)


async def test_an_applier_of_the_version_before_that_goes_on_is_found_out(
    store: Store, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bus.publish(life(DEAL, opened(), won()))
    async with at_work(store, bus, hears(to_the_end=True)):
        pass
    await bus.publish(life(OTHER, opened(), won()))
    async with the_version_before(store, bus, monkeypatch, hears(to_the_end=False)):
        assert await statuses(store) == {"deal_1": "won", "deal_2": "open"}
    async with at_work(store, bus, hears(to_the_end=True)):
        assert await statuses(store) == {"deal_1": "won", "deal_2": "won"}


async def test_one_that_woke_up_and_applied_beside_is_found_with_the_next_event(
    store: Store, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bus.publish(life(DEAL, opened()))
    async with at_work(store, bus, hears(to_the_end=True)) as consumer:
        async with consumer.turn:
            await bus.publish([told(DEAL, 2, won())])
            zombie = Consumer(store, bus, hears(to_the_end=False))
            with monkeypatch.context() as patched:
                patched.setattr(applying, "advance", moved_as_before)
                async for messages in bus.messages([TARGETS], {}):
                    if not messages:
                        break
                    await zombie.apply(messages)
            assert await statuses(store) == {"deal_1": "open"}
        await bus.publish([told(DEAL, 3, lost())])
        await _in_time(lambda: statuses(store), {"deal_1": "won"})


async def test_what_could_not_be_applied_before_is_applied_and_obliges_once(
    store: Store, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bus.publish([*life(DEAL, opened(), won()), *life(OTHER, opened())])
    async with the_version_before(store, bus, monkeypatch, hears(to_the_end=False, chokes=True)):
        assert len(await held(store)) == 1
    async with at_work(store, bus, obliged(hears(to_the_end=True))):
        assert await held(store) == []
        assert await statuses(store) == {"deal_1": "won", "deal_2": "open"}
        assert await owed(store) == [DEAL]
    async with at_work(store, bus, obliged(hears(to_the_end=True, reading=2))):
        assert await owed(store) == [DEAL], "what has been applied obliges to nothing when it is heard anew"


async def test_what_is_known_stays_readable_until_it_has_been_heard_anew(
    store: Store, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bus.publish([*life(DEAL, opened()), *life(OTHER, opened())])
    async with the_version_before(store, bus, monkeypatch, hears(to_the_end=False)):
        pass
    seen: list[int] = []
    rebuild = Rebuild(store, bus, hears(to_the_end=True), None)
    look = rebuild._look

    async def looked(second: Store) -> object:
        seen.append(len(await statuses(store)))
        return await look(second)

    monkeypatch.setattr(rebuild, "_look", looked)
    await rebuild.run()
    assert set(seen) == {2}


async def test_a_log_that_ends_before_what_was_applied_is_refused(store: Store, bus: Bus, tmp_path: Path) -> None:
    await bus.publish(life(DEAL, opened(), won(), lost()))
    async with at_work(store, bus, hears(to_the_end=True)):
        pass
    shorter = EmbeddedBus(tmp_path / "shorter.db")
    await shorter.start()
    try:
        await shorter.publish(life(DEAL, opened()))
        with pytest.raises(RebuildRefused, match="ends before what has been applied"):
            async with asyncio.timeout(20):
                await Rebuild(store, shorter, hears(to_the_end=True), None).run()
    finally:
        await shorter.close()
    assert await statuses(store) == {"deal_1": "won"}


def test_an_edition_stands_for_what_is_heard_and_kept() -> None:
    plain = hears(to_the_end=True)
    assert plain.edition == hears(to_the_end=True).edition == obliged(plain).edition == plain.facts_only().edition
    narrowed = Subscriptions(TARGETS, only={TARGETS: ("deal",)})
    narrowed.keep(*plain.facts.values())
    others = {hears(to_the_end=False).edition, hears(to_the_end=True, reading=2).edition, narrowed.edition}
    assert len(others | {plain.edition}) == 4


async def _in_time(read: Callable[[], object], wanted: object) -> None:
    async with asyncio.timeout(20):
        while (await read()) != wanted:  # type: ignore[misc]
            await asyncio.sleep(0.02)
