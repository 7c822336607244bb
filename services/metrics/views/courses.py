"""How deals went, read from their sums: the history a forecast needs, and how long won deals took.

What is asked along one dimension is read from the sums, for several keys at once where that is needed (the teams of a
region). What is asked along two is made from the facts that pass the filters, by the contributions that feed the sums.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from services.metrics.facts.courses import CYCLE, WEEK, Course, courses
from services.metrics.facts.deals import DealFact
from services.metrics.sums import ALL, DAY, MONTH
from services.metrics.views.frame import Reading
from services.metrics.views.ledger import months_within
from services.metrics.views.sources import BY_TEAM
from services.metrics.views.sources import SOURCES as FED
from shared.forecast import History, Known
from shared.store import Snapshot
from shared.store.sql import OneOf

_course = Course.__table__.c  # type: ignore[attr-defined]
_deal = DealFact.__table__.c  # type: ignore[attr-defined]
_NUMBERS = [_course[name] for name in ("count", "amount", "estimated", "estimate", "realised")]
_WENT = _course.measure.in_([sa.literal_column(f"'{each}'") for each in ("opened", "won", "lost")])


def _day(name: str) -> Any:
    return sa.bindparam(name, type_=sa.Date())


_ADDED = [sa.cast(sa.func.sum(number), sa.BigInteger) for number in _NUMBERS]
_OLD = (
    sa.select(_course.key, _course.measure, _course.part, sa.func.min(_course.start), _course.currency, *_ADDED)
    .where(_course.dim == sa.bindparam("dim"), _WENT, _course.grain == WEEK, _course.start < _day("since"),
           _course.part >= sa.bindparam("horizon"))
    .group_by(_course.key, _course.measure, _course.part, _course.currency)
)  # fmt: skip
_NEW = sa.select(_course.key, _course.measure, _course.part, _course.start, _course.currency, *_NUMBERS).where(
    _course.dim == sa.bindparam("dim"),
    _WENT,
    sa.or_(
        sa.and_(_course.grain == WEEK, _course.start >= _day("since"), _course.start < _day("week")),
        sa.and_(_course.grain == DAY, _course.start >= _day("week"), _course.start < _day("before")),
    ),
)
_LENGTHS = (
    sa.select(_course.key, _course.part, sa.cast(sa.func.sum(_course["count"]), sa.BigInteger))
    .where(
        _course.dim == sa.bindparam("dim"),
        _course.measure == CYCLE,
        sa.or_(
            sa.and_(_course.grain == MONTH, _course.start >= _day("first"), _course.start < _day("last")),
            sa.and_(_course.grain == DAY, _course.start >= _day("start"), _course.start < _day("first")),
            sa.and_(_course.grain == DAY, _course.start >= _day("last"), _course.start < _day("end")),
        ),
    )
    .group_by(_course.key, _course.part)
)
_OLD_OF, _NEW_OF, _LENGTHS_OF = (each.where(OneOf(_course.key, "keys")) for each in (_OLD, _NEW, _LENGTHS))
Lengths = Counter[int]


async def history(reading: Reading, before: date) -> History:
    """How the deals of a question went, as far as was known before a day."""
    dim, keys, others = await _place(reading)
    known = Known(before)
    if others:
        found = History(known)
        for _, outcome, day, part, currency, numbers in _cells(await _deals(reading), dim, keys, (DAY,)):
            found.note(outcome, date.fromordinal(part), day, currency, *numbers)
        return found

    async def read() -> dict[str, History]:
        return await _histories(reading.snapshot, known, dim, None if reading.along else keys)

    by_key: Mapping[str, History] = await _read_once(reading, f"histories before {before}", dim, keys, read)
    whole = History(known)
    for key in keys:
        if key in by_key:
            whole.join(by_key[key])
    return whole


async def _histories(snapshot: Snapshot, known: Known, dim: str, keys: Sequence[str] | None) -> dict[str, History]:
    days = {"dim": dim, "since": known.since, "week": known.week, "before": known.before}
    old, new, named = (_OLD, _NEW, {}) if keys is None else (_OLD_OF, _NEW_OF, {"keys": list(keys)})
    by_key: dict[str, History] = defaultdict(lambda: History(known))
    older = {"dim": dim, "since": known.since, "horizon": known.horizon.toordinal()}
    for records in (await snapshot.rows(old, **older, **named), await snapshot.rows(new, **days, **named)):
        for key, outcome, part, day, currency, *numbers in records:
            on = day if isinstance(day, date) else date.fromisoformat(day)
            by_key[key].note(outcome, date.fromordinal(part), on, currency, *numbers)
    return dict(by_key)


async def lengths(reading: Reading) -> Lengths:
    """How many of the deals won in the period took how many days from opening to winning."""
    dim, keys, others = await _place(reading)
    span, whole = reading.question.span, Lengths()
    if others:
        for _, measure, day, part, _, _ in _cells(await _deals(reading), dim, keys, (DAY,), CYCLE):
            if measure == CYCLE and span.start <= day < span.end:
                whole[part] += 1
        return whole

    async def read() -> dict[str, Lengths]:
        first, last = months_within(span.start, span.end)
        days = {"dim": dim, "start": span.start, "first": first, "last": last, "end": span.end}
        if reading.along:
            records = await reading.snapshot.rows(_LENGTHS, **days)
        else:
            records = await reading.snapshot.rows(_LENGTHS_OF, **days, keys=list(keys))
        by_key: dict[str, Lengths] = defaultdict(Lengths)
        for key, part, count in records:
            by_key[key][part] += count
        return by_key

    by_key: Mapping[str, Lengths] = await _read_once(reading, "lengths", dim, keys, read)
    for key in keys:
        whole.update(by_key.get(key, {}))
    return whole


def median(found: Lengths) -> tuple[int, int] | None:
    """The two lengths in the middle, which are one where the number of deals is odd; none of no deals."""
    count, seen, low = sum(found.values()), 0, None
    for length, here in sorted(found.items()):
        seen += here
        if low is None and 2 * seen >= count:
            low = length
        if low is not None and 2 * seen >= count + 1:
            return low, length
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


def _cells(
    found: Iterable[DealFact], dim: str, keys: Sequence[str], grains: Sequence[str], *measures: str
) -> Iterable[tuple[str, Any, date, int, str, tuple[int, ...]]]:
    wanted = measures or ("opened", "won", "lost")
    for deal in found:
        for (along, key, measure, grain, day, part, currency), numbers in courses(deal):
            if along == dim and key in keys and grain in grains and measure in wanted:
                yield key, measure, day, part, currency, numbers
