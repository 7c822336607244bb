"""`GET /v1/members/{id}/personal-data`: what is stored of somebody, and where texts name them that no erasure finds.

A member reads what is stored of them. Whoever answers for personal data reads it too, but for what is private between
the member and those they chose, and is shown where the texts of all services name the member.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import httpx
import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.teams.api.absences import absences_of
from services.teams.api.duties import duties
from services.teams.api.equipment import equipment
from services.teams.api.members import members
from services.teams.api.onboardings import onboardings
from services.teams.api.openings import openings
from services.teams.api.recognitions import recognitions
from services.teams.api.setbacks import setbacks
from services.teams.api.trainings import trainings
from services.teams.domain.learning import Ability
from services.teams.domain.members import Member
from services.teams.entries import Entry
from shared.http.bodies import shown
from shared.http.collection import Collection, Reference
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.http.writes import as_json
from shared.identity.permissions import Principal, forbidden, require
from shared.mentions import Mention, Mentions, words_of
from shared.store import Snapshot

router = APIRouter(tags=["members"])
_MAY = require("people:read")
_CONTROLLER = "people:write"
SERVICES = ("teams", "targets", "meetings", "metrics")
OF_SOMEBODY: dict[str, tuple[Collection[Any], tuple[str, ...]]] = {
    "duties": (duties, ("member", "assigned_by", "receiver", "done_by", "judged_by")),
    "equipment": (equipment, ("holder", "holdings")),
    "onboardings": (onboardings, ("member", "buddy")),
    "openings": (openings, ("requested_by", "approved_by", "filled_by")),
    "recognitions": (recognitions, ("to", "by")),
    "setbacks": (setbacks, ("member", "colleague", "reported_by", "readers")),
    "trainings": (trainings, ("member",)),
}
"""The things of teams that are about somebody, and in which fields they stand."""
ERASED_WITH_THEM = {
    "absence": {"because"},
    "directory_entry": set(Entry.model_fields),
    "duty": {"reason"},
    "member": {"employments", "externals"},
    "onboarding": {"steps"},
    "recognition": {"note"},
    "setback": {"note", "outcome", "follow_ups"},
    "training": {"comment"},
}
"""What was said by a member, to them or about them, goes with their personal data."""
_ability = Ability.__table__.c  # type: ignore[attr-defined]
_entry = Entry.__table__.c  # type: ignore[attr-defined]


class Stored(BaseModel):
    """What is stored of somebody, and where else they are named."""

    member: dict[str, Any]
    directory: dict[str, Any] | None = Field(description="what an identity tool says of them")
    absences: list[dict[str, Any]]
    abilities: list[dict[str, Any]]
    things: dict[str, list[dict[str, Any]]] = Field(description="by collection: what is about them")
    withheld: dict[str, int] = Field(description="by collection: how many are not for this reader")
    connected: dict[str, dict[str, int]] = Field(
        description="by service and kind: how many things have to do with them"
    )
    mentions: list[Mention] = Field(
        description="for who answers for personal data: texts that an erasure does not find"
    )
    not_asked: list[str] = Field(description="services that did not answer, so that their texts are not known")


@router.get(
    "/v1/members/{ref}/personal-data",
    operation_id="personal_data_of_member",
    openapi_extra=described(_MAY, None, {200: Stored}, missing=True),
)
async def personal_data_of_member(
    request: Request, ref: Reference, principal: Annotated[Principal, Depends(_MAY)]
) -> Response:
    """What is stored of a member, for them and for who answers for personal data."""

    async def query(snapshot: Snapshot) -> tuple[dict[str, Any], list[str]]:
        member = await snapshot.get(Member, ref)
        if principal.member != member.id and not principal.may(_CONTROLLER):
            raise forbidden(_CONTROLLER)
        return await _stored(snapshot, member, principal)

    stored, words = await runtime_of(request).store.read(query)
    answers_for_it = principal.may(_CONTROLLER)
    found = await _elsewhere(request, stored["member"]["id"], words if answers_for_it else [])
    found["mentions"] = [each for each in map(_staying(stored), found["mentions"]) if each.fields]
    return Response(as_json(stored | found), media_type="application/json")


def _staying(stored: dict[str, Any]) -> Callable[[Mention], Mention]:
    """What is left of a mention when the member's personal data is erased."""
    key = stored["member"]["id"]
    mine = {key, *(each["id"] for each in stored["absences"]), *stored.pop("theirs")}

    def staying(mention: Mention) -> Mention:
        gone = ERASED_WITH_THEM.get(mention.kind, set()) if mention.id in mine else set()
        return mention.model_copy(update={"fields": [each for each in mention.fields if each not in gone]})

    return staying


async def _stored(snapshot: Snapshot, member: Member, reader: Principal) -> tuple[dict[str, Any], list[str]]:
    """What teams has of a member, and by which words texts may name them."""
    (fields,) = await members.present(snapshot, [member], reader)
    entries = await snapshot.all(Entry, sa.select(Entry).where(_entry.id == member.id))
    abilities = await snapshot.all(Ability, sa.select(Ability).where(_ability.member == member.id))
    things, withheld, theirs = {}, {}, set()
    for name, (collection, places) in OF_SOMEBODY.items():
        columns = collection.entity.__table__.c
        quoted = [sa.type_coerce(columns[place], sa.Text).contains(member.id, autoescape=True) for place in places]
        things[name], hidden = await collection.all_for(snapshot, sa.or_(*quoted), reader)
        if hidden:
            withheld[name] = hidden
        own = [sa.type_coerce(columns[each], sa.Text).contains(member.id, autoescape=True) for each in _whose(places)]
        theirs |= {str(key) for (key,) in await snapshot.rows(sa.select(columns.id).where(sa.or_(*own)))}
    absences = [shown(each) for each in await absences_of(snapshot, member.id)]
    directory = entries[0].content() if entries else None
    names = [fields["name"], fields["email"], *(each["id"] for each in fields["externals"])]
    if directory:
        names += [directory["user_name"], directory["given_name"], directory["family_name"], directory["formatted"]]
    stored = {"member": fields, "directory": directory, "absences": absences, "things": things, "withheld": withheld,
              "abilities": [shown(each) for each in abilities], "theirs": theirs}  # fmt: skip
    return stored, words_of(names)


def _whose(places: tuple[str, ...]) -> tuple[str, ...]:
    """The places of those whose something is, not of those who only had to do with it."""
    return tuple(each for each in places if each in ("member", "done_by", "to")) or places


async def _elsewhere(request: Request, member: str, words: list[str]) -> dict[str, Any]:
    """What all services say of it, and which of them said nothing."""
    connected, mentions, silent = {}, [], []
    neighbours = runtime_of(request).extras["neighbours"]
    for service in SERVICES:
        try:
            path = f"/v1/mentions?service={service}"
            answer = await neighbours.ask(service, path, {"member": member, "words": words}, seconds=20)
            answer.raise_for_status()
        except httpx.HTTPError:
            silent.append(service)
            continue
        said = Mentions.model_validate_json(answer.content)
        connected[service] = said.connected
        mentions += said.mentions
    return {"connected": connected, "mentions": mentions, "not_asked": silent}
