"""Who would have to be at two meetings at once: told beside an answer, and never a reason to refuse it.

Looked at are meetings that are called or running, and the times of series that have not become one. Who has declined,
or is excused, is not expected there.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, Final

import sqlalchemy as sa
from pydantic import BaseModel, Field

from services.meetings.domain.meetings import Meeting
from services.meetings.domain.series import Series
from services.meetings.places import Places
from shared.instant import day_of
from shared.known import KnownMember, house
from shared.store import Snapshot
from shared.store.sql import OneOf

LONGEST: Final = timedelta(days=1)
"""As long as a meeting lasts at most."""
SOON: Final = 8
"""How many times of a series are looked at when it is planned or changed."""
AHEAD: Final = timedelta(days=366)
ALIVE: Final = ("called", "running")
NOT_EXPECTED: Final = ("declined", "excused")
_meeting, _series = Meeting.__table__.c, Series.__table__.c  # type: ignore[attr-defined]
_member = KnownMember.__table__.c  # type: ignore[attr-defined]
_THEN = sa.select(Meeting).where(
    _meeting.starts_at >= sa.bindparam("start"), _meeting.starts_at < sa.bindparam("end"),
    sa.or_(*(_meeting.status == each for each in ALIVE)),
)  # fmt: skip
_LASTING = sa.select(Series).where(
    _series.starts_at < sa.bindparam("end"),
    sa.or_(_series.ended_on.is_(None), _series.ended_on >= sa.bindparam("day", type_=sa.Date())),
)
_BECOME = sa.select(_meeting.series, _meeting.occurrence).where(OneOf(_meeting.series, "ids"))
_NAMED = sa.select(KnownMember).where(OneOf(_member.id, "ids"))


class DoubleBooking(BaseModel):
    """A member who is expected at another meeting at the same time, and which one that is."""

    member: str
    meeting: str | None = Field(description="null of a time of a series that has not become a meeting")
    series: str | None
    name: str
    starts_at: datetime
    minutes: int


class AwayThen(BaseModel):
    """A member who is away on the day of a meeting, and when that begins."""

    member: str
    starts_at: datetime


class DoubleBooked(BaseModel):
    """What is told beside the answer to who calls or moves a meeting."""

    away: list[AwayThen] = Field(
        default=[], description="who is away then, of those whose days of absence the writer may see; never why"
    )
    double_booked: list[DoubleBooking] = Field(
        default=[], description="who is expected elsewhere then; told beside the answer to a write, and no refusal"
    )


@dataclass(frozen=True, slots=True)
class Taken:
    """A time at which people meet: that of a meeting, or one of a series that has not become one."""

    starts_at: datetime
    minutes: int
    on: date
    """Its day in the organisation's time zone."""
    name: str
    teams: Sequence[str]
    departments: Sequence[str]
    said: Mapping[str, str]
    """By member what is noted of them."""
    meeting: str | None = None
    series: str | None = None
    occurrence: datetime | None = None

    @classmethod
    def by(cls, meeting: Meeting) -> Taken:
        """When a meeting is."""
        return cls(
            meeting.starts_at, meeting.minutes, meeting.on, meeting.name, meeting.teams, meeting.departments,
            meeting.attendance, meeting.id, meeting.series, meeting.occurrence,
        )  # fmt: skip

    @classmethod
    def of(cls, series: Series, occurrence: datetime, zone: str) -> Taken:
        """One of the times of a series."""
        return cls(
            occurrence, series.minutes, day_of(occurrence, zone), series.name, series.teams, series.departments,
            dict.fromkeys(series.guests, "invited") | series.answers_to(occurrence), None, series.id, occurrence,
        )  # fmt: skip

    @property
    def ends_at(self) -> datetime:
        """When it is over."""
        return self.starts_at + timedelta(minutes=self.minutes)

    @property
    def keys(self) -> set[Any]:
        """What it is known by: the meeting, and the time of a series that it stands for."""
        return {self.meeting, self.occurrence and (self.series, self.occurrence)} - {None}

    def meets(self, other: Taken) -> bool:
        """Whether another one is at the same time."""
        return other is not self and self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def expects(self, member: KnownMember) -> bool:
        """Whether somebody is to come."""
        said = self.said.get(member.id)
        return said not in NOT_EXPECTED and (said is not None or Places.of(member, self.on).meet(self))


async def double_booked(snapshot: Snapshot, wanted: Sequence[Taken]) -> list[list[dict[str, Any]]]:
    """For each of these times who is expected elsewhere then, by time and member. Where one of them is moved, it is at
    its new time and no more at the one before."""
    if not wanted:
        return []
    people = await everybody_of(snapshot, wanted)
    there = sorted([*await _others(snapshot, wanted), *wanted], key=_place)
    begins = [each.starts_at for each in there]
    return [
        [
            {"member": member.id, "meeting": other.meeting, "series": other.series, "name": other.name,
             "starts_at": other.starts_at, "minutes": other.minutes}
            for other in there[bisect_left(begins, each.starts_at - LONGEST) : bisect_left(begins, each.ends_at)]
            if each.meets(other)
            for member in people
            if each.expects(member) and other.expects(member)
        ]
        for each in wanted
    ]  # fmt: skip


async def expected_elsewhere(snapshot: Snapshot, meeting: Meeting) -> list[dict[str, Any]]:
    """Who is expected at another meeting while this one is; nobody, once it is over or cancelled."""
    if meeting.status not in ALIVE:
        return []
    (found,) = await double_booked(snapshot, [Taken.by(meeting)])
    return found


async def soon(snapshot: Snapshot, series: Series, now: datetime) -> list[Taken]:
    """The next times of a series that have not become a meeting."""
    begin = max(now, series.starts_at)
    become = {at for _, at in await snapshot.rows(_BECOME, ids=[series.id])}
    next_ones = islice(series.by_rule(begin, begin + AHEAD), SOON)
    zone = (await house(snapshot)).zone
    return [Taken.of(series, at, zone) for at in next_ones if at not in become and not series.skips(at)]


async def everybody_of(snapshot: Snapshot, wanted: Iterable[Taken]) -> list[KnownMember]:
    """Everybody who may be expected at one of these times."""
    teams = {key for each in wanted for key in each.teams}
    places = Places(teams, {key for each in wanted for key in each.departments})
    named = sorted({member for each in wanted for member in each.said})
    found = [*await places.ever(snapshot), *await snapshot.all(KnownMember, _NAMED, ids=named)]
    by_id = {each.id: each for each in found}
    return [by_id[key] for key in sorted(by_id)]


async def _others(snapshot: Snapshot, wanted: Sequence[Taken]) -> list[Taken]:
    """What else there is around these times."""
    start, end = min(each.starts_at for each in wanted) - LONGEST, max(each.ends_at for each in wanted)
    found = [Taken.by(each) for each in await snapshot.all(Meeting, _THEN, start=start, end=end)]
    found += await _not_called(snapshot, start, end)
    moved = {key for each in wanted for key in each.keys}
    return [each for each in found if not moved.intersection(each.keys)]


async def _not_called(snapshot: Snapshot, start: datetime, end: datetime) -> list[Taken]:
    """The times of series that have not become a meeting."""
    zone = (await house(snapshot)).zone
    series = await snapshot.all(Series, _LASTING, end=end, day=start.date() - LONGEST)
    rows = await snapshot.rows(_BECOME, ids=[each.id for each in series]) if series else []
    become = {(key, occurrence) for key, occurrence in rows}
    return [
        Taken.of(each, at, zone)
        for each in series
        for at in each.by_rule(start, end)
        if (each.id, at) not in become and not each.skips(at)
    ]


def _place(each: Taken) -> tuple[datetime, str, str]:
    return each.starts_at, each.meeting or "", each.series or ""
