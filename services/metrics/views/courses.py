"""How deals went, read from their sums: the history a forecast needs, and how long won deals took.

What is asked along one dimension is read from the sums, for several keys at once where that is needed (the teams of a
region); where there are no sums because they would be as many as the deals, from the deals of those days. What is asked
along two is made from the deals that pass the filters.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from services.metrics.facts.courses import CYCLE, DAILY, STOCK, SUMMED, WEEK, WHOSE, Course, course, key_of, length
from services.metrics.facts.deals import DealFact
from services.metrics.sums import ALL, DAY, MONTH
from services.metrics.views.frame import Reading
from services.metrics.views.ledger import day_of, months_within
from services.metrics.views.sources import BY_TEAM
from services.metrics.views.sources import SOURCES as FED
from shared.forecast import History, Known, monday_of
from shared.store import Snapshot
from shared.store.sql import OneOf

_course = Course.__table__.c  # type: ignore[attr-defined]
_deal = DealFact.__table__.c  # type: ignore[attr-defined]
_NUMBERS = [_course[name] for name in ("count", "amount", "estimated", "estimate", "realised")]
_WENT, _CLOSED = (
    _course.measure.in_([sa.literal_column(f"'{each}'") for each in measures])
    for measures in (("opened", "won", "lost"), ("won", "lost"))
)


def _day(name: str) -> Any:
    return sa.bindparam(name, type_=sa.Date())


_DIM = _course.dim == sa.bindparam("dim")
_AGE = _course.part >= sa.bindparam("horizon")
"""Not opened so long ago that nothing is expected of it."""
_KEYS = OneOf(_course.key, "keys")


def _left(*conditions: sa.ColumnElement[bool]) -> sa.SelectBase:
    """The deals that were open when the running week began: they are open still, or were closed in it or later."""
    of_then = [_DIM, _AGE, _course.part < sa.bindparam("running"), *conditions]
    place, numbers = (
        (_course.key, _course.part, _course.currency),
        (_course["count"], _course.estimated, _course.estimate),
    )
    # Of what is open the day is that of the week of its opening, by which it is found.
    still = sa.select(*place, *numbers).where(_course.grain == STOCK, _course.start < _day("week"), *of_then)
    added = [sa.cast(sa.func.sum(each), sa.BigInteger) for each in numbers]
    later = [_course.grain == WEEK, _CLOSED, _course.start >= _day("week")]
    return sa.union_all(still, sa.select(*place, *added).where(*later, *of_then).group_by(*place))


def _begun() -> sa.Select[Any]:
    """The first week that counts in which a deal was opened."""
    opened = [_course.measure == sa.literal_column("'opened'"), _course.grain == WEEK, _AGE]
    return sa.select(_course.key, sa.func.min(_course.part)).where(_DIM, *opened, _KEYS).group_by(_course.key)


def _stretch(grain: str, start: str, end: str) -> list[sa.ColumnElement[bool]]:
    """The cells of some days: each stretch is a select of its own, so that it is found by its days."""
    return [_course.grain == grain, _course.start >= _day(start), _course.start < _day(end)]


def _closings(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """What was closed in the weeks of the table: all ages of a week in one text, week of opening and number by turns,
    because reading as many rows takes longer than all else. A day is read as it is stored."""
    place = (_course.start, _course.measure, _course.key, _course.currency)
    part, count = (sa.cast(_course[name], sa.Text) for name in ("part", "count"))
    comma: Any = sa.literal_column("','")
    ages = sa.func.aggregate_strings(part + comma + count, comma)
    added = [sa.cast(sa.func.sum(_course[name]), sa.BigInteger) for name in ("amount", "estimate", "realised")]
    columns = (sa.type_coerce(_course.start, sa.types.NullType()), *place[1:], ages, *added)
    return (
        sa.select(*columns).where(_DIM, _CLOSED, _AGE, *_stretch(WEEK, "since", "week"), *conditions).group_by(*place)
    )


def _running(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """What happened in the week that is running."""
    columns = (_course.key, _course.measure, _course.part, _course.currency, *_NUMBERS)
    return sa.select(*columns).where(_DIM, _WENT, _AGE, *_stretch(DAY, "week", "before"), *conditions)


def _lengths(daily: bool, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    days = [_stretch(DAY, "start", "first"), _stretch(DAY, "last", "end")]
    stretches = [_stretch(MONTH, "first", "last"), *(days if daily else [])]
    columns = (_course.key, _course.part, _course["count"])
    cells = sa.union_all(
        *(sa.select(*columns).where(_DIM, _course.measure == CYCLE, *each, *conditions) for each in stretches)
    ).subquery()
    added = sa.cast(sa.func.sum(cells.c["count"]), sa.BigInteger)
    return sa.select(cells.c.key, cells.c.part, added).group_by(cells.c.key, cells.c.part)


def _closed(status: str, start: str, end: str) -> sa.ColumnElement[bool]:
    """Won or lost in some days; a status at a time, because the deals are found by status and day."""
    return sa.and_(_deal.status == sa.literal_column(f"'{status}'"),
                   _deal.closed_on >= _day(start), _deal.closed_on < _day(end))  # fmt: skip


def _going(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """The deals opened or closed in some days."""
    opened = sa.and_(_deal.opened_on >= _day("week"), _deal.opened_on < _day("before"))
    closed = (_closed(status, "week", "before") for status in ("won", "lost"))
    return sa.select(DealFact).where(sa.or_(opened, *closed), *conditions)


def _won(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """The deals won in the days that are no whole months."""
    return sa.select(DealFact).where(
        sa.or_(_closed("won", "start", "first"), _closed("won", "last", "end")), *conditions
    )


_HAS_KEYS = {dim: OneOf(_deal[name], "keys") for dim, name in WHOSE.items() if dim not in DAILY}
"""How the deals of a dimension are found that has no cells of days."""
_LEFT, _LEFT_OF = _left(), _left(_KEYS)
_BEGUN = _begun()
_CLOSINGS, _CLOSINGS_OF = _closings(), _closings(_KEYS)
_RUNNING, _RUNNING_OF = _running(), _running(_KEYS)
_LENGTHS, _LENGTHS_OF = ({daily: _lengths(daily, *keys) for daily in (True, False)} for keys in ((), (_KEYS,)))
_GOING, _GOING_OF = _going(), {dim: _going(has) for dim, has in _HAS_KEYS.items()}
_WON, _WON_OF = _won(), {dim: _won(has) for dim, has in _HAS_KEYS.items()}
Lengths = Counter[int]


async def history(reading: Reading, before: date) -> History:
    """How the deals of a question went, as far as was known before a day."""
    dim, keys, others = await _place(reading)
    known = Known(before)
    if others:
        found = History(known)
        for deal in await _deals(reading):
            if key_of(deal, dim) in keys:
                _note(found, deal, dim)
        return found

    async def read() -> dict[str, History]:
        return await _histories(reading.snapshot, known, dim, None if reading.along else keys)

    by_key: Mapping[str, History] = await _read_once(reading, f"histories before {before}", dim, keys, read)
    if len(keys) == 1:
        # Of a row to which nothing happened in these weeks nothing was read for all rows.
        return by_key.get(keys[0]) or (await _histories(reading.snapshot, known, dim, keys)).get(
            keys[0], History(known)
        )
    whole = History(known)
    for key in keys:
        if key in by_key:
            whole.join(by_key[key])
    return whole


async def _histories(snapshot: Snapshot, known: Known, dim: str, keys: Sequence[str] | None) -> dict[str, History]:
    by_key: dict[str, History] = defaultdict(lambda: History(known))
    named = {} if keys is None else {"keys": list(keys)}
    # Without cells to begin with, the deals themselves say all that counts.
    daily, start = dim in DAILY, known.week if dim in SUMMED else known.horizon
    days = {"week": start, "before": known.before}
    if dim in SUMMED:
        where = {"dim": dim, "horizon": known.horizon.toordinal(), **named}
        await _read_weeks(snapshot, by_key, known, where)
        await _read_since(snapshot, by_key, known, keys, where)
    if daily:
        running = _RUNNING if keys is None else _RUNNING_OF
        for key, outcome, opened, currency, *numbers in await snapshot.rows(running, **days, **where):
            by_key[key].note_week(outcome, opened, known.week.toordinal(), currency, tuple(numbers))
    else:
        for deal in await snapshot.all(DealFact, _GOING if keys is None else _GOING_OF[dim], **days, **named):
            _note(by_key[key_of(deal, dim)], deal, dim, start)
    return dict(by_key)


async def _read_weeks(
    snapshot: Snapshot, by_key: Mapping[str, History], known: Known, where: Mapping[str, Any]
) -> None:
    """What was closed in the weeks of the table, and what was open when the week that is running began."""
    of_all = "keys" not in where
    rows = await snapshot.rows(_CLOSINGS if of_all else _CLOSINGS_OF, since=known.since, week=known.week, **where)
    weeks = {day: monday_of(day_of(day)) for day in {row[0] for row in rows}}
    for day, outcome, key, currency, ages, *money in rows:
        numbers = list(map(int, ages.split(",")))
        by_key[key].close(weeks[day], (outcome, currency, numbers[::2], numbers[1::2], *money))
    # Of deals that are older than any that was closed nothing is expected.
    oldest = max((found.oldest for found in by_key.values()), default=0)
    young = {**where, "horizon": max(where["horizon"], known.since.toordinal() - oldest)}
    left, running = _LEFT if of_all else _LEFT_OF, known.week.toordinal()
    for row in await snapshot.rows(left, week=known.week, running=running, **young):
        by_key[row[0]].leave_open(*row[1:])


async def _read_since(
    snapshot: Snapshot,
    by_key: Mapping[str, History],
    known: Known,
    keys: Sequence[str] | None,
    where: Mapping[str, Any],
) -> None:
    """Since when there have been any deals: where one of the time before is known, the table has all of its weeks
    whenever the first one was opened."""
    since = known.since.toordinal()
    young = {*by_key, *(keys or ())} - {key for key, found in by_key.items() if found.first < since}
    if young:
        for key, first in await snapshot.rows(_BEGUN, **{**where, "keys": sorted(young)}):
            by_key[key].since(first)


def _note(found: History, deal: DealFact, dim: str, start: date = date.min) -> None:
    """What happened to a deal from a day on."""
    if deal.opened_on is not None:
        for outcome, day, currency, numbers in course(deal, dim):
            if day >= start:
                found.note(outcome, deal.opened_on, day, currency, numbers)


async def lengths(reading: Reading) -> Lengths:
    """How many of the deals won in the period took how many days from opening to winning."""
    dim, keys, others = await _place(reading)
    span = reading.question.span
    if others:
        return Lengths(
            length(deal)
            for deal in await _deals(reading)
            if key_of(deal, dim) in keys and deal.status == "won"
            and deal.closed_on is not None and span.start <= deal.closed_on < span.end
        )  # fmt: skip

    async def read() -> dict[str, Lengths]:
        return await _lengths_by(reading.snapshot, dim, None if reading.along else keys, span.start, span.end)

    by_key: Mapping[str, Lengths] = await _read_once(reading, "lengths", dim, keys, read)
    if len(keys) == 1:
        return by_key.get(keys[0]) or Lengths()
    whole = Lengths()
    for key in keys:
        whole.update(by_key.get(key, {}))
    return whole


async def _lengths_by(
    snapshot: Snapshot, dim: str, keys: Sequence[str] | None, start: date, end: date
) -> dict[str, Lengths]:
    by_key: dict[str, Lengths] = defaultdict(Lengths)
    named = {} if keys is None else {"keys": list(keys)}
    daily, (first, last) = dim in DAILY, months_within(start, end) if dim in SUMMED else (end, end)
    days = {"start": start, "first": first, "last": last, "end": end}
    if dim in SUMMED:
        values = days if daily else {"first": first, "last": last}
        statement = (_LENGTHS if keys is None else _LENGTHS_OF)[daily]
        for key, took, count in await snapshot.rows(statement, dim=dim, **values, **named):
            by_key[key][took] = count
    if not daily and not (start == first and last == end):
        for deal in await snapshot.all(DealFact, _WON if keys is None else _WON_OF[dim], **days, **named):
            by_key[key_of(deal, dim)][length(deal)] += 1
    return by_key


def median(found: Lengths) -> tuple[int, int] | None:
    """The two lengths in the middle, which are one where the number of deals is odd; none of no deals."""
    count, seen, low = sum(found.values()), 0, None
    for took, here in sorted(found.items()):
        seen += here
        if low is None and 2 * seen >= count:
            low = took
        if low is not None and 2 * seen >= count + 1:
            return low, took
    return None


async def _read_once(
    reading: Reading, what: str, dim: str, keys: Sequence[str], work: Callable[[], Awaitable[Any]]
) -> Any:
    """What is read once for all rows of a breakdown, or once for the figures of one question."""
    whose = "all" if reading.along else ",".join(keys)
    return await reading.shared(f"{what} of {dim}: {whose}", work)


async def _place(reading: Reading) -> tuple[str, Sequence[str], Mapping[str, str]]:
    """Along which dimension and for which keys the sums are read, and by what else facts are narrowed."""
    dim = reading.along or (next(iter(reading.filters), ALL) if len(reading.filters) == 1 else ALL)
    others = {each: value for each, value in reading.filters.items() if each != dim}
    if dim == "group":
        circle, asked = await reading.circle("group", reading.filters["group"]), reading.question.span.asked
        return "member", [member for member, _ in circle.there(asked)], others
    if dim in BY_TEAM:
        return "team", (await reading.teams_by(dim)).get(reading.filters[dim], []), others
    return dim, [reading.filters[dim] if dim else ALL], others


async def _deals(reading: Reading) -> Sequence[DealFact]:
    async def read() -> Sequence[DealFact]:
        conditions = await reading.passing(FED[0], reading.filters)
        return await reading.snapshot.all(DealFact, sa.select(DealFact).where(*conditions))

    found: Sequence[DealFact] = await reading.once("deals that pass", read)
    return found
