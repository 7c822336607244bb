"""Are our people supported? Duties done, thanks given, setbacks, and what is said of us in public.

Setbacks are private: they are counted as `private.py` says.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.support import DutyFact, SetbackFact
from services.metrics.views.frame import Figure, Reading
from services.metrics.views.people import by_belonging
from services.metrics.views.private import Private
from services.metrics.views.values import decimal, shown_rate
from shared.period import Period

_INCIDENT_KINDS: Final = ("mistreatment", "complaint")
_setback = SetbackFact.__table__.c  # type: ignore[attr-defined]
_duty = DutyFact.__table__.c  # type: ignore[attr-defined]
_HAPPENED = sa.select(SetbackFact).where(
    _setback.happened_on >= sa.bindparam("start"), _setback.happened_on < sa.bindparam("end")
)
_DUE = sa.select(DutyFact).where(_duty.due < sa.bindparam("day"), _duty.assigned_on.is_not(None))


async def _happened(reading: Reading, year: Period) -> list[SetbackFact]:
    return await reading.snapshot.all(SetbackFact, _HAPPENED, start=year.start, end=year.end)


async def setbacks_of(reading: Reading) -> list[SetbackFact]:
    """The setbacks of the period."""
    span = reading.question.span

    async def read() -> list[SetbackFact]:
        return await reading.snapshot.all(SetbackFact, _HAPPENED, start=span.start, end=span.end)

    happened: list[SetbackFact] = await reading.shared("setbacks", read)
    return happened


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
    Private("setbacks", ("department", "team"), _happened).figure("setbacks"),
    opens="what happened to somebody is shown at /v1/setbacks to those who may read it",
)  # fmt: skip
INCIDENTS = Figure(
    "incidents", "Mistreatment by customers and complaints of a month, a quarter or a year; not told where that would"
    " tell of fewer than five people.",
    Private("setbacks", ("customer", "department", "team"), _happened, kinds=_INCIDENT_KINDS).figure("incidents"),
    opens="what happened to somebody is shown at /v1/setbacks to those who may read it",
)  # fmt: skip
REPUTATION = Figure(
    "reputation", "Mean score of the public ratings and reviews of the period, of 5, with their number, and the number "
    "of public complaints.", reputation, "reputation",
)  # fmt: skip
