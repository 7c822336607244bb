"""Events of old versions stay on the log as they were told, and are read as their latest version: live, from what was
parked, and in a rebuild, with the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import permutations
from pathlib import Path

import pytest

from services.metrics.facts.deal_cells import contributions
from services.metrics.facts.deals import DealFact
from services.metrics.sums import Tally
from shared import events
from shared.bus.embedded import EmbeddedBus
from shared.consumer import Consumer, Subscriptions
from shared.events import Envelope, Event, event, lifts, read_as
from shared.facts import Facts
from shared.http.asyncapi import asyncapi_of
from shared.postage import envelope_of
from shared.rebuild import Rebuild
from shared.settings import Settings
from shared.store import Store, Tx
from tests.contracts.published import event_document
from tests.kit.conftest import Stores
from tests.kit.told import TARGETS, Log, applied, dump, feed, held, life, told

DEAL = "deal/deal_1"
OTHER = "deal/deal_2"


@event("concert.test.lead-found.v1", TARGETS)
class LeadFoundV1(Event):
    """A lead was found by somebody, whose name was one text."""

    by: str
    on: date


@event("concert.test.lead-found.v2", TARGETS)
class LeadFoundV2(Event):
    """A lead was found by somebody of a team."""

    owner: str
    team: str | None
    on: date


@event("concert.test.lead-found.v3", TARGETS)
class LeadFound(Event):
    """A lead was found; the stage it was found in counts."""

    owner: str
    on: date
    stage: str
    team: str | None = None


@lifts(LeadFoundV1, LeadFoundV2)
def split_who_found(old: LeadFoundV1) -> LeadFoundV2:
    team, _, owner = old.by.rpartition(":")
    return LeadFoundV2(owner=owner, team=team or None, on=old.on)


@lifts(LeadFoundV2, LeadFound)
def name_the_stage(old: LeadFoundV2) -> LeadFound:
    return LeadFound(owner=old.owner, team=old.team, on=old.on, stage="prospecting")


leads = Facts(DealFact, sums=Tally, cells=contributions)
subscriptions = Subscriptions(TARGETS)
subscriptions.keep(leads)


@leads.on(LeadFound)
def find_lead(lead: DealFact, found: LeadFound) -> None:
    if found.stage == "none":
        raise ValueError("a lead has a stage")
    lead.owner, lead.team, lead.opened_on = found.owner, found.team, found.on
    lead.stages = [*lead.stages, [found.stage, found.on.isoformat()]]


FIRST = LeadFoundV1(by="team_a:mbr_a", on=date(2026, 1, 1))
SECOND = LeadFoundV2(owner="mbr_b", team=None, on=date(2026, 1, 2))
THIRD = LeadFound(owner="mbr_c", team="team_c", on=date(2026, 1, 3), stage="qualified")


@pytest.fixture
async def store(stores: Stores) -> Store:
    return await stores.open("metrics")


def envelope(told_event: Event) -> Envelope:
    return envelope_of(told(DEAL, 1, told_event))


def test_an_event_is_read_as_its_latest_version() -> None:
    assert envelope(FIRST).open() == LeadFound(
        owner="mbr_a", team="team_a", on=date(2026, 1, 1), stage="prospecting"
    )  # fmt: skip
    assert envelope(SECOND).open() == LeadFound(owner="mbr_b", team=None, on=date(2026, 1, 2), stage="prospecting")
    assert envelope(THIRD).open() == THIRD
    assert {read_as(each.type) for each in (LeadFoundV1, LeadFoundV2, LeadFound)} == {LeadFound}
    assert read_as("concert.test.unheard-of.v1") is None


def test_what_travels_stays_what_was_told() -> None:
    assert envelope(FIRST).type == "concert.test.lead-found.v1"
    assert envelope(FIRST).data == b'{"by":"team_a:mbr_a","on":"2026-01-01"}'


async def test_facts_are_as_if_all_had_been_told_in_the_latest_version(store: Store) -> None:
    records = life(DEAL, FIRST, SECOND, THIRD)
    await feed(Consumer(store, None, subscriptions), Log(), records)  # type: ignore[arg-type]
    told_lately = DealFact.make(id="deal_1")
    latest = LeadFound(owner="mbr_a", team="team_a", on=date(2026, 1, 1), stage="prospecting")
    for each in (latest, LeadFound(owner="mbr_b", on=date(2026, 1, 2), stage="prospecting"), THIRD):
        leads.fold(told_lately, each)
    found = await store.read(lambda snapshot: snapshot.recall(DealFact, "deal_1"))
    assert found is not None
    assert (found.owner, found.team, found.opened_on) == ("mbr_c", "team_c", date(2026, 1, 3))
    assert found.stages == told_lately.stages
    assert await held(store) == []


async def test_live_reading_and_a_rebuild_give_the_same_bytes(store: Store, tmp_path: Path) -> None:
    bus = EmbeddedBus(tmp_path / "lifted.db")
    await bus.start()
    try:
        await bus.publish([*life(DEAL, FIRST, SECOND, THIRD), *life(OTHER, THIRD, FIRST)])
        live = Consumer(store, bus, subscriptions)
        async for messages in bus.messages(subscriptions.topics, {}):
            if not messages:
                break
            await live.apply(messages)
        before = await dump(store)
        assert (await Rebuild(store, bus, subscriptions, live).run()).differences == {}
        assert await dump(store) == before
    finally:
        await bus.close()


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_versions_of_events_may_come_in_any_order(store: Store, order: tuple[int, ...]) -> None:
    records = life(DEAL, FIRST, SECOND, THIRD)
    consumer, log = Consumer(store, None, subscriptions), Log()  # type: ignore[arg-type]
    for number in order:
        await feed(consumer, log, [records[number], records[number]])
    assert await applied(store, DEAL) == 3
    found = await dump(store)
    assert "[['prospecting', '2026-01-01'], ['prospecting', '2026-01-02'], ['qualified', '2026-01-03']]" in str(found)


async def test_a_reaction_to_the_latest_version_hears_of_old_ones(store: Store) -> None:
    heard: list[Event] = []
    reacting = Subscriptions(TARGETS)

    @reacting.on(LeadFound)
    async def hear(tx: Tx, found: LeadFound, head: Envelope) -> None:
        heard.append(found)

    consumer = Consumer(store, None, reacting)  # type: ignore[arg-type]
    await feed(consumer, Log(), life(DEAL, FIRST, THIRD))
    assert heard == [envelope(FIRST).open(), THIRD]


async def test_an_event_that_cannot_be_lifted_is_parked_and_can_be_tried_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(old: LeadFoundV2) -> LeadFound:
        raise KeyError("stage")

    consumer = Consumer(store, None, subscriptions)  # type: ignore[arg-type]
    with monkeypatch.context() as patched:
        patched.setitem(events._lifts, LeadFoundV2, (LeadFound, broken))
        await feed(consumer, Log(), life(DEAL, FIRST, THIRD))
    assert await held(store) == [(DEAL, 1, "KeyError: 'stage'"), (DEAL, 2, None)]
    await consumer.replay(DEAL)
    assert (await held(store), await applied(store, DEAL)) == ([], 2)


@pytest.fixture
def _as_before() -> Iterator[None]:
    known, lifted = dict(events.REGISTRY), dict(events._lifts)
    yield
    for registry, before in ((events.REGISTRY, known), (events._lifts, lifted)):
        registry.clear()
        registry.update(before)  # type: ignore[arg-type]


@pytest.mark.usefixtures("_as_before")
def test_only_the_next_version_of_the_same_event_on_the_same_topic_is_read_as_it() -> None:
    @event("concert.test.lead-found.v4", "concert.teams")
    class Elsewhere(Event):
        """It is told elsewhere."""

    for old, new in ((LeadFoundV1, LeadFound), (LeadFound, LeadFoundV2), (LeadFound, Elsewhere)):
        with pytest.raises(ValueError, match="not its next version"):
            lifts(old, new)(lambda found: found)
    with pytest.raises(ValueError, match="is lifted twice"):
        lifts(LeadFoundV1, LeadFoundV2)(split_who_found)


def test_the_contract_of_an_old_version_says_as_what_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert event_document(LeadFoundV1)["x-read-as"] == LeadFound.type
    assert "x-read-as" not in event_document(LeadFound)
    assert event_document(LeadFoundV1)["required"] == ["by", "on"]
    declared = {each.type: each for each in (LeadFoundV1, LeadFoundV2, LeadFound)}
    monkeypatch.setattr("shared.http.asyncapi.declared_events", lambda: declared)
    said = asyncapi_of(Settings(bus="embedded"))
    assert set(said["channels"][TARGETS]["messages"]) == set(declared)
    reading = {name: message.get("x-read-as") for name, message in said["components"]["messages"].items()}
    assert reading == {LeadFoundV1.type: LeadFound.type, LeadFoundV2.type: LeadFound.type, LeadFound.type: None}


def test_an_old_event_that_is_not_as_it_was_declared_is_refused_as_ever() -> None:
    with pytest.raises(ValueError, match="by"):
        replace(envelope(FIRST), data=b'{"on": "2026-01-01"}').open()
