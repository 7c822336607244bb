"""The applier, on both stores: each event once, in the order of its subject, whatever the log does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any

import pytest

from services.metrics.app import subscriptions
from shared import consumer as applying
from shared import lease, progress, rounds
from shared.bus import LogBroken, Message, Position, Record
from shared.consumer import Consumer, StoppedForSafety, Subscriptions
from shared.errors import NotFound, OutcomeUnknown
from shared.events import PEOPLE
from shared.events.targets import CustomerMet, DealWon
from shared.events.teams import PersonDescribed
from shared.store import Snapshot, Store
from shared.store.tables import External, SourceProgress
from tests.kit.conftest import Stores, until
from tests.kit.told import (
    Log,
    applied,
    applier,
    dump,
    feed,
    held,
    life,
    lost,
    moved,
    opened,
    reopened,
    sums,
    told,
    won,
)

DEAL = "deal/deal_1"
OTHER = "deal/deal_2"


@pytest.fixture
async def store(stores: Stores) -> Store:
    return await stores.open("metrics")


@pytest.fixture
def consumer(store: Store) -> Consumer:
    return applier(store)


async def test_events_become_facts_and_sums(store: Store, consumer: Consumer) -> None:
    await feed(consumer, Log(), [*life(DEAL, opened(), won()), *life(OTHER, opened(), lost())])
    assert await sums(store) == (1, 12000)
    assert await sums(store, "lost") == (1, 10000)
    assert await held(store) == []


async def test_a_correction_takes_back_what_it_corrects(store: Store, consumer: Consumer) -> None:
    await feed(consumer, Log(), life(DEAL, opened(), won(), reopened(), won(amount="99.00")))
    assert await sums(store) == (1, 9900)


async def test_nothing_remains_of_a_cell_that_nothing_adds_to(store: Store, consumer: Consumer) -> None:
    await feed(consumer, Log(), life(DEAL, opened(), won(), reopened()), size=1)
    assert await sums(store, "opened") == (1, 0)
    assert not [row for row in (await dump(store))["tally"] if "'won'" in row]


async def test_duplicates_and_late_prefixes_change_nothing(store: Store, consumer: Consumer) -> None:
    records = life(DEAL, *(opened(), *(moved(f"stage-{number}") for number in range(5)), won()))
    log = Log()
    await feed(consumer, log, records[:5])
    # 6 7 5 6 7: what a producer that was given up sends after the one that took its place.
    await feed(consumer, log, [records[5], records[6], records[4], records[5], records[6]], size=2)
    assert await applied(store, DEAL) == 7
    assert await sums(store) == (1, 12000)
    assert await held(store) == []


async def test_what_comes_too_early_waits_and_is_drained_by_its_predecessor(store: Store, consumer: Consumer) -> None:
    first, second, third, fourth = life(DEAL, opened(), moved("b"), moved("c"), won())
    log = Log()
    await feed(consumer, log, [fourth, third], size=1)
    assert await held(store) == [(DEAL, 3, None), (DEAL, 4, None)]
    await feed(consumer, log, [first])
    assert await applied(store, DEAL) == 1
    await feed(consumer, log, [second])
    assert (await applied(store, DEAL), await held(store)) == (4, [])
    assert await sums(store) == (1, 12000)


async def test_what_waits_holds_up_no_other_subject(store: Store, consumer: Consumer) -> None:
    await feed(consumer, Log(), [told(DEAL, 2, won()), *life(OTHER, opened(), won())])
    assert (await applied(store, DEAL), await applied(store, OTHER)) == (0, 2)
    assert await sums(store) == (1, 12000)


async def test_another_event_under_an_applied_version_is_a_fork_and_is_parked(store: Store, consumer: Consumer) -> None:
    log = Log()
    await feed(consumer, log, life(DEAL, opened(), moved("b"), won()))
    await feed(consumer, log, [told(DEAL, 2, lost(), again="forked"), told(DEAL, 4, reopened())])
    assert [(subject, version) for subject, version, reason in await held(store) if reason] == [(DEAL, 2)]
    assert await applied(store, DEAL) == 3
    assert await sums(store) == (1, 12000)
    await consumer.discard(DEAL)
    assert (await applied(store, DEAL), await held(store)) == (4, [])


def poison(subject: str, version: int) -> Record:
    record = told(subject, version, won())
    return Record(record.topic, record.key, b'{"on": "yesterday"}', record.headers)


async def test_poison_is_parked_with_its_reason_and_holds_up_only_its_subject(store: Store, consumer: Consumer) -> None:
    await feed(
        consumer,
        Log(),
        [*life(DEAL, opened()), poison(DEAL, 2), told(DEAL, 3, reopened()), *life(OTHER, opened(), won())],
    )
    (_, version, reason), (_, waiting, none) = await held(store)
    assert (version, waiting, none) == (2, 3, None)
    assert reason is not None
    assert reason.startswith("it is not as it is declared (/on: ")
    assert "pydantic" not in reason
    assert (await applied(store, DEAL), await applied(store, OTHER)) == (1, 2)


async def test_what_was_given_up_and_comes_again_is_given_up_once(store: Store, consumer: Consumer) -> None:
    log, fork = Log(), told(DEAL, 1, opened(), again="!")
    await feed(consumer, log, [*life(DEAL, opened(), won()), fork])
    await consumer.discard(DEAL)
    await feed(consumer, log, [fork, told(DEAL, 3, reopened()), fork])
    assert (await applied(store, DEAL), await held(store)) == (3, [])
    row = await store.read(lambda snapshot: snapshot.find(SourceProgress, "targets"))
    assert row is not None
    assert (row.applied, row.seen, row.skipped) == (3, 2, 1)


async def test_poison_that_is_tried_again_in_vain_stays_parked(store: Store, consumer: Consumer) -> None:
    await feed(consumer, Log(), [*life(DEAL, opened()), poison(DEAL, 2), told(DEAL, 3, reopened())])
    before = await held(store)
    for _ in range(2):
        await consumer.replay(DEAL)
        assert await held(store) == before
    await consumer.discard(DEAL)
    assert (await applied(store, DEAL), await held(store)) == (3, [])


async def test_poison_that_can_be_read_after_all_is_applied_with_those_behind_it(
    store: Store, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(deal: Any, event: Any) -> None:
        raise ValueError("a fault of ours, mended later")

    with monkeypatch.context() as patched:
        patched.setitem(subscriptions.facts["deal"]._folds, DealWon, refuse)
        await feed(consumer, Log(), life(DEAL, opened(), won(), reopened(), won(amount="7.00")))
        assert len(await held(store)) == 3
        await consumer.replay(DEAL)
        assert len(await held(store)) == 3
    await consumer.replay(DEAL)
    assert (await applied(store, DEAL), await held(store)) == (4, [])
    assert await sums(store) == (1, 700)


async def test_what_nobody_holds_cannot_be_tried_again_or_given_up(store: Store, consumer: Consumer) -> None:
    await feed(consumer, Log(), life(DEAL, opened()))
    for subject in (DEAL, "deal/nobody", "nonsense"):
        with pytest.raises(NotFound):
            await consumer.replay(subject)
        with pytest.raises(NotFound):
            await consumer.discard(subject)


async def test_what_no_database_can_hold_is_found_in_its_batch_and_parked(
    store: Store, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    win = subscriptions.facts["deal"]._folds[DealWon]

    def overflow(deal: Any, event: DealWon) -> None:
        win(deal, event)
        deal.total = 2**70 if event.value.minor == 66600 else deal.total

    monkeypatch.setitem(subscriptions.facts["deal"]._folds, DealWon, overflow)
    log = Log()
    records = [*life(DEAL, opened()), told(DEAL, 2, won(amount="666.00")), *life(OTHER, opened(), won())]
    await feed(consumer, log, [*life("deal/deal_0", opened(), won()), *records])
    assert [(subject, version) for subject, version, reason in await held(store) if reason] == [(DEAL, 2)]
    assert await sums(store) == (2, 24000)
    await feed(consumer, log, life("deal/deal_3", opened(), won()))
    assert await sums(store) == (3, 36000)


@pytest.mark.parametrize(
    "broken",
    [
        {"sequence": "x"},
        {"sequence": "0"},
        {"sequence": "9" * 5000},
        {"sequence": "-1"},
        {"id": ""},
        {"type": "concert.targets.nobody-knows.v9"},
        {"type": "\0"},
    ],
    ids=str,
)
async def test_a_record_with_broken_postage_is_parked(store: Store, consumer: Consumer, broken: dict[str, str]) -> None:
    await feed(consumer, Log(), [told(DEAL, 1, opened(), **broken), *life(OTHER, opened(), won())])
    ((subject, _, reason),) = await held(store)
    assert subject == DEAL
    assert reason
    assert await sums(store) == (1, 12000)


async def test_an_event_nobody_here_asked_for_is_counted_and_passed_over(store: Store, consumer: Consumer) -> None:
    unknown = told("riddle/r_1", 1, opened(), type="concert.targets.riddle-posed.v1")
    await feed(consumer, Log(), [unknown])
    assert (await applied(store, "riddle/r_1"), await held(store)) == (1, [])


async def test_too_much_poison_at_once_stops_the_applier(
    store: Store, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "MAX_PARKS_A_MINUTE", 3)
    with pytest.raises(StoppedForSafety):
        await feed(consumer, Log(), [poison(f"deal/deal_{number}", 1) for number in range(5)])
    assert await held(store) == []


async def test_two_appliers_of_the_same_records_apply_them_once(stores: Stores) -> None:
    replicas = [await stores.open("metrics") for _ in range(2 if stores.on_postgres else 1)]
    appliers = [applier(replicas[number % len(replicas)]) for number in range(2)]
    log = Log()
    for number in range(10):
        messages = log.messages(*life(f"deal/deal_{number}", opened(), won()))
        await asyncio.gather(*(each.apply(messages) for each in appliers))
    assert await sums(replicas[0]) == (10, 120000)


async def test_an_applier_that_is_behind_applies_nothing_twice(stores: Stores) -> None:
    """A zombie: it was given a batch, slept, and wakes up when another one has long gone on."""
    replicas = [await stores.open("metrics") for _ in range(2 if stores.on_postgres else 1)]
    zombie, successor = applier(replicas[0]), applier(replicas[-1])
    log = Log()
    old = log.messages(*life(DEAL, opened(), won()))
    await successor.apply(old)
    await successor.apply(log.messages(told(DEAL, 3, reopened())))
    await zombie.apply(old)
    assert await sums(replicas[0]) == (0, 0)
    assert await applied(replicas[0], DEAL) == 3
    assert await seen(replicas[0]) == 0


async def seen(store: Store) -> int:
    """How many events were met again after they had been applied."""
    row = await store.read(lambda snapshot: snapshot.find(SourceProgress, "targets"))
    assert row is not None
    return row.seen


async def test_a_batch_that_was_not_committed_is_applied_whole_later(
    store: Store, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:

    log = Log()
    messages = log.messages(*life(DEAL, opened(), won()))
    failures = [OutcomeUnknown("the database went away"), OutcomeUnknown("and again")]
    count = progress.count_progress

    async def fails_at_first(*arguments: Any) -> None:
        await count(*arguments)
        if failures:
            raise failures.pop()

    monkeypatch.setattr(rounds, "count_progress", fails_at_first)
    await consumer.apply(messages)
    assert not failures
    assert await sums(store) == (1, 12000)


def person(version: int, name: str, **externals: str) -> Record:
    described = PersonDescribed(name=name, email=f"{name}@example.org", externals=externals)
    return told("person/mbr_1", version, described, source="/teams")


def erased(version: int) -> Record:
    record = person(version, "nobody")
    return Record(PEOPLE, record.key, None, record.headers)


async def test_of_a_person_the_highest_version_counts_whatever_comes_later(store: Store, consumer: Consumer) -> None:
    log = Log()
    await feed(consumer, log, [person(2, "Ada", hr="7"), person(1, "Nobody", hr="1")], size=1)
    assert "Ada" in str(await dump(store))
    await feed(consumer, log, [person(6, "Lovelace", hr="8"), person(5, "Ada", hr="7")], size=1)
    assert "Lovelace" in str(await dump(store))
    assert await held(store) == []
    assert await store.read(lambda snapshot: snapshot.resolve("member", "ext:hr:8")) == "mbr_1"
    assert await store.read(lambda snapshot: snapshot.resolve("member", "ext:hr:7")) is None


async def test_an_erased_person_is_forgotten_and_stays_so(store: Store, consumer: Consumer) -> None:
    log = Log()
    await feed(consumer, log, [person(1, "Ada", hr="7"), erased(3), person(2, "Ada", hr="7")], size=1)
    assert "Ada" not in str(await dump(store))
    assert await store.read(lambda snapshot: snapshot.resolve("member", "ext:hr:7")) is None


async def test_what_is_parked_of_a_person_goes_with_the_next_version(store: Store, consumer: Consumer) -> None:
    log = Log()
    record = person(1, "Ada")
    await feed(consumer, log, [Record(PEOPLE, record.key, b'{"name": 7, "secret": 1}', record.headers)])
    assert len(await held(store)) == 1
    await feed(consumer, log, [erased(2)])
    assert await held(store) == []


async def test_a_name_that_passed_to_another_thing_stays_with_it(store: Store, consumer: Consumer) -> None:
    log = Log()
    first = told("person/mbr_1", 1, PersonDescribed(name="Ada", email=None, externals={"hr": "7"}))
    other = told("person/mbr_2", 1, PersonDescribed(name="Bob", email=None, externals={"hr": "7"}))
    await feed(consumer, log, [first, other, erased(2)], size=1)
    assert await store.read(lambda snapshot: snapshot.resolve("member", "ext:hr:7")) == "mbr_2"


class Replayed:
    """A log that is there from the beginning, and can be another one the next time."""

    healthy = None

    def __init__(self, messages: Sequence[Message]) -> None:
        self.all = list(messages)
        self.changed = asyncio.Event()

    async def start(self) -> None:
        """Nothing has to be reached."""

    async def close(self) -> None:
        """Nothing has to be let go of."""

    async def publish(self, records: Sequence[Record]) -> None:
        """Nothing comes in here."""

    async def messages(self, topics: Sequence[str], start: Mapping[Position, int]) -> AsyncIterator[Sequence[Message]]:
        """Everything from the offsets on, then an empty batch, then silence."""
        found = [
            each for each in self.all
            if each.record.topic in topics and each.offset >= start.get((each.record.topic, each.partition), 0)
        ]  # fmt: skip
        if found:
            yield found
        yield []
        await asyncio.Event().wait()


async def follow(store: Store, messages: Sequence[Message], topics: Subscriptions = subscriptions) -> Consumer:
    """An applier that has read a log to its end, and was stopped."""
    consumer = Consumer(store, Replayed(messages), topics)
    running = asyncio.create_task(consumer.run())
    await until(lambda: consumer.caught_up or running.done())
    if running.done():
        running.result()
    running.cancel()
    await asyncio.wait([running])
    return consumer


async def test_an_applier_goes_on_where_the_database_stands(store: Store) -> None:
    log = Log()
    messages = log.messages(*life(DEAL, opened(), won()))
    await follow(store, messages)
    await follow(store, messages)
    assert await sums(store) == (1, 12000)
    messages += log.messages(told(DEAL, 3, reopened()))
    await follow(store, messages)
    assert await applied(store, DEAL) == 3


@pytest.mark.parametrize("other", ["shorter", "empty", "other records"])
async def test_a_log_that_is_not_the_one_that_was_read_is_refused(store: Store, other: str) -> None:
    await follow(store, Log().messages(*life(DEAL, opened(), moved("b"), won())))
    before = await dump(store)
    logs = {
        "shorter": Log().messages(*life(DEAL, opened())),
        "empty": [],
        "other records": Log().messages(*(told(DEAL, number, opened(), again="new log") for number in range(1, 9))),
    }
    with pytest.raises(LogBroken, match=r"was applied here, but"):
        await follow(store, logs[other])
    assert await dump(store) == before


async def test_compaction_of_the_last_record_read_is_no_other_log(store: Store) -> None:
    log = Log()
    first = log.messages(person(1, "Ada"))
    await follow(store, first)
    await follow(store, log.messages(person(2, "Lovelace")))
    assert "Lovelace" in str(await dump(store))


async def test_of_two_appliers_one_applies_and_the_other_takes_over(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "RENEW_AFTER", 0.2)
    monkeypatch.setattr(applying, "RENEW_AFTER", 0.2)
    replicas = [await stores.open("metrics") for _ in range(2 if stores.on_postgres else 1)]
    messages = Log().messages(*life(DEAL, opened(), won()))
    consumers = [Consumer(replicas[number % len(replicas)], Replayed(messages), subscriptions) for number in range(2)]
    tasks = [asyncio.create_task(each.run()) for each in consumers]
    await until(lambda: any(each.caught_up for each in consumers))
    await asyncio.sleep(0.3)
    assert [each.caught_up for each in consumers].count(True) == 1
    leader = [each.caught_up for each in consumers].index(True)
    tasks[leader].cancel()
    await until(lambda: consumers[1 - leader].caught_up)
    tasks[1 - leader].cancel()
    await asyncio.wait(tasks)
    assert await sums(replicas[0]) == (1, 12000)


async def greeting_of(name: str, snapshot: Snapshot) -> str | None:
    return await snapshot.resolve("greeted", f"ext:test:{name}")


async def test_a_reaction_runs_in_the_transaction_that_applies_its_cause(stores: Stores) -> None:
    store = await stores.open("metrics")
    wishes = Subscriptions("concert.targets")

    @wishes.on(CustomerMet)
    async def name_it(tx: Any, event: CustomerMet, envelope: Any) -> None:
        tx.put(External.make(kind="greeted", source="test", name=event.name, id=envelope.id))
        if event.name == "trouble":
            raise ValueError("this one cannot be greeted")

    consumer = Consumer(store, None, wishes)  # type: ignore[arg-type]
    names = ["Acme", "trouble", "Zoo"]
    records = [told(f"customer/cust_{name}", 1, CustomerMet(name=name)) for name in names]
    await feed(consumer, Log(), records)
    greeted = [await store.read(partial(greeting_of, name)) for name in names]
    assert [bool(each) for each in greeted] == [True, False, True]
    assert [(subject, reason is not None) for subject, _, reason in await held(store)] == [
        ("customer/cust_trouble", True)
    ]


async def test_many_that_wait_are_drained_in_order_whatever_order_they_came_in(
    store: Store, consumer: Consumer
) -> None:
    records = life(DEAL, opened(), *(moved(f"stage-{number}") for number in range(6)), won())
    await feed(consumer, Log(), [*records[:0:-1], records[0]])
    assert (await applied(store, DEAL), await held(store)) == (8, [])
    assert await sums(store) == (1, 12000)
