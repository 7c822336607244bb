"""How are our people? Who is here, who came and who left."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from services.metrics.views.absences import ABSENCE_FIGURES
from services.metrics.views.actions import ACTION_FIGURES
from services.metrics.views.attendance import ATTENDANCE_FIGURES
from services.metrics.views.challenges import CHALLENGES
from services.metrics.views.frame import Figure, Reading, View
from services.metrics.views.line_of_sight import FIGURES as LINE_OF_SIGHT
from services.metrics.views.people import by_belonging, here_at_the_end, in_ramp, last_day
from services.metrics.views.pulses import ENPS
from services.metrics.views.relationships import EMPLOYER, LEAVERS_BY_REASON, PUBLIC
from services.metrics.views.skills import SKILL_FIGURES
from services.metrics.views.support import DUTY_FIGURES, RECOGNITIONS, REPUTATION, SETBACKS
from services.metrics.views.talks import MEETING_FIGURES, PROBLEM_FIGURES
from services.metrics.views.training import TRAINING_FIGURES
from services.metrics.views.training_effect import TRAINING_EFFECT
from services.metrics.views.values import decimal
from services.metrics.views.workplace import EQUIPMENT_OUT, EQUIPMENT_TO_RETURN, JOINERS_WAITING, OPENING_FIGURES


async def _people(reading: Reading, figure: str, measure: str) -> int | None:
    return (await reading.flow(measure)).count if by_belonging(reading, figure) else None


async def joiners(reading: Reading) -> Any:
    """Joined in the period."""
    return await _people(reading, "joiners", "joined")


async def leavers(reading: Reading) -> Any:
    """Left in the period."""
    return await _people(reading, "leavers", "left")


async def headcount(reading: Reading) -> Any:
    """Here at the end."""
    if not by_belonging(reading, "headcount"):
        return None
    return (await reading.stock("joined")).count - (await reading.stock("left")).count


async def headcount_sales(reading: Reading) -> Any:
    """In the sales department at the end."""
    if reading.filters:
        reading.note("headcount_sales", "it is counted over the whole sales department")
        return None
    joined = await reading.measured_along("department", "sales", "joined", stock=True)
    left = await reading.measured_along("department", "sales", "left", stock=True)
    return joined.count - left.count


async def full_time_equivalents(reading: Reading) -> Any:
    """What those who are here work together, in whole working times."""
    if not by_belonging(reading, "full_time_equivalents"):
        return None
    shares = [each.working_share_on(last_day(reading)) for each in await here_at_the_end(reading)]
    return decimal(sum(shares, Decimal(0)), 2)


async def ramping(reading: Reading) -> Any:
    """Who is not expected to reach a full quota yet."""
    return len(await in_ramp(reading)) if by_belonging(reading, "ramping") else None


VIEW = View(
    "hr",
    (
        Figure("headcount", "Members who work here at the end, in the department or team asked about.", headcount,
               "members"),
        Figure("headcount_sales", "Members of the sales department at the end.", headcount_sales, "sellers"),
        Figure("joiners", "Members who started, or joined the department or team, on a day of the period.", joiners,
               "joiners"),
        Figure("leavers", "Members who left, or left the department or team, on a day of the period.", leavers,
               "leavers"),
        Figure("full_time_equivalents", "Working shares of the members who work here at the end, added up.",
               full_time_equivalents, "members"),
        Figure("ramping", "Members here at the end of whom less than a full quota is expected, by their ramp.", ramping,
               "ramping"),
        LEAVERS_BY_REASON,
        *OPENING_FIGURES,
        *TRAINING_FIGURES,
        TRAINING_EFFECT,
        *SKILL_FIGURES,
        *ABSENCE_FIGURES,
        EQUIPMENT_OUT,
        EQUIPMENT_TO_RETURN,
        JOINERS_WAITING,
        *DUTY_FIGURES,
        RECOGNITIONS,
        CHALLENGES,
        SETBACKS,
        REPUTATION,
        *LINE_OF_SIGHT,
        ENPS,
        *MEETING_FIGURES,
        *ATTENDANCE_FIGURES,
        *ACTION_FIGURES,
        *PROBLEM_FIGURES,
    ),
    relationships={"employee_to_employer": EMPLOYER, "public_picture": PUBLIC},
)  # fmt: skip
