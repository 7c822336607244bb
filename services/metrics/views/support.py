"""Are our people supported? Duties done, thanks given, setbacks, and what is said of us in public.

Setbacks are private. They are counted only where at least five people had one, and so that nobody can tell what is
hidden by taking what is shown from the whole: a row of a breakdown, a month of a quarter, a quarter of a year, one
kind of all. Other stretches of days are not counted: two of them that differ by a day would tell of that day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.support import DutyFact, SetbackFact
from services.metrics.views.frame import Compute, Figure, Question, Reading
from services.metrics.views.people import by_belonging
from services.metrics.views.values import decimal, shown_rate
from shared.few import FEWEST
from shared.period import Period, Unit

_TREE: Final[tuple[tuple[Unit, Unit], ...]] = (("year", "quarter"), ("quarter", "month"))
WHOLE_STRETCHES: Final = "what is told of setbacks is told of whole months, quarters and years"
_INCIDENT_KINDS: Final = ("mistreatment", "complaint")
_setback = SetbackFact.__table__.c  # type: ignore[attr-defined]
_duty = DutyFact.__table__.c  # type: ignore[attr-defined]
_HAPPENED = sa.select(SetbackFact).where(
    _setback.happened_on >= sa.bindparam("start"), _setback.happened_on < sa.bindparam("end")
)
_DUE = sa.select(DutyFact).where(_duty.due < sa.bindparam("day"), _duty.assigned_on.is_not(None))


def private_count(figure: str, dims: Sequence[str], kinds: Sequence[str] | None = None) -> Compute:
    """How many setbacks there were, of some kinds; told only where enough people had one, and where nothing that is
    told beside it says more by being taken from it."""

    async def compute(reading: Reading) -> Any:
        if set(reading.filters) - set(dims) or len(reading.filters) > 1:
            reading.note(figure, f"setbacks are counted by {' or '.join(dims)}")
            return None
        question = reading.question
        if not in_the_tree(question):
            reading.note(figure, WHOLE_STRETCHES)
            return None
        year = _around(question, "year")

        async def read() -> list[SetbackFact]:
            return await reading.snapshot.all(SetbackFact, _HAPPENED, start=year.start, end=year.end)

        in_year: list[SetbackFact] = await reading.shared(f"setbacks {year}", read)
        ((dim, key),) = reading.filters.items() or (("", ""),)

        def is_meant(each: SetbackFact) -> bool:
            return kinds is None or each.sort in kinds

        def key_of(each: SetbackFact) -> str:
            return (getattr(each, dim) or "") if dim else ""

        whole = [each for each in in_year if is_meant(each)]
        mine = [each for each in whole if key_of(each) == key]
        others = [each for each in in_year if not is_meant(each) and key_of(each) == key]
        meant, besides = _within(mine, question.period), _within(others, question.period)
        by_key = _grouped(_within(whole, question.period), key_of)
        few_besides = bool(meant) and not told(besides)
        kept_in_time = _kept_in_time(mine, question) or _kept_in_time(whole, question)
        if not told(meant) or key in kept_back(by_key) or few_besides or (bool(meant) and kept_in_time):
            return hidden(reading, figure)
        return len(meant)

    return compute


def in_the_tree(question: Question) -> bool:
    """Whether a whole month, quarter or year is asked about: other stretches could differ by a day."""
    return any(question.period == _around(question, unit) for unit in ("month", "quarter", "year"))


def _around(question: Question, unit: Unit) -> Period:
    return Period.of(unit, question.period.start, question.first_month)


def _part_of(each: SetbackFact, unit: Unit, question: Question) -> str:
    return str(Period.of(unit, each.happened_on or question.period.start, question.first_month))


def _kept_in_time(found: Sequence[SetbackFact], question: Question) -> bool:
    """Whether a month would tell of another one by the quarter around both, or a quarter by the year."""
    for outer, inner in _TREE:
        part = _around(question, inner)
        if question.period.days > part.days:
            return False
        by_part = _grouped(_within(found, _around(question, outer)), partial(_part_of, unit=inner, question=question))
        if str(part) in kept_back(by_part):
            return True
    return False


def _within(found: Iterable[SetbackFact], period: Period) -> list[SetbackFact]:
    return [each for each in found if each.happened_on is not None and period.contains(each.happened_on)]


def _grouped(found: Iterable[SetbackFact], key: Callable[[SetbackFact], str]) -> dict[str, list[SetbackFact]]:
    groups: dict[str, list[SetbackFact]] = {}
    for each in found:
        groups.setdefault(key(each), []).append(each)
    return groups


async def setbacks_of(reading: Reading) -> list[SetbackFact]:
    """The setbacks of the period."""
    span = reading.question.span

    async def read() -> list[SetbackFact]:
        return await reading.snapshot.all(SetbackFact, _HAPPENED, start=span.start, end=span.end)

    happened: list[SetbackFact] = await reading.shared("setbacks", read)
    return happened


def kept_back(by_key: Mapping[str, Sequence[SetbackFact]]) -> set[str]:
    """The keys of which nothing is told: those of few people, and as many more as it takes that those who are kept back
    are not few together, or what they add up to would show in the whole."""
    few = {key for key, found in by_key.items() if not told(found)}
    shown = sorted(by_key.keys() - few, key=lambda key: (len(_people(by_key[key])), key))
    while few and shown and len(_people(each for key in few for each in by_key[key])) < FEWEST:
        few.add(shown.pop(0))
    return few


def _people(found: Iterable[SetbackFact]) -> set[str]:
    return {each.person for each in found}


def told(found: Sequence[SetbackFact]) -> bool:
    """Whether there are enough people behind setbacks, or none."""
    return not found or len(_people(found)) >= FEWEST


def hidden(reading: Reading, figure: str) -> None:
    """Say that a figure is not told, because it would tell of few people."""
    reading.note(figure, f"it is not shown where it would tell of fewer than {FEWEST} people")


async def recognitions(reading: Reading) -> Any:
    """Given in the period."""
    return (await reading.flow("recognised")).count if by_belonging(reading, "recognitions") else None


async def duties_open(reading: Reading) -> Any:
    """To be done at the end."""
    if not by_belonging(reading, "duties_open"):
        return None
    names = ("charged", "discharged", "handed_back", "called_off")
    charged, discharged, back, off = [(await reading.stock(name)).count for name in names]
    return charged - discharged + back - off


async def duties_on_time(reading: Reading) -> Any:
    """Done by the day they were due."""
    if not by_belonging(reading, "duties_on_time"):
        return None
    kept, late = (await reading.flow("discharged_in_time")).count, (await reading.flow("discharged_late")).count
    if kept + late == 0:
        reading.note("duties_on_time", "no duty with a day on which it was due was done in the period")
    return shown_rate(kept, kept + late)


async def overdue_duties(reading: Reading) -> list[DutyFact]:
    """Those that were due before the last day of the period, or of asking, and not done by then."""
    asked = reading.question.span.asked
    last = asked.fromordinal(asked.toordinal() - 1)

    async def read() -> list[DutyFact]:
        found = await reading.snapshot.all(DutyFact, _DUE, day=last)
        return [each for each in found if each.to_do_before(asked)]

    overdue: list[DutyFact] = await reading.shared("overdue duties", read)
    return [each for each in overdue if all(getattr(each, dim) == key for dim, key in reading.filters.items())]


async def duties_overdue(reading: Reading) -> Any:
    """Due and not done at the end."""
    return len(await overdue_duties(reading)) if by_belonging(reading, "duties_overdue") else None


async def reputation(reading: Reading) -> Any:
    """What is said of us in public."""
    if set(reading.filters) - {"customer"}:
        reading.note("reputation", "what is said in public is known for the whole and by customer")
        return None
    rated, complained = await reading.flow("rated"), await reading.flow("complained")
    if not rated.count and not complained.count:
        reading.note("reputation", "nothing was said in public in the period")
        return None
    score = decimal(Decimal(rated.took) / rated.count / 100, 2) if rated.count else None
    return {"score": score, "out_of": "5", "ratings": rated.count, "complaints": complained.count}


DUTY_FIGURES = (
    Figure("duties_open", "Duties assigned by the end and neither done nor cancelled.", duties_open, "duties_open"),
    Figure("duties_overdue", "Duties that were due before the last day and not done by then.", duties_overdue,
           "duties_overdue"),
    Figure("duties_on_time", "Duties done on days of the period by the day they were due ÷ duties done that had one.",
           duties_on_time, "duties_done"),
)  # fmt: skip
RECOGNITIONS = Figure(
    "recognitions", "Recognitions given on days of the period; of a department or team those that went to its members.",
    recognitions, "recognitions",
)  # fmt: skip
SETBACKS = Figure(
    "setbacks", "Setbacks of a month, a quarter or a year; not told where that would tell of fewer than five people.",
    private_count("setbacks", ("department", "team")),
    opens="what happened to somebody is shown at /v1/setbacks to those who may read it",
)  # fmt: skip
INCIDENTS = Figure(
    "incidents", "Mistreatment by customers and complaints of a month, a quarter or a year; not told where that would"
    " tell of fewer than five people.", private_count("incidents", ("customer", "department", "team"), _INCIDENT_KINDS),
    opens="what happened to somebody is shown at /v1/setbacks to those who may read it",
)  # fmt: skip
REPUTATION = Figure(
    "reputation", "Mean score of the public ratings and reviews of the period, of 5, with their number, and the number "
    "of public complaints.", reputation, "reputation",
)  # fmt: skip
