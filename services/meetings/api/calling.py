"""How a meeting is called: one of a series at most once, and with the agenda of its template on the table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from services.meetings.domain.meetings import Meeting
from services.meetings.domain.series import Series
from services.meetings.domain.templates import Template
from services.meetings.places import invited_to
from shared.errors import Refused
from shared.events.meetings import MeetingCalled
from shared.known import KnownMember, local_day, today
from shared.store import Snapshot, Tx

_meeting = Meeting.__table__.c  # type: ignore[attr-defined]
_SAME = sa.select(_meeting.id).where(
    _meeting.series == sa.bindparam("series"),
    _meeting.occurrence == sa.bindparam("occurrence"),
    _meeting.status != "cancelled",
)


class CalledAlready(Refused):
    """The meeting of {at} has been called already; it is {meeting}."""

    at = "/starts_at"


async def meeting_of(snapshot: Snapshot, planned: Series, occurrence: datetime | None) -> str | None:
    """The meeting that a time of a series has become, cancelled ones apart."""
    found: str | None = await snapshot.scalar(_SAME, series=planned.id, occurrence=occurrence)
    return found


async def refuse_if_called(tx: Tx, planned: Series, occurrence: datetime, pointer: str) -> None:
    """Refuse what is for times that have not become a meeting."""
    called = await meeting_of(tx, planned, occurrence)
    if called is not None:
        raise CalledAlready(at=occurrence.isoformat(), meeting=called, pointer=pointer)


async def call_occurrence(tx: Tx, planned: Series, occurrence: datetime, pointer: str, **fields: Any) -> Meeting:
    """Make one of the times of a series a meeting, perhaps at another time."""
    return await _with_agenda(tx, *await called_from(tx, planned, occurrence, pointer, **fields))


async def called_from(
    tx: Tx, planned: Series, occurrence: datetime, pointer: str, *, guests: Sequence[str] = (), **fields: Any
) -> tuple[Meeting, MeetingCalled]:
    """The meeting that a time of a series becomes; of the guests of the series those who work here on its day."""
    await refuse_if_called(tx, planned, occurrence, pointer)
    on = await local_day(tx, fields.get("starts_at", occurrence))
    usual = [each for each in planned.guests if await works_here(tx, each, on)]
    guests = list(dict.fromkeys((*usual, *guests)))
    as_planned = {"starts_at": occurrence, "minutes": planned.minutes}
    asked = all(fields.get(name, usually) == usually for name, usually in as_planned.items())
    answers = await _answers(tx, planned, occurrence, on, guests) if asked else {}
    return planned.call(occurrence, on, guests=guests, answers=answers, **fields)


async def call_by_itself(tx: Tx, *, starts_at: datetime, **fields: Any) -> Meeting:
    """Call a meeting that is none of a series."""
    on = await local_day(tx, starts_at)
    return await _with_agenda(tx, *Meeting.call(starts_at=starts_at, on=on, **fields))


async def _answers(tx: Tx, planned: Series, occurrence: datetime, on: date, guests: Sequence[str]) -> dict[str, str]:
    """What is answered to a time of a series by those who are invited on its day."""
    said = planned.answers_to(occurrence)
    invited = await invited_to(tx, planned, on) | set(guests) if said else set()
    return {member: status for member, status in said.items() if member in invited}


async def works_here(snapshot: Snapshot, member: str, day: date) -> bool:
    """Whether somebody works here on a day."""
    who = await snapshot.recall(KnownMember, member)
    return who is not None and who.department_on(day) is not None


async def _with_agenda(tx: Tx, meeting: Meeting, called: MeetingCalled) -> Meeting:
    if meeting.template is None:
        return tx.save(meeting, called)
    template = await tx.get(Template, meeting.template)
    meeting.sections, table = template.laid_out(meeting.id, min(meeting.on, await today(tx)))
    saved = tx.save(meeting, called)
    for item, raised in table:
        tx.save(item, raised)
    return saved
