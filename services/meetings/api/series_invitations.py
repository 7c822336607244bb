"""`/v1/series/{id}/invitation.ics`: a whole series as it is sent to those who are to come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import Response

from services.meetings.api.calling import works_here
from services.meetings.api.invitations import Organizer, as_document, leader_of, parties_of, sent
from services.meetings.api.series import series
from services.meetings.calendar.document import Recorded, comes, differs, not_called_anew
from services.meetings.calendar.feed import OF_SERIES, going_on, recorded_of
from services.meetings.calendar.series_invitation import SeriesInvitation, Single
from services.meetings.domain.meetings import Meeting
from services.meetings.domain.series import EVERY, Series
from services.meetings.places import invited_to
from shared.http.collection import Reference
from shared.http.runtime import runtime_of
from shared.identity.permissions import Principal, require
from shared.instant import day_of, now, start_of
from shared.known import house
from shared.store import Snapshot

router = APIRouter(tags=["series"])
_READ = require("meetings:read")


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """A series, who leads the first of its teams, and what is noted of each who is invited."""

    series: Series
    recorded: Recorded
    leader: str | None
    said: Mapping[str, str]
    left_out: Sequence[datetime]
    singles: Sequence[Single]
    today: date

    @property
    def members(self) -> set[str]:
        """Everybody who is invited, if only to one time."""
        return {member for said in (self.said, *(each.said for each in self.singles)) for member in said}


@router.get(
    "/v1/series/{ref}/invitation.ics",
    operation_id="invitation_of_series",
    openapi_extra=as_document(),
    response_class=Response,
)
async def invitation_of_series(
    request: Request,
    ref: Reference,
    organizer: Organizer = None,
    if_none_match: Annotated[str | None, Header()] = None,
    principal: Principal = Depends(_READ),
) -> Response:
    """A series as one iTIP document: its rule, the times it leaves out, and each time that was moved or is answered
    otherwise. Who is sent this one need not be sent those of its meetings."""

    async def query(snapshot: Snapshot) -> AskedAgain:
        planned = await snapshot.get(Series, ref)
        return await _asked(snapshot, await series.for_reader(snapshot, planned, ref, principal))

    asked = await runtime_of(request).store.read(query)
    parties = await parties_of(request, principal, organizer, asked.leader, asked.members)
    singles = [(each, parties.asked(each.said)) for each in asked.singles]
    invitation = SeriesInvitation(
        asked.series, asked.recorded, asked.left_out, parties.organizer, parties.asked(asked.said), singles
    )
    return sent(invitation.document(asked.today), invitation.method, if_none_match)


async def _asked(snapshot: Snapshot, planned: Series) -> AskedAgain:
    zone = (await house(snapshot)).zone
    today = day_of(now(), zone)
    called = await snapshot.all(Meeting, OF_SERIES, ids=[planned.id])
    stands = [each for each in not_called_anew(called) if each.occurrence and comes(planned, each.occurrence)]
    times = {each.occurrence: each.status for each in stands}
    skipped = {at for at in planned.skipped_times() if at not in times}
    return AskedAgain(
        planned,
        await recorded_as_invitation(snapshot, planned),
        await leader_of(snapshot, planned.teams),
        await invited_on(snapshot, planned, max(today, day_of(planned.starts_at, zone)), EVERY),
        sorted(skipped | {at for at, status in times.items() if at is not None and status == "cancelled"}),
        [*await _met_otherwise(snapshot, planned, stands), *await _answered_otherwise(snapshot, planned, times, today)],
        today,
    )


async def invited_on(snapshot: Snapshot, planned: Series, day: date, answered: str) -> dict[str, str]:
    """Who is invited to a series on a day, with what they have answered to every time, or to one by its day."""
    invited = await invited_to(snapshot, planned, day)
    invited |= {each for each in planned.guests if await works_here(snapshot, each, day)}
    return {
        member: said.get(answered, said.get(EVERY, "invited"))
        for member in invited
        for said in [planned.answers.get(member, {})]
    }


async def _met_otherwise(snapshot: Snapshot, planned: Series, stands: Sequence[Meeting]) -> list[Single]:
    """The meetings that are otherwise than the series says, and those to come that are answered otherwise."""
    found = []
    for each in stands:
        if each.status == "cancelled" or not (each.status == "called" or differs(planned, each)):
            continue
        said = dict.fromkeys(await invited_to(snapshot, planned, each.on), "invited") | each.attendance
        if differs(planned, each) or said != await invited_on(snapshot, planned, each.on, EVERY):
            found.append(Single(each.occurrence or each.starts_at, each.starts_at, each.minutes, each.name, said))
    return found


async def _answered_otherwise(
    snapshot: Snapshot, planned: Series, times: Mapping[datetime | None, str], today: date
) -> list[Single]:
    """The times to come that have not become a meeting and that somebody answers by themselves."""
    days = sorted({on for said in planned.answers.values() for on in said if on != EVERY and on >= today.isoformat()})
    found = []
    for day in map(date.fromisoformat, days):
        begin = start_of(day, planned.zone)
        end = start_of(date.fromordinal(day.toordinal() + 1), planned.zone)
        at = next(planned.by_rule(begin, end), None)
        if at is not None and at not in times and not planned.skips(at):
            said = await invited_on(snapshot, planned, day, day.isoformat())
            found.append(Single(at, at, planned.minutes, planned.name, said))
    return found


async def recorded_as_invitation(snapshot: Snapshot, planned: Series) -> Recorded:
    """When a series and its meetings were told of, and how often one of them has become another for those who come.
    Meetings that have gone on in another series count too, so that it never falls."""
    line = [each.id for each in await going_on(snapshot, planned.id)]
    meetings = await snapshot.all(Meeting, OF_SERIES, ids=line)
    recorded = await recorded_of(snapshot, [planned.subject, *(each.subject for each in meetings)])
    own = recorded.pop(planned.subject)
    return replace(
        own,
        changed=max([own.changed, *(each.changed for each in recorded.values())]),
        revision=own.revision + sum(each.revision + 1 for each in recorded.values()),
    )
