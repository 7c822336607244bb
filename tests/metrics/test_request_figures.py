"""The figures about requests are what one would count by hand, in any order of events, and open to the right rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, strategies

from services.metrics.app import service
from services.metrics.views.frame import Reading
from services.metrics.views.question import Question
from services.metrics.views.request_figures import REQUEST_FIGURES
from services.metrics.views.rows import SOURCES, rows_of
from shared.bus import Record
from shared.events import Event
from shared.events.requests import RequestChanged, RequestMade, RequestPromised, RequestReopened, RequestResolved
from shared.identity.permissions import Principal
from shared.instant import now
from shared.period import Period
from shared.store import Context, Job, Snapshot, Store, Tx, open_store
from shared.store.sql import Statement
from tests import world as worlds
from tests.kit.told import Log, applier, feed, life

HOUR = 3600
Life = list[Event]


@pytest.fixture(params=["sqlite", "postgresql"])
async def views(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store of metrics, on each engine."""
    if request.param == "sqlite":
        store = open_store(worlds.empty_files(tmp_path), "metrics")
        await store.start()
        yield store
        await store.close()
        return
    async with worlds.empty_databases(request.getfixturevalue("postgres_server")) as url:
        store = open_store(url, "metrics")
        await store.start()
        yield store
        await store.close()


def day(number: int, month: int = 7) -> date:
    return date(2026, month, number)


def made(on: date, kind: str = "it_support", asker: str = "sales", asked: str = "it") -> RequestMade:
    return RequestMade(kind=kind, on=on, from_department=asker, to_department=asked)


def resolved(on: date, hours: int = 1, on_time: bool | None = None) -> RequestResolved:
    return RequestResolved(on=on, seconds=hours * HOUR, on_time=on_time)


async def tell(store: Store, *lives: Life) -> None:
    """Let the views learn of some requests."""
    records = [record for number, events in enumerate(lives) for record in life(f"request/req_{number}", *events)]
    await feed(applier(store), Log(), records)


async def figures(store: Store, period: str = "2026-07", **filters: str) -> Any:
    """The figures of a period."""

    async def query(snapshot: Snapshot) -> dict[str, Any]:
        reading = Reading(snapshot, Question(Period.parse(period), date(2027, 1, 1), filters))
        return {figure.key: await figure.compute(reading) for figure in REQUEST_FIGURES}

    return await store.read(query)


async def rows(store: Store, figure: str, period: str = "2026-07", **filters: str) -> list[str]:
    """The ids of the rows that a figure is made of."""
    source = SOURCES[next(each.rows or "" for each in REQUEST_FIGURES if each.key == figure)]

    async def query(snapshot: Snapshot) -> list[str]:
        reading = Reading(snapshot, Question(Period.parse(period), date(2027, 1, 1), filters))
        found, _ = await rows_of(source, reading, "", 200, Principal("tester"))
        return [row["ref"] for row in found]

    return await store.read(query)


async def test_without_requests_counts_are_zero_and_what_is_divided_by_nothing_is_not_known(views: Store) -> None:
    assert await figures(views) == {
        "requests_opened": 0, "requests_open": 0, "requests_resolved": 0, "resolved_on_time": None, "reopened": 0,
        "time_to_resolve": None, "requests_from_sales": 0, "on_time_by_pair": {},
    }  # fmt: skip


async def test_a_rate_shows_what_it_divides_and_hours_are_a_mean(views: Store) -> None:
    await tell(
        views,
        [made(day(1)), resolved(day(2), 24, True)],
        [made(day(1), asker="hr"), resolved(day(3), 50, False)],
        [made(day(5)), resolved(day(5), 1, None)],
        [made(day(6)), RequestPromised(on=day(6), by=day(9))],
    )
    assert await figures(views) == {
        "requests_opened": 4, "requests_open": 1, "requests_resolved": 3, "reopened": 0, "time_to_resolve": "25.00",
        "resolved_on_time": {"rate": "0.500000", "numerator": 1, "denominator": 2}, "requests_from_sales": 3,
        "on_time_by_pair": {
            "hr>it": {"rate": "0.000000", "numerator": 0, "denominator": 1},
            "sales>it": {"rate": "1.000000", "numerator": 1, "denominator": 1},
        },
    }  # fmt: skip


async def test_a_past_month_stays_as_it_was_when_its_request_comes_back(views: Store) -> None:
    request: Life = [made(day(1)), resolved(day(3), 48, True)]
    await tell(views, request)
    before = await figures(views)
    again = [*request, RequestReopened(on=day(10, 8)), resolved(day(2, 9), 500, False)]
    await feed(applier(views), Log(), life("request/req_0", *again))
    assert await figures(views) == before
    august, september = await figures(views, "2026-08"), await figures(views, "2026-09")
    assert (august["reopened"], august["requests_open"], august["requests_resolved"]) == (1, 1, 0)
    assert (september["requests_open"], september["requests_resolved"]) == (0, 1)
    assert september["resolved_on_time"] == {"rate": "0.000000", "numerator": 0, "denominator": 1}


async def test_figures_open_to_the_requests_to_which_it_happened_in_the_period(views: Store) -> None:
    back: Life = [made(day(1)), resolved(day(3), 48, True), RequestReopened(on=day(10, 8))]
    await tell(views, back, [made(day(2)), resolved(day(20, 8))], [made(day(4)), resolved(day(5))])
    assert await rows(views, "reopened", "2026-08") == ["req_0"]
    assert await rows(views, "requests_resolved", "2026-08") == ["req_1"]
    assert await rows(views, "requests_resolved") == ["req_0", "req_2"]
    assert await rows(views, "resolved_on_time") == ["req_0"]
    assert await rows(views, "requests_open") == ["req_1"]
    assert await rows(views, "requests_open", "2026-08") == ["req_0"]


async def test_a_request_that_is_passed_on_counts_where_it_is(views: Store) -> None:
    passed_on = RequestChanged(kind="equipment", on=day(1), from_department="sales", to_department="hr")
    await tell(views, [made(day(1)), passed_on])
    assert (await figures(views, department="it"))["requests_opened"] == 0
    assert (await figures(views, department="hr"))["requests_opened"] == 1
    assert (await figures(views, kind="equipment"))["requests_opened"] == 1
    assert (await figures(views))["requests_from_sales"] == 0


async def test_a_filter_that_requests_are_not_known_by_gives_no_figure_and_says_why(views: Store) -> None:
    async def query(snapshot: Snapshot) -> tuple[Any, str]:
        reading = Reading(snapshot, Question(Period.parse("2026"), day(1), {"customer": "cust_1"}))
        return await REQUEST_FIGURES[0].compute(reading), reading.notes["requests_opened"]

    await tell(views, [made(day(1))])
    assert await views.read(query) == (None, "it is not known by customer")


@strategies.composite
def lives(draw: Any) -> Life:
    """A request from its asking through a few resolutions and reopenings."""
    on = date(2026, 6, 1) + timedelta(days=draw(strategies.integers(0, 75)))
    kind, asked = draw(strategies.sampled_from(["it_support", "pricing"])), draw(strategies.sampled_from(["it", "hr"]))
    events: Life = [made(on, kind, draw(strategies.sampled_from(["sales", "hr"])), asked)]
    for turn in range(draw(strategies.integers(0, 5))):
        on += timedelta(days=draw(strategies.sampled_from([0, 1, 9, 31])))
        on_time = draw(strategies.sampled_from([None, True, False]))
        events.append(RequestReopened(on=on) if turn % 2 else resolved(on, draw(strategies.integers(0, 99)), on_time))
    return events


def by_hand(told: list[Life], start: date, end: date, **filters: str) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The figures and their rows, counted one by one."""
    rows: dict[str, list[str]] = {figure.key: [] for figure in REQUEST_FIGURES if figure.key != "requests_from_sales"}
    seen: list[RequestResolved] = []
    counts = dict.fromkeys(("requests_opened", "requests_open", "requests_resolved", "reopened"), 0)
    for number, (first, *events) in enumerate(told):
        assert isinstance(first, RequestMade)
        if filters.get("kind") not in (None, first.kind) or filters.get("department") not in (
            None, first.to_department,
        ):  # fmt: skip
            continue
        closings = [event for event in events if isinstance(event, RequestResolved)]
        again = [event.on for event in events if isinstance(event, RequestReopened)]
        inside = [each for each in closings if start <= each.on < end]
        seen += inside
        what = {
            "requests_opened": int(start <= first.on < end),
            "requests_resolved": len(inside),
            "reopened": sum(start <= on < end for on in again),
            "requests_open": sum(on < end for on in (first.on, *again)) - sum(each.on < end for each in closings),
        }
        judged = sum(each.on_time is not None for each in inside)
        happened = what | {"time_to_resolve": len(inside), "resolved_on_time": judged, "on_time_by_pair": judged}
        for key, count in happened.items():
            rows[key] += [f"req_{number}"] if count else []
        counts = {key: counts[key] + what[key] for key in counts}
    kept, judged = sum(each.on_time is True for each in seen), sum(each.on_time is not None for each in seen)
    hours = sum(each.seconds for each in seen) / HOUR / len(seen) if seen else None
    return counts | {"hours": hours, "judged": (kept, judged)}, rows


async def emptied(store: Store) -> Store:
    """Forget everything."""

    async def run(tx: Tx) -> None:
        for model in service.all_tables:
            table = model.__table__  # type: ignore[attr-defined]
            await tx.execute(Statement(sa.delete(table), tx.session.dialect), [()])

    await store.write(Job(run, Context(now())))
    return store


async def check(store: Store, told: list[Life], records: list[Record], filters: dict[str, str]) -> None:
    """What the views say of each month must be what is counted by hand."""
    await feed(applier(await emptied(store)), Log(), records, 3)
    for month in (6, 7, 8, 9):
        counted, made_of = by_hand(told, date(2026, month, 1), date(2026, month + 1, 1), **filters)
        found = await figures(store, f"2026-{month:02d}", **filters)
        rate, hours = found["resolved_on_time"], found["time_to_resolve"]
        assert {key: found[key] for key in counted if key in found} == {
            key: value for key, value in counted.items() if key in found
        }
        assert ((rate or {}).get("numerator", 0), (rate or {}).get("denominator", 0)) == counted["judged"]
        assert (hours is None) == (counted["hours"] is None)
        assert hours is None or abs(float(hours) - counted["hours"]) <= 0.005
        for key, expected in made_of.items():
            assert await rows(store, key, f"2026-{month:02d}", **filters) == expected, key


async def test_figures_and_rows_are_what_is_counted_by_hand_whatever_the_order_of_events(views: Store) -> None:
    loop = asyncio.get_running_loop()
    narrowed = strategies.fixed_dictionaries(
        {}, optional={"kind": strategies.just("pricing"), "department": strategies.just("hr")}
    )

    @hypothesis.settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @hypothesis.given(strategies.lists(lives(), min_size=1, max_size=5), narrowed, strategies.randoms())
    def every(told: list[Life], filters: dict[str, str], chance: Any) -> None:
        records = [record for number, events in enumerate(told) for record in life(f"request/req_{number}", *events)]
        chance.shuffle(records)
        asyncio.run_coroutine_threadsafe(check(views, told, records, filters), loop).result()

    await asyncio.to_thread(every)
