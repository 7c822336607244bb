"""Once a member has been erased, no store keeps or takes anything personal about them, in whatever order it is told."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import pytest

from shared.bus import Record
from shared.events.teams import MemberErased, MemberRecruited, PersonDescribed, PersonForgotten
from shared.store import Store
from shared.store.tables import External
from tests.kit.conftest import Stores
from tests.kit.told import Log, applier, dump, feed, held, told

MEMBER, PERSON = "member/mbr_ada", "person/mbr_ada"
RECRUITED = told(MEMBER, 1, MemberRecruited(department="sales", starts_on=date(2026, 1, 5)))
ERASED = told(MEMBER, 2, MemberErased())
DESCRIBED = told(PERSON, 1, PersonDescribed(name="Ada Berg", externals={"hr": "77"}))
RENAMED = told(PERSON, 2, PersonDescribed(name="Ada Stone", externals={"hr": "77"}))
FORGOTTEN = told(PERSON, 3, PersonForgotten())


@pytest.fixture
async def store(stores: Stores) -> Store:
    return await stores.open("metrics")


async def known(store: Store) -> str:
    """Everything stored, and what other systems' ids lead to."""
    await store.read(lambda snapshot: snapshot.rows(External.__table__.select()))  # type: ignore[attr-defined]
    return str(await dump(store))


@pytest.mark.parametrize("size", [1, 1000])
async def test_nothing_personal_survives_an_erasure_whatever_came_before(store: Store, size: int) -> None:
    await feed(applier(store), Log(), [RECRUITED, DESCRIBED, RENAMED, ERASED], size)
    found = await known(store)
    assert "mbr_ada" in found
    assert "Ada" not in found
    assert "'77'" not in found


@pytest.mark.parametrize("late", [[DESCRIBED], [RENAMED], [FORGOTTEN, DESCRIBED], [DESCRIBED, RENAMED]])
async def test_a_name_that_comes_after_the_erasure_is_not_taken(store: Store, late: list[Record]) -> None:
    log, consumer = Log(), applier(store)
    await feed(consumer, log, [RECRUITED, ERASED])
    await feed(consumer, log, late, size=1)
    found = await known(store)
    assert "Ada" not in found
    assert "'77'" not in found
    assert await held(store) == []


async def test_in_every_order_the_same_is_left(stores: Stores, store: Store) -> None:
    if stores.on_postgres:
        pytest.skip("one engine is enough for all 24 orders")
    records = [RECRUITED, ERASED, RENAMED, FORGOTTEN]
    left = set()
    for number, order in enumerate(permutations(records)):
        # Each order speaks of another member, so that one database serves them all.
        renamed = [_of(record, f"mbr_{number:02d}") for record in order]
        await feed(applier(store), Log(), [])
        await feed(applier(store), _log(number), renamed, size=1)
    for rows in (await dump(store)).values():
        assert "Ada" not in str(rows)
    for row in (await dump(store))["applied"]:
        if "person/" in row:
            left.add(row.split(",")[3])
    assert left == {" 2147483647"}


def _of(record: Record, member: str) -> Record:
    headers = tuple((name, value.replace("mbr_ada", member) if name == "ce_subject" else value)
                    for name, value in record.headers)  # fmt: skip
    return Record(record.topic, record.key.replace("mbr_ada", member), record.value, headers)


_shared = Log()


def _log(number: int) -> Log:
    return _shared if number else _shared
