"""Do our people have what they need? Openings, those who wait for their equipment, and what is handed out."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa

from services.metrics.facts.workplace import EquipmentFact, OnboardingFact
from services.metrics.views.frame import Figure, Reading
from services.metrics.views.people import by_belonging, everybody, here_at_the_end
from services.metrics.views.values import mean
from shared.membership import on_day

_onboarding = OnboardingFact.__table__.c  # type: ignore[attr-defined]
_ISSUED = sa.select(EquipmentFact).where(EquipmentFact.__table__.c.issues != [])  # type: ignore[attr-defined]


def waiting_before(day: date) -> list[sa.ColumnElement[bool]]:
    """The conditions of onboardings of those who had begun before a day and did not have all their equipment."""
    return [
        _onboarding.waits,
        _onboarding.starts_on < day,
        sa.or_(_onboarding.equipped_on.is_(None), _onboarding.equipped_on >= day),
        sa.or_(_onboarding.cancelled_on.is_(None), _onboarding.cancelled_on >= day),
    ]


async def openings_open(reading: Reading) -> Any:
    """To be filled at the end."""
    if not by_belonging(reading, "openings_open"):
        return None
    names = ("sought", "filled", "withdrawn", "sought_again")
    sought, filled, withdrawn, again = [(await reading.stock(name)).count for name in names]
    return sought - filled - withdrawn + again


async def time_to_fill(reading: Reading) -> Any:
    """Mean days to fill."""
    if not by_belonging(reading, "time_to_fill"):
        return None
    filled = await reading.flow("filled")
    if not filled.count:
        reading.note("time_to_fill", "no opening was filled in the period")
    return mean(filled.took, filled.count)


async def equipment_out(reading: Reading) -> Any:
    """Issued and not returned at the end."""
    if not by_belonging(reading, "equipment_out"):
        return None
    return (await reading.stock("issued")).count - (await reading.stock("returned")).count


async def with_leavers(reading: Reading) -> list[EquipmentFact]:
    """The pieces that were out at the end with somebody who did not work here any more, by where they were issued."""
    asked = reading.question.span.asked

    async def read() -> list[EquipmentFact]:
        gone = await _gone_before(reading, asked)
        pieces = await reading.snapshot.all(EquipmentFact, _ISSUED)
        return [each for each in pieces if (out := each.out_before(asked)) is not None and out["member"] in gone]

    found: list[EquipmentFact] = await reading.shared("equipment with leavers", read)
    return [
        each
        for each in found
        if (out := each.out_before(asked)) is not None and all(out[dim] == key for dim, key in reading.filters.items())
    ]


async def _gone_before(reading: Reading, day: date) -> set[str]:
    last = day.fromordinal(day.toordinal() - 1)
    return {each.id for each in await everybody(reading) if each.employments and not on_day(each.employments, last)}


async def equipment_to_return(reading: Reading) -> Any:
    """Still with who has left, at the end."""
    return len(await with_leavers(reading)) if by_belonging(reading, "equipment_to_return") else None


async def joiners_waiting(reading: Reading) -> Any:
    """Here at the end without all their equipment."""
    if not by_belonging(reading, "joiners_waiting"):
        return None
    asked = reading.question.span.asked

    async def read() -> set[str]:
        rows = await reading.snapshot.rows(sa.select(_onboarding.member).where(*waiting_before(asked)))
        return {str(member) for (member,) in rows}

    waiting: set[str] = await reading.shared("waiting", read)
    return sum(each.id in waiting for each in await here_at_the_end(reading))


OPENING_FIGURES = (
    Figure("openings_open", "Openings requested by the end and neither filled nor withdrawn.", openings_open,
           "openings_open"),
    Figure("time_to_fill", "Mean days from requesting, or reopening, an opening to filling it, of those filled on days "
           "of the period.", time_to_fill, "openings_filled"),
)  # fmt: skip
EQUIPMENT_OUT = Figure(
    "equipment_out",
    "Pieces of equipment issued and not returned at the end; of a department or team those issued to its members.",
    equipment_out,
    "equipment_out",
)
EQUIPMENT_TO_RETURN = Figure(
    "equipment_to_return",
    "Pieces of equipment at the end that are still with somebody who does not work here any more.",
    equipment_to_return,
    "equipment_to_return",
)
JOINERS_WAITING = Figure(
    "joiners_waiting",
    "Members here at the end who have begun and do not have all the equipment that their onboarding lists.",
    joiners_waiting,
    "joiners_waiting",
)
