"""How do we talk? Meetings that were held, and problems that were raised, are open and were solved."""

from __future__ import annotations

from typing import Any

from services.metrics.views.frame import Figure, Reading
from services.metrics.views.people import by_belonging
from services.metrics.views.values import mean

PROBLEM = "problem"
SECONDS_PER_HOUR = 3600


async def meetings_held(reading: Reading) -> Any:
    """Held in the period."""
    return (await reading.flow("held")).count if by_belonging(reading, "meetings_held") else None


async def meeting_hours(reading: Reading) -> Any:
    """How long they took together."""
    if not by_belonging(reading, "meeting_hours"):
        return None
    return mean((await reading.flow("held")).took, SECONDS_PER_HOUR)


def _of_all(reading: Reading, figure: str) -> bool:
    if reading.filters:
        reading.note(figure, "problems are counted over all tables")
    return not reading.filters


async def problems_open(reading: Reading) -> Any:
    """On a table at the end."""
    if not _of_all(reading, "problems_open"):
        return None
    raised, settled, again = [
        (await reading.measured_along("item_kind", PROBLEM, name, stock=True)).count
        for name in ("raised", "settled", "raised_again")
    ]
    return raised - settled + again


async def problems_solved(reading: Reading) -> Any:
    """Resolved in the period."""
    if not _of_all(reading, "problems_solved"):
        return None
    return (await reading.measured_along("item_kind", PROBLEM, "settled")).count


MEETING_FIGURES = (
    Figure("meetings_held", "Meetings that ended on days of the period, of the department or team asked about.",
           meetings_held, "meetings_held"),
    Figure("meeting_hours", "Hours that these meetings took; a cost and not a merit.", meeting_hours, "meetings_held"),
)  # fmt: skip
PROBLEM_FIGURES = (
    Figure("problems_open", "Problems that were brought up at meetings and not resolved at the end.", problems_open,
           "problems_open"),
    Figure("problems_solved", "Resolutions of problems on days of the period.", problems_solved, "problems_solved"),
)  # fmt: skip
