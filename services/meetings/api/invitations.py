"""`/v1/meetings/{id}/invitation.ics`: a meeting as it is sent to those who are to come, or not to come any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response
from pydantic import StringConstraints

from services.meetings.api.meetings import meetings
from services.meetings.api.people import people_told
from services.meetings.calendar.document import Recorded
from services.meetings.calendar.feed import recorded_of
from services.meetings.calendar.invitation import Invitation, Party
from services.meetings.domain.meetings import Meeting
from services.meetings.domain.series import Series
from services.meetings.places import invited_to
from shared.errors import Refused
from shared.http.collection import Reference
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.http.writes import is_known
from shared.identity.permissions import Principal, require
from shared.ids import fingerprint
from shared.instant import day_of, now
from shared.known import KnownTeam, house
from shared.store import Snapshot
from shared.store.sql import OneOf

router = APIRouter(tags=["meetings"])
_READ = require("meetings:read")
_team = KnownTeam.__table__.c  # type: ignore[attr-defined]
_LED = sa.select(KnownTeam).where(OneOf(_team.id, "teams"), _team.leader.is_not(None))
MEDIA: Final = "text/calendar"


class NobodyAsks(Refused):
    """Nobody leads a team that meets here; name in organizer the address to which answers are to go."""

    at = "/organizer"


Address = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s<>\"',;:]+@[^@\s<>\"',;:]+$")]

Organizer = Annotated[Address | None, Query(description="where answers go, if not to who leads the team")]


@dataclass(frozen=True, slots=True)
class Asked:
    """A meeting, who leads the first of its teams, and what is noted of each who is invited."""

    meeting: Meeting
    recorded: Recorded
    zone: str
    leader: str | None
    members: dict[str, str]
    today: date


def as_document() -> dict[str, Any]:
    """What OpenAPI says of a route that answers with an invitation."""
    documented = described(_READ, None, {200: None, 304: None}, missing=True, conflict=True)
    documented["responses"]["200"]["content"] = {MEDIA: {"schema": {"type": "string"}}}
    return documented


@router.get(
    "/v1/meetings/{ref}/invitation.ics",
    operation_id="invitation_of_meeting",
    openapi_extra=as_document(),
    response_class=Response,
)
async def invitation_of_meeting(
    request: Request,
    ref: Reference,
    organizer: Organizer = None,
    if_none_match: Annotated[str | None, Header()] = None,
    principal: Principal = Depends(_READ),
) -> Response:
    """The meeting as an iTIP document for a mailer to send: METHOD:REQUEST with who is invited and what they have
    answered, METHOD:CANCEL once it is cancelled. Who may not read people finds members by their id."""

    async def query(snapshot: Snapshot) -> Asked:
        meeting = await snapshot.get(Meeting, ref)
        return await _asked(snapshot, await meetings.for_reader(snapshot, meeting, ref, principal))

    asked = await runtime_of(request).store.read(query)
    parties = await parties_of(request, principal, organizer, asked.leader, asked.members)
    invitation = Invitation(asked.meeting, asked.recorded, asked.zone, parties.organizer, parties.asked(asked.members))
    return sent(invitation.document(asked.today), invitation.method, if_none_match)


@dataclass(frozen=True, slots=True)
class Parties:
    """Who asks, and everybody who is asked, as far as the reader may know them."""

    organizer: Party
    known: Mapping[str, Party]

    def asked(self, said: Mapping[str, str]) -> list[tuple[Party, str]]:
        """Some who are asked, each with what is noted of them."""
        return [(self.known[member], status) for member, status in sorted(said.items())]


async def parties_of(
    request: Request, reader: Principal, organizer: str | None, leader: str | None, members: Iterable[str]
) -> Parties:
    """Who asks and who is asked, by name and address for who may read people. Raises NobodyAsks."""
    if organizer is None and leader is None:
        raise NobodyAsks
    everybody = sorted({*members, *([leader] if leader else [])})
    told = await people_told(request, reader, everybody)
    known = {each: Party(told[each].name, told[each].email, each) if each in told else Party(member=each)
             for each in everybody}  # fmt: skip
    return Parties(Party(email=organizer) if organizer is not None else known[leader or ""], known)


def sent(document: bytes, method: str, if_none_match: str | None) -> Response:
    """An invitation as the answer; its media type says what is asked."""
    headers = {"ETag": f'"{fingerprint(document)}"', "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    if is_known(headers, if_none_match):
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = 'inline; filename="invitation.ics"'
    return Response(document, headers=headers, media_type=f"{MEDIA}; method={method}; charset=utf-8")


async def leader_of(snapshot: Snapshot, teams: Sequence[str]) -> str | None:
    """Who leads the first of some teams that has a leader."""
    leaders = {each.id: each.leader for each in await snapshot.all(KnownTeam, _LED, teams=list(teams))}
    return next((leaders[team] for team in teams if team in leaders), None)


async def _asked(snapshot: Snapshot, meeting: Meeting) -> Asked:
    planned = await snapshot.recall(Series, meeting.series) if meeting.series else None
    own = (await house(snapshot)).zone
    invited = await invited_to(snapshot, meeting, meeting.on)
    return Asked(
        meeting,
        (await recorded_of(snapshot, [meeting.subject]))[meeting.subject],
        planned.zone if planned is not None else own,
        await leader_of(snapshot, meeting.teams),
        dict.fromkeys(invited, "invited") | meeting.attendance,
        day_of(now(), own),
    )
