"""Is what we agree on done? Actions that are open, overdue, and done by their day, by who owns them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.meetings import ActionFact
from services.metrics.views.frame import Figure, Reading
from services.metrics.views.line_of_sight import WHOSE, agreed_actions
from services.metrics.views.row_source import Conditions, Source, simple
from services.metrics.views.values import shown_rate

_action = ActionFact.__table__.c  # type: ignore[attr-defined]
ONE_DAY: Final = timedelta(days=1)


async def _agreed(reading: Reading) -> Sequence[ActionFact]:
    """The actions that were agreed by the end, of whoever the question is about."""
    found = await agreed_actions(reading)
    return [each for each, whose in found if all(whose.get(dim) == key for dim, key in reading.filters.items())]


async def _open(reading: Reading) -> Sequence[ActionFact]:
    return [each for each in await _agreed(reading) if each.to_do_before(reading.question.span.asked)]


async def _overdue(reading: Reading) -> Sequence[ActionFact]:
    last = reading.question.span.asked - ONE_DAY
    return [each for each in await _open(reading) if each.due is not None and each.due < last]


async def _done(reading: Reading) -> Sequence[ActionFact]:
    return [each for each in await _agreed(reading) if _times(each, reading)]


def _times(action: ActionFact, reading: Reading) -> Sequence[Mapping[str, Any]]:
    """Each time an action was done in the period."""
    first, end = reading.question.span.start.isoformat(), reading.question.span.end.isoformat()
    return [each for each in action.done if first <= str(each["on"]) < end]


def _known(reading: Reading, figure: str) -> bool:
    if set(reading.filters) - set(WHOSE):
        reading.note(figure, "actions are known by the department, team and member of who owns them")
        return False
    return True


async def actions_open(reading: Reading) -> Any:
    """To be done at the end."""
    return len(await _open(reading)) if _known(reading, "actions_open") else None


async def actions_overdue(reading: Reading) -> Any:
    """Due and not done at the end."""
    return len(await _overdue(reading)) if _known(reading, "actions_overdue") else None


async def actions_on_time(reading: Reading) -> Any:
    """Done by the day that was agreed."""
    if not _known(reading, "actions_on_time"):
        return None
    times = [each for action in await _done(reading) for each in _times(action, reading)]
    if not times:
        reading.note("actions_on_time", "no action was done in the period")
    return shown_rate(sum(bool(each["on_time"]) for each in times), len(times))


def _rows(which: Any) -> Conditions:
    async def conditions(reading: Reading) -> list[sa.ColumnElement[bool]]:
        found = await which(reading) if not set(reading.filters) - set(WHOSE) else []
        return [_action.id.in_([each.id for each in found])]

    return conditions


_show = simple("action", "owner", "goal", "meeting", "item", "agreed_on", "due", "done")
ACTION_FIGURES: Final = (
    Figure("actions_open", "Actions agreed by the end and neither done nor cancelled; of a department or team those of "
           "its members at the end.", actions_open, "actions_open"),
    Figure("actions_overdue", "Actions that were due before the last day and not done by then.", actions_overdue,
           "actions_overdue"),
    Figure("actions_on_time", "Times that actions were done, on days of the period, by the day that was agreed ÷ all "
           "times that one was done.", actions_on_time, "actions_done"),
)  # fmt: skip
ACTION_ROWS: Final[Mapping[str, Source]] = {
    "actions_open": Source(ActionFact, _rows(_open), _show),
    "actions_overdue": Source(ActionFact, _rows(_overdue), _show),
    "actions_done": Source(ActionFact, _rows(_done), _show),
}
