"""Are our people supported? Duties done, thanks given, setbacks, and what is said of us in public.

Setbacks are private. They are counted only where at least five people had one, and in a breakdown so that nobody can
tell a hidden row by taking the shown ones from the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.support import DutyFact, SetbackFact
from services.metrics.views.frame import Compute, Figure, Reading
from services.metrics.views.people import by_belonging
from services.metrics.views.values import decimal, shown_rate

FEWEST: Final = 5
"""Of fewer people than this nothing is said."""
_INCIDENT_KINDS: Final = ("mistreatment", "complaint")
_setback = SetbackFact.__table__.c  # type: ignore[attr-defined]
_duty = DutyFact.__table__.c  # type: ignore[attr-defined]
_HAPPENED = sa.select(SetbackFact).where(
    _setback.happened_on >= sa.bindparam("start"), _setback.happened_on < sa.bindparam("end")
)
_DUE = sa.select(DutyFact).where(_duty.due < sa.bindparam("day"), _duty.assigned_on.is_not(None))


def private_count(figure: str, dims: Sequence[str], kinds: Sequence[str] | None = None) -> Compute:
    """How many setbacks there were, of some kinds; told only where enough people had one."""

    async def compute(reading: Reading) -> Any:
        if set(reading.filters) - set(dims) or len(reading.filters) > 1:
            reading.note(figure, f"setbacks are counted by {' or '.join(dims)}")
            return None
        meant = [each for each in await setbacks_of(reading) if kinds is None or each.sort in kinds]
        if not reading.filters:
            return len(meant) if told(meant) else hidden(reading, figure)
        ((dim, key),) = reading.filters.items()
        by_key: dict[str, list[SetbackFact]] = {}
        for each in meant:
            by_key.setdefault(getattr(each, dim) or "", []).append(each)
        if key in kept_back(by_key):
            return hidden(reading, figure)
        return len(by_key.get(key, ()))

    return compute


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
    reading.note(figure, f"it is not shown where fewer than {FEWEST} people had one")


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
    "setbacks", "Setbacks on days of the period; not told where fewer than five people had one.",
    private_count("setbacks", ("department", "team")),
)  # fmt: skip
INCIDENTS = Figure(
    "incidents", "Mistreatment by customers and complaints on days of the period; not told where fewer than five people"
    " had one.", private_count("incidents", ("customer", "department", "team"), _INCIDENT_KINDS),
)  # fmt: skip
REPUTATION = Figure(
    "reputation", "Mean score of the public ratings and reviews of the period, of 5, with their number, and the number "
    "of public complaints.", reputation, "reputation",
)  # fmt: skip
