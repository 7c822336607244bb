"""Which meetings are meant where somebody speaks of several: those of some days, perhaps of a series, a team or a
department, or those that are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa
from pydantic import Field, model_validator

from services.meetings.api.refs import here
from services.meetings.domain.meetings import Meeting
from services.meetings.domain.series import Series
from services.meetings.places import Places
from shared.errors import Refused
from shared.http.bodies import Body, Ref
from shared.instant import Day, start_of, zone_named
from shared.known import KnownDepartment, KnownTeam, house, known
from shared.store import Tx
from shared.store.sql import OneOf

MOST: Final = 500
MOST_DAYS: Final = 366
_meeting, _series = Meeting.__table__.c, Series.__table__.c  # type: ignore[attr-defined]
_team = KnownTeam.__table__.c  # type: ignore[attr-defined]
_TEAMS_OF = sa.select(_team.id).where(_team.department == sa.bindparam("department"))
_ON_DAYS = sa.select(Meeting).where(
    _meeting.on >= sa.bindparam("start", type_=sa.Date()),
    _meeting.on < sa.bindparam("end", type_=sa.Date()),
    _meeting.status != "cancelled",
)
_BECOME = sa.select(_meeting.series, _meeting.occurrence).where(OneOf(_meeting.series, "ids"))


class TooManyAtOnce(Refused):
    """These are more than {most} meetings, as many as are dealt with at once; name fewer days, a series, a team or a
    department."""

    status = 422


class Several(Body):
    """Meetings of some days, perhaps of one series, team or department; or those that are named."""

    start: Day | None = Field(default=None, alias="from", description="the first day, of the organisation's zone")
    end: Day | None = Field(default=None, alias="to", description="the first day after them")
    series: Ref | None = None
    team: Ref | None = None
    department: Ref | None = Field(default=None, description="its own meetings, and those of its teams")
    meetings: list[Ref] = Field(default_factory=list, max_length=MOST)
    dry_run: bool = Field(default=False, description="only say what would become of them")

    @model_validator(mode="after")
    def _some(self) -> Several:
        if (self.start is None) != (self.end is None) or (self.start is None) == (not self.meetings):
            raise ValueError("say from and to which day, or name the meetings")
        if self.meetings and (self.series or self.team or self.department):
            raise ValueError("meetings that are named need no series, team or department")
        if self.start is not None and self.end is not None:
            if self.end <= self.start:
                raise ValueError(f"to ({self.end}) is the first day after them, and not after from ({self.start})")
            if (self.end - self.start).days > MOST_DAYS:
                raise ValueError(f"these are {(self.end - self.start).days} days; at most {MOST_DAYS} at once")
        return self


@dataclass(frozen=True, slots=True)
class Time:
    """A meeting, or a time of a series that has not become one."""

    starts_at: datetime
    zone: str
    series: str | None = None
    meeting: str | None = None

    def later(self, days: int, minutes: int) -> datetime:
        """The same time of day so many days later, and then so many minutes."""
        place = zone_named(self.zone)
        local = self.starts_at.astimezone(place).replace(tzinfo=None) + timedelta(days=days)
        return local.replace(tzinfo=place).astimezone(UTC) + timedelta(minutes=minutes)


async def meant_by(tx: Tx, body: Several) -> list[Time]:
    """The meetings that are meant, in the order of their times, and locked with their series."""
    zone = (await house(tx)).zone
    if body.meetings:
        found = [await here(tx, Meeting, ref, f"/meetings/{place}") for place, ref in enumerate(body.meetings)]
        times = await _times_of(tx, list({each.id: each for each in found}.values()), [], zone)
    else:
        times = await _of_days(tx, body, zone)
    if len(times) > MOST:
        raise TooManyAtOnce(most=MOST)
    # In this order everywhere, so that two who do this at once do not wait for each other.
    await tx.foresee(Series, {each.series for each in times if each.series}, change=True)
    await tx.foresee(Meeting, {each.meeting for each in times if each.meeting}, change=True)
    return times


async def _of_days(tx: Tx, body: Several, zone: str) -> list[Time]:
    assert body.start is not None
    assert body.end is not None
    line = (await here(tx, Series, body.series, "/series")).id if body.series is not None else None
    places = await _places(tx, body)
    lasting = sa.or_(_series.ended_on.is_(None), _series.ended_on > body.start)
    among, planned = _ON_DAYS, sa.select(Series).where(lasting, _series.starts_at < start_of(body.end, zone))
    if line is not None:
        among, planned = among.where(_meeting.series == line), planned.where(_series.id == line)
    if places is not None:
        among, planned = among.where(places.mentioned(_meeting)), planned.where(places.mentioned(_series))
    called = await tx.all(Meeting, among, start=body.start, end=body.end)
    series = await tx.all(Series, planned)
    if places is not None:
        called, series = [each for each in called if places.meet(each)], [each for each in series if places.meet(each)]
    span = start_of(body.start, zone), start_of(body.end, zone)
    return await _times_of(tx, called, await _not_called(tx, series, span), zone)


async def _places(tx: Tx, body: Several) -> Places | None:
    if body.team is None and body.department is None:
        return None
    teams, departments = set[str](), set[str]()
    if body.team is not None:
        teams.add((await known(tx, KnownTeam, body.team, "/team")).id)
    if body.department is not None:
        departments.add((await known(tx, KnownDepartment, body.department, "/department")).id)
        teams |= {key for (key,) in await tx.rows(_TEAMS_OF, department=next(iter(departments)))}
    return Places(teams, departments)


async def _not_called(tx: Tx, series: Sequence[Series], span: tuple[datetime, datetime]) -> list[Time]:
    """The times of series in a span that are not skipped and have not become a meeting, cancelled or not."""
    rows = await tx.rows(_BECOME, ids=[each.id for each in series]) if series else []
    become = {(key, occurrence) for key, occurrence in rows}
    found: list[Time] = []
    for each in series:
        for at in each.by_rule(*span):
            if (each.id, at) not in become and not each.skips(at):
                found.append(Time(at, each.zone, each.id))
            if len(found) > MOST:
                raise TooManyAtOnce(most=MOST)
    return found


async def _times_of(tx: Tx, called: Sequence[Meeting], planned: Sequence[Time], zone: str) -> list[Time]:
    zones = {}
    for each in called:
        if each.series is not None and each.series not in zones:
            line = await tx.recall(Series, each.series)
            zones[each.series] = line.zone if line is not None else zone
    times = [Time(each.starts_at, zones.get(each.series or "", zone), each.series, each.id) for each in called]
    return sorted((*times, *planned), key=lambda each: (each.starts_at, each.meeting or "", each.series or ""))
