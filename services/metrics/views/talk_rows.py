"""What the figures about meetings and problems are made of."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from services.metrics.facts.meetings import ItemFact, MeetingFact
from services.metrics.views.frame import Reading
from services.metrics.views.row_source import Source, simple
from services.metrics.views.talks import PROBLEM

_meeting, _item = MeetingFact.__table__.c, ItemFact.__table__.c  # type: ignore[attr-defined]
_PROBLEMS = sa.select(ItemFact).where(_item.sort == PROBLEM)


async def _held(reading: Reading) -> list[sa.ColumnElement[bool]]:
    span = reading.question.span
    chosen = [_meeting.status == "ended", _meeting.on >= span.start, _meeting.on < span.end]
    for dim, column in (("team", _meeting.teams), ("department", _meeting.departments)):
        if dim in reading.filters:
            mention = f'"{reading.filters[dim]}"'
            chosen.append(sa.type_coerce(column, sa.Text).contains(mention, autoescape=True))
    return chosen


async def _open(reading: Reading) -> list[sa.ColumnElement[bool]]:
    asked = reading.question.span.asked
    found = await reading.snapshot.all(ItemFact, _PROBLEMS.where(_item.raised_on < asked))
    return [_item.id.in_([each.id for each in found if each.open_before(asked)])]


async def _solved(reading: Reading) -> list[sa.ColumnElement[bool]]:
    span = reading.question.span
    first, end = span.start.isoformat(), span.end.isoformat()
    found = await reading.snapshot.all(ItemFact, _PROBLEMS.where(_item.raised_on < span.end))
    solved = [each.id for each in found if any(first <= str(one["on"]) < end for one in each.resolutions)]
    return [_item.id.in_(solved)]


_show_item = simple("item", "meeting", "series", "raised_on", "raised_by", "department", "resolutions", "reopenings")
TALK_ROWS: Mapping[str, Source] = {
    "meetings_held": Source(MeetingFact, _held, simple("meeting", "form", "on", "teams", "departments", "lasted")),
    "problems_open": Source(ItemFact, _open, _show_item),
    "problems_solved": Source(ItemFact, _solved, _show_item),
}
