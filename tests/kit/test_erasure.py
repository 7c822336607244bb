"""After an erasure no store holds what was known of a person, whatever the log brings again and in whichever order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import permutations

import pytest
import sqlalchemy as sa

from services.metrics.facts.teams import PersonFact
from shared.bus import Record
from shared.events import Event
from shared.events.teams import MemberErased, MemberRecruited, PersonDescribed, PersonForgotten
from shared.store import Store, Tx
from shared.store.sql import Raw
from shared.store.tables import External
from tests.kit.conftest import Stores
from tests.kit.customers import job
from tests.kit.told import Log, applier, dump, feed, held, told

PERSON, MEMBER = "person/mbr_a", "member/mbr_a"


def teams_told(subject: str, version: int, event: Event) -> Record:
    return told(subject, version, event, source="/teams")


DESCRIBED = teams_told(PERSON, 1, PersonDescribed(name="Ada Berg", externals={"crm": "ada"}))
RENAMED = teams_told(PERSON, 2, PersonDescribed(name="Ada Lind", externals={"crm": "ada", "hr": "7"}))
FORGOTTEN = teams_told(PERSON, 3, PersonForgotten())
RECRUITED = teams_told(MEMBER, 1, MemberRecruited(department="sales", starts_on=date(2026, 1, 1)))
ERASED = teams_told(MEMBER, 2, MemberErased())


@pytest.fixture
async def metrics(stores: Stores) -> Store:
    return await stores.open("metrics")


async def known(store: Store) -> tuple[list[str], list[str]]:
    """The names of people, and what other systems call them."""
    names = await store.read(lambda snapshot: snapshot.rows(sa.select(PersonFact.name)))  # type: ignore[call-overload]
    externals = await store.read(lambda snapshot: snapshot.rows(sa.select(External.name)))  # type: ignore[call-overload]
    return [name for (name,) in names], [name for (name,) in externals]


async def empty(store: Store) -> None:
    """As it was before anything was told."""

    async def clear(tx: Tx) -> None:
        for table in ("person_fact", "member_fact", "external", "applied", "held_event", "erased", "position", "tally"):
            await tx.session.execute(Raw(f"DELETE FROM {table}"), [()])

    await store.write(job(clear))


@pytest.mark.parametrize("size", [1, 1000])
async def test_in_any_order_nothing_of_a_person_is_left(stores: Stores, metrics: Store, size: int) -> None:
    seen = set()
    orders = list(permutations([DESCRIBED, RENAMED, FORGOTTEN, RECRUITED, ERASED]))
    for order in orders[:: 11 if stores.on_postgres else 7]:
        await feed(applier(metrics), Log(), order, size)
        assert await known(metrics) == ([""], []), [dict(each.headers)["ce_type"] for each in order]
        assert await held(metrics) == []
        seen.add(repr(await dump(metrics)))
        await empty(metrics)
    assert len(seen) == 1


@pytest.mark.parametrize("size", [1, 1000])
async def test_a_name_sent_again_stays_away_when_the_log_has_dropped_the_tombstone(metrics: Store, size: int) -> None:
    for order in permutations([DESCRIBED, RECRUITED, ERASED]):
        await feed(applier(metrics), Log(), order, size)
        assert await known(metrics) == ([""], [])
        await empty(metrics)


async def test_what_was_parked_of_a_person_goes_with_them(metrics: Store) -> None:
    broken = replace(RENAMED, value=b'{"name": 7, "email": "ada@example.com"}')
    consumer, log = applier(metrics), Log()
    await feed(consumer, log, [DESCRIBED, RECRUITED, broken])
    assert [(subject, version) for subject, version, _ in await held(metrics)] == [(PERSON, 2)]
    await feed(consumer, log, [ERASED])
    assert await held(metrics) == []
    # Sent once more it is neither understood nor kept.
    await feed(consumer, log, [broken, told(PERSON, 9, PersonDescribed(name="Ada"), source="/teams")])
    assert await held(metrics) == []
    assert await known(metrics) == ([""], [])


async def test_others_keep_their_names(metrics: Store) -> None:
    other = teams_told("person/mbr_b", 1, PersonDescribed(name="Ben Okafor", externals={"crm": "ben"}))
    await feed(applier(metrics), Log(), [DESCRIBED, other, RECRUITED, ERASED, FORGOTTEN])
    names, externals = await known(metrics)
    assert (sorted(names), externals) == (["", "Ben Okafor"], ["ben"])
