"""`/v1/series/{id}/attendance`: what members answer to all meetings of a series, or to one that is not called yet."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Literal

import sqlalchemy as sa
from pydantic import Field, model_validator

from services.meetings.api.calling import meeting_of, refuse_if_called
from services.meetings.api.series import series
from services.meetings.domain.meetings import Meeting
from services.meetings.domain.series import EVERY, OccurrenceIsSkipped, Series
from services.meetings.places import invited_to
from shared.http.bodies import Body, Ref
from shared.instant import Day, Instant, day_of
from shared.known import KnownMember, known, local_day, today
from shared.store import Snapshot, Tx

_meeting = Meeting.__table__.c  # type: ignore[attr-defined]
_CALLED = sa.select(Meeting).where(_meeting.series == sa.bindparam("series"), _meeting.status == "called")
Answer = Literal["invited", "accepted", "tentative", "declined"]


class AnswerSeries(Body):
    """What a member answers to all times of a series, or to one of them; `invited` takes an answer back."""

    member: Ref
    status: Answer
    occurrence: Instant | None = None
    on: Day | None = Field(default=None, description="the day of one time, in the zone of the series")

    @model_validator(mode="after")
    def _at_most_one(self) -> AnswerSeries:
        if self.occurrence is not None and self.on is not None:
            raise ValueError("name one time by occurrence or by on; without them all are meant")
        return self

    def of(self, planned: Series) -> datetime | None:
        """The time that is meant; none for all of them."""
        return planned.occurrence_on(self.on) if self.on is not None else self.occurrence


# An answer takes the place of the one before, so giving an earlier one again is not a repetition.
@series.verb("attendance", replaces=True)
async def answer_series(tx: Tx, planned: Series, body: AnswerSeries) -> Series:
    """Note what a member answers to all meetings of a series, those that are called and not answered by themselves
    included; or to one that is not called yet."""
    member: KnownMember = await known(tx, KnownMember, body.member, "/member")
    occurrence, pointer = body.of(planned), "/on" if body.on else "/occurrence"
    if occurrence is None:
        await answer_all(tx, planned, member.id, body.status)
    else:
        await refuse_if_called(tx, planned, occurrence, pointer)
        await answer_one(tx, planned, member.id, body.status, occurrence, pointer)
    return planned


async def answer_all(tx: Tx, planned: Series, member: str, status: str) -> Series:
    """Note an answer to all times of a series: it holds for what is called and was not answered by itself, too."""
    invited = await _invited(tx, planned, await _first_day(tx, planned))
    before = planned.answers.get(member, {}).get(EVERY, "invited")
    tx.save(planned, planned.answer(member, status, invited, await today(tx)))
    for each in await tx.all(Meeting, _CALLED, series=planned.id):
        if each.attendance.get(member, "invited") == before:
            meeting = await tx.load(Meeting, each.id)
            expected = await invited_to(tx, meeting, meeting.on)
            if member in expected or member in meeting.attendance:
                tx.save(meeting, meeting.attend({member: status}, expected))
    return planned


async def answer_one(
    tx: Tx, planned: Series, member: str, status: str, occurrence: datetime, pointer: str = "/occurrence"
) -> Meeting | Series:
    """Note an answer to one time of a series, at the meeting that it has become if it has."""
    planned.refuse_unless_met(occurrence, pointer)
    called = await meeting_of(tx, planned, occurrence)
    if called is not None:
        meeting = await tx.load(Meeting, called)
        return tx.save(meeting, meeting.attend({member: status}, await invited_to(tx, meeting, meeting.on)))
    if planned.skips(occurrence):
        raise OccurrenceIsSkipped(on=day_of(occurrence, planned.zone), pointer=pointer)
    invited = await _invited(tx, planned, await local_day(tx, occurrence))
    on = day_of(occurrence, planned.zone)
    return tx.save(planned, planned.answer(member, status, invited, await today(tx), on))


async def _first_day(tx: Tx, planned: Series) -> date:
    return max(await today(tx), await local_day(tx, planned.starts_at))


async def _invited(snapshot: Snapshot, planned: Series, day: date) -> Collection[str]:
    return await invited_to(snapshot, planned, day) | set(planned.guests)
