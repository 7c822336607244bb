"""What a calendar shows: series of those whose it is, and meetings of the last year that are theirs by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from services.meetings.calendar.document import Recorded, Shown
from services.meetings.calendar.links import Calendar
from services.meetings.domain.meetings import Meeting
from services.meetings.domain.series import DECLINED, EVERY, Series
from services.meetings.double_bookings import NOT_EXPECTED
from services.meetings.places import Places
from shared.events.meetings import AttendanceNoted, MeetingEnded, MeetingStarted
from shared.events.series import SeriesAnswered
from shared.instant import day_of
from shared.known import KnownMember, house
from shared.membership import end_of
from shared.store import Snapshot
from shared.store.sql import OneOf, naming
from shared.store.tables import Erased, Journal

YEAR = timedelta(days=366)
_journal = Journal.__table__.c  # type: ignore[attr-defined]
_meeting, _series = Meeting.__table__.c, Series.__table__.c  # type: ignore[attr-defined]
_SEVERAL = sa.select(Series).where(OneOf(_series.id, "ids"))
OF_SERIES = sa.select(Meeting).where(OneOf(_meeting.series, "ids"))
_HELD = (MeetingStarted.type, MeetingEnded.type, AttendanceNoted.type, SeriesAnswered.type)
"""What happens at a meeting, or on the way to it, and makes it no other for those who come."""
_is_held = sa.or_(*(_journal.type == each for each in _HELD))
_RECORDED = (
    sa.select(
        _journal.subject,
        sa.func.min(_journal.time),
        sa.func.max(_journal.time),
        sa.func.sum(sa.case((_is_held, 0), else_=1)),
    )
    .where(OneOf(_journal.subject, "subjects"))
    .group_by(_journal.subject)
)


async def shown_in(snapshot: Snapshot, calendar: Calendar, now: datetime) -> Shown | None:
    """What a calendar shows now; none when whose it is has left, or was erased."""
    zone = (await house(snapshot)).zone
    today = day_of(now, zone)
    if calendar.series is not None:
        return await _shown(snapshot, await going_on(snapshot, calendar.series), [], zone)
    if calendar.team is not None:
        of_team = Places({calendar.team}, set())
        return await _of(snapshot, of_team, of_team.mentioned(_meeting), now, zone)
    member = await snapshot.find(KnownMember, calendar.member)
    if member is None or not await _is_here(snapshot, member, today):
        return None
    return await _of_member(snapshot, member, now, zone)


async def _is_here(snapshot: Snapshot, member: KnownMember, today: date) -> bool:
    ended = end_of(member.employments[-1]) if member.employments else None
    return (ended is None or today < ended) and await snapshot.find(Erased, f"person/{member.id}") is None


async def going_on(snapshot: Snapshot, key: str) -> list[Series]:
    """A series and those that go on from it."""
    line: list[Series] = []
    following: str | None = key
    while following is not None:
        line.append(await snapshot.get(Series, following))
        following = line[-1].continued_by
    return line


async def _of_member(snapshot: Snapshot, member: KnownMember, now: datetime, zone: str) -> Shown:
    today = day_of(now, zone)
    ever = Places([each["of"] for each in member.memberships], [each["of"] for each in member.departments])
    invited = sa.or_(ever.mentioned(_meeting), naming(_meeting.attendance, member.id))
    shown = await _of(snapshot, Places.of(member, today), invited, now, zone, member.id)
    mine = {each.id for each in shown.series}

    def is_theirs(meeting: Meeting) -> bool:
        theirs_then = Places.of(member, meeting.on).meet(meeting)
        return meeting.series in mine or member.id in meeting.attendance or theirs_then

    shown.meetings = [each for each in shown.meetings if is_theirs(each)]
    declined = {each.id for each in shown.series if each.answers.get(member.id, {}).get(EVERY) == DECLINED}
    away = {each.id for each in shown.meetings if each.attendance.get(member.id) in NOT_EXPECTED}
    shown.free = frozenset(declined | away)
    shown.otherwise = {each.id: each.answered_otherwise(member.id) for each in shown.series}
    return shown


async def _of(
    snapshot: Snapshot,
    places: Places,
    invited: sa.ColumnElement[bool],
    now: datetime,
    zone: str,
    guest: str | None = None,
) -> Shown:
    since = now - YEAR
    lasting = sa.or_(_series.ended_on.is_(None), _series.ended_on > day_of(since, zone))
    theirs = sa.or_(places.mentioned(_series), naming(_series.guests, guest))
    series = await snapshot.all(Series, sa.select(Series).where(lasting, theirs))
    recent = sa.select(Meeting).where(_meeting.starts_at > since, invited)
    return await _shown(snapshot, [each for each in series if places.meet(each) or guest in each.guests],
                        await snapshot.all(Meeting, recent), zone)  # fmt: skip


async def _shown(snapshot: Snapshot, series: Sequence[Series], recent: Sequence[Meeting], zone: str) -> Shown:
    found = await snapshot.all(Meeting, OF_SERIES, ids=[each.id for each in series])
    meetings = {each.id: each for each in (*found, *recent)}
    known = {each.id for each in series}
    others = sorted({each.series for each in meetings.values() if each.series} - known)
    of_others = {each.id: each for each in await snapshot.all(Series, _SEVERAL, ids=others)} if others else {}
    recorded = await recorded_of(snapshot, [each.subject for each in (*series, *meetings.values())])
    in_order = sorted(meetings.values(), key=lambda each: (each.starts_at, each.id))
    ordered = sorted(series, key=lambda each: each.id)
    return Shown(ordered, in_order, recorded, zone, of_others=of_others)


async def recorded_of(snapshot: Snapshot, subjects: Sequence[str]) -> dict[str, Recorded]:
    """When things were told of, and how often they have become something else."""
    return {
        str(subject): Recorded(_at(made), _at(changed), int(told) - 1)
        for subject, made, changed, told in await snapshot.rows(_RECORDED, subjects=list(subjects))
    }


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
