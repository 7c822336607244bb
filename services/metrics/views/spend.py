"""Planned and spent: budgets spread over their days, and what departments spent on what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Final

import sqlalchemy as sa

from services.metrics.facts.money import DEPARTMENT_KIND, BudgetFact
from services.metrics.facts.teams import DepartmentFact
from services.metrics.sums import DAY, Tally
from services.metrics.views.frame import Reading
from services.metrics.views.ledger import day_of
from services.metrics.views.values import Amounts
from shared.attainment import due_before
from shared.money import Money

SALES, TRAINING, MARKETING = "sales", "training", "marketing"
NAMED_AS: Final[Mapping[str, str]] = {
    "team": "team", "region": "team", "member": "member", "group": "member", "customer": "customer",
    "product": "product",
}  # fmt: skip
"""By what it may be asked for whom money was spent, each with what expenses name."""
_budget = BudgetFact.__table__.c  # type: ignore[attr-defined]
_department = DepartmentFact.__table__.c  # type: ignore[attr-defined]
_tally = Tally.__table__.c  # type: ignore[attr-defined]
_BUDGETS = sa.select(BudgetFact).where(_budget.start.is_not(None)).order_by(_budget.id)


async def budgets_of(reading: Reading) -> list[BudgetFact]:
    """The budgets of all departments, or of the one asked about."""
    found: list[BudgetFact] = await reading.shared("budgets", lambda: reading.snapshot.all(BudgetFact, _BUDGETS))
    department = reading.filters.get("department")
    return [budget for budget in found if department in (None, budget.department)]


def planned_before(budget: BudgetFact, day: date) -> int:
    """What a budget plans for the days before one, in minor units; so stretches of days add up to the cent."""
    rows = [(date.fromisoformat(since), minor) for since, minor in budget.rows]
    return round(due_before(budget.amount, rows, budget.period, day))


async def planned_between(reading: Reading, start: date, end: date) -> Amounts:
    """What the budgets of what is asked about plan for some days."""
    return await planned_by(reading, await budgets_of(reading), start, end)


async def planned_by(reading: Reading, budgets: Iterable[BudgetFact], start: date, end: date) -> Amounts:
    """What some budgets plan for some days; converted, each row at the rate of the day it begins."""
    planned, settling = Amounts(), await reading.settling()
    converted: dict[str, Fraction] = defaultdict(Fraction)
    for budget in budgets:
        if settling is None or budget.currency == settling.into:
            planned += Amounts({budget.currency: planned_before(budget, end) - planned_before(budget, start)})
            continue
        for row, amount in _rows_between(budget, start, end):
            currency, worth = settling.worth(amount, budget.currency, row)
            converted[currency] += worth
    return planned + Amounts({currency: round(amount) for currency, amount in converted.items()})


def _rows_between(budget: BudgetFact, start: date, end: date) -> Iterator[tuple[date, Fraction]]:
    """The rows of a budget that plan anything for some days, each by its first day, with what it plans for them."""
    days = sorted((date.fromisoformat(since), minor) for since, minor in budget.rows)
    days = days or [(budget.period.start, budget.amount)]
    ends = [*(since for since, _ in days[1:]), budget.period.end]
    for (since, minor), until in zip(days, ends, strict=True):
        covered = (min(end, until) - max(start, since)).days
        if covered > 0:
            yield since, Fraction(minor * covered, (until - since).days)


async def planned_of(reading: Reading, figure: str) -> Amounts | None:
    """What budgets plan for the days of the period; budgets belong to departments, so by nothing else."""
    if set(reading.filters) - {"department"}:
        reading.note(figure, "budgets belong to departments, not to what is asked about")
        return None
    return await planned_between(reading, reading.question.period.start, reading.question.period.end)


async def spent_of(
    reading: Reading, figure: str, department: str | None = None, kind: str | None = None
) -> Amounts | None:
    """What was spent in the period, of what is asked about, and by one department or on one kind of thing only; none,
    with a note, where it is not known for whom."""
    if not reading.split_by(figure, "spent"):
        return None
    wanted = dict(reading.filters)
    for dim, only in (("department", department), ("kind", kind)):
        if only is not None and wanted.setdefault(dim, only) != only:
            return Amounts()
    if set(wanted) & NAMED_AS.keys():
        return await _named(reading, wanted) if await _are_named(reading.about(wanted), figure, reading) else None
    return await _whole(reading.about(wanted))


async def acquirers(reading: Reading) -> list[str]:
    """The departments whose work it is to win customers: sales, and those that are called marketing."""

    async def read() -> list[str]:
        named = sa.func.lower(_department.name) == MARKETING
        rows = await reading.snapshot.rows(sa.select(_department.id).where(named).order_by(_department.id))
        return [SALES, *(key for (key,) in rows)]

    found: list[str] = await reading.shared("acquirers", read)
    return found


async def spent_to_acquire(reading: Reading, figure: str) -> Amounts | None:
    """What sales and marketing spent in the period: these departments on everything, and all others on marketing."""
    parts = [await spent_of(reading, figure, kind=MARKETING)]
    for each in await acquirers(reading):
        parts.append(await spent_of(reading, figure, department=each))
        twice = await spent_of(reading, figure, department=each, kind=MARKETING)
        parts.append(-twice if twice is not None else None)
    known = Amounts.total(each for each in parts if each is not None)
    # Nothing beside what is not known is not known either.
    return known if known or None not in parts else None


async def _named(reading: Reading, wanted: Mapping[str, str]) -> Amounts:
    """What was spent for whom is asked, by departments and on kinds of things at once: all figures read it once."""
    names = {dim: key for dim, key in wanted.items() if dim in NAMED_AS}
    entries = await reading.about(names).entries_along(DEPARTMENT_KIND, "spent")
    sides = [wanted.get(dim) for dim in ("department", "kind")]
    return Amounts.total(
        entry.amount for both, entry in entries.items()
        if all(only in (None, side) for only, side in zip(sides, both.split("/", 1), strict=True))
    )  # fmt: skip


async def _whole(reading: Reading) -> Amounts:
    """What was spent by a department, or on a kind of thing, or by one on the other, or by all."""
    if len(reading.filters) == 2:
        both = f"{reading.filters['department']}/{reading.filters['kind']}"
        return (await reading.measured_along(DEPARTMENT_KIND, both, "spent")).amount
    for dim, key in reading.filters.items():
        return (await reading.measured_along(dim, key, "spent")).amount
    return (await reading.flow("spent")).amount


async def _are_named(spent: Reading, figure: str, reading: Reading) -> bool:
    """Whether expenses say for whom they were, as far as it is asked; if only some of them do, a note says how much
    the others come to."""
    base = {dim: key for dim, key in spent.filters.items() if dim not in NAMED_AS}
    about, rests = reading.about(base), []
    for dim in dict.fromkeys(NAMED_AS[each] for each in spent.filters if each in NAMED_AS):
        named = await about.entries_along(dim, "spent")
        rest = await _whole(about) - Amounts.total(entry.amount for entry in named.values())
        if rest and not named:
            reading.note(figure, f"no expense of these days says for which {dim} it was")
            return False
        rests += [f"{Money.of_minor(minor, currency)} of it was spent for no {dim}" for currency, minor in rest]
    if rests:
        reading.note(figure, f"{' and '.join(rests)}; that is in the whole only")
    return True


@dataclass(frozen=True, slots=True)
class Overrun:
    """By how much more was spent of a budget than is planned before a day, in minor units of its currency."""

    budget: BudgetFact
    until: date
    over: int


async def overrun_in_all(reading: Reading, figure: str) -> Sequence[Overrun]:
    """Budgets with days in the period of which more is spent by the end than they plan in all."""
    spent = await _spent_of_budgets(reading, figure)
    found = [_overrun_before(reading, budget, days, budget.period.end) for budget, days in spent]
    return [each for each in found if each is not None]


async def overrun_by_month(reading: Reading, figure: str) -> Sequence[Overrun]:
    """Budgets of which more is spent by the end of one of their rows, with days in the period, than they plan until
    then; each with the latest such end."""
    span, found = reading.question.span, dict[str, Overrun]()
    for budget, days in await _spent_of_budgets(reading, figure):
        begins = [date.fromisoformat(since) for since, _ in sorted(budget.rows)]
        for since, until in pairwise(begins):
            if since < min(span.end, span.asked) and span.start < until:
                if (overrun := _overrun_before(reading, budget, days, until)) is not None:
                    found[budget.id] = overrun
    return list(found.values())


def _overrun_before(
    reading: Reading, budget: BudgetFact, spent: Iterable[tuple[date, Fraction]], until: date
) -> Overrun | None:
    before = min(until, reading.question.span.asked)
    over = round(sum((minor for day, minor in spent if day < before), Fraction())) - planned_before(budget, until)
    return Overrun(budget, until, over) if over > 0 else None


async def _spent_of_budgets(
    reading: Reading, figure: str
) -> Sequence[tuple[BudgetFact, Sequence[tuple[date, Fraction]]]]:
    """Each budget with days in the period, and what was spent of it on which day: as the owner of budgets sees it when
    money is to be spent. What no rate is known for is noted."""
    span = reading.question.span
    concerned = [each for each in await budgets_of(reading)
                 if each.period.start < span.end and span.start < each.period.end]  # fmt: skip
    spent, found = await _spent_by_day(reading, concerned), []
    for budget in concerned:
        days, unknown = await _in_its_currency(reading, budget, spent.get(budget.department, ()))
        reading.note_besides(figure, "spend", Amounts(unknown), "budget", budget.currency)
        found.append((budget, days))
    return found


async def _in_its_currency(
    reading: Reading, budget: BudgetFact, spent: Iterable[tuple[date, str, int]]
) -> tuple[Sequence[tuple[date, Fraction]], Mapping[str, int]]:
    """What was spent on the days of a budget, at the rates of these days, and what no rate is known for."""
    days, unknown = list[tuple[date, Fraction]](), dict[str, int]()
    for day, currency, minor in spent:
        if not budget.period.contains(day):
            continue
        worth = Fraction(minor)
        if currency != budget.currency:
            conversion = await reading.into(budget.currency).settling()
            assert conversion is not None
            into, worth = conversion.worth(worth, currency, day)
            if into != budget.currency:
                unknown[currency] = unknown.get(currency, 0) + minor
                continue
        days.append((day, worth))
    return days, unknown


async def _spent_by_day(
    reading: Reading, budgets: Sequence[BudgetFact]
) -> Mapping[str, Sequence[tuple[date, str, int]]]:
    """By department what was spent on which day of these budgets, by currency."""
    if not budgets:
        return {}
    start, end = min(each.period.start for each in budgets), max(each.period.end for each in budgets)

    async def read() -> dict[str, list[tuple[date, str, int]]]:
        found: dict[str, list[tuple[date, str, int]]] = {}
        mine = (_tally.dim == "department", _tally.measure == "spent", _tally.grain == DAY)
        select = sa.select(
            _tally.key, _tally.start, _tally.currency, sa.cast(sa.func.sum(_tally.amount), sa.BigInteger)
        )
        select = select.where(*mine, _tally.start >= start, _tally.start < end)
        for key, day, currency, minor in await reading.snapshot.rows(
            select.group_by(_tally.key, _tally.start, _tally.currency).order_by(_tally.start)
        ):
            found.setdefault(key, []).append((day_of(day), currency, int(minor)))
        return found

    spent: Mapping[str, Sequence[tuple[date, str, int]]] = await reading.shared(f"spent {start} {end}", read)
    return spent
