"""`DELETE /v1/members/{id}/personal-data`: forgetting who somebody was."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic_core import from_json, to_json

from services.teams.api.absences import absences_of
from services.teams.api.onboarding_steps import onboardings_of
from services.teams.api.recognitions import recognitions_of
from services.teams.api.setbacks import setbacks_of
from services.teams.api.trainings import trainings_of
from services.teams.domain.leavers import ALL, Leavers
from services.teams.domain.members import Member
from services.teams.domain.people import Person
from services.teams.pseudonyms import forget_token
from shared.http.collection import Reference
from shared.http.documents import described
from shared.http.writes import Answer, version_headers, write
from shared.identity.permissions import Principal, require
from shared.store import Tx
from shared.store.tables import External, Journal, KeptAnswer

router = APIRouter(tags=["members"])
_MAY = require("people:write")
_PERSONAL = ("name", "email", "leaving_reason", "leaving_why")
_IN_THEIR_WORDS = ("kind", "comment", "note", "outcome")
"""What is said, by them or about them, of an absence, a training or a setback."""
_journal = Journal.__table__.c  # type: ignore[attr-defined]
_kept = KeptAnswer.__table__.c  # type: ignore[attr-defined]
_external = External.__table__.c  # type: ignore[attr-defined]


@router.delete(
    "/v1/members/{ref}/personal-data",
    operation_id="erase_member",
    status_code=204,
    openapi_extra=described(_MAY, None, {204: None}, missing=True),
)
async def erase_member(request: Request, ref: Reference, principal: Annotated[Principal, Depends(_MAY)]) -> Response:
    """Forget who a member was, here and in every service, for ever; what they did stays counted."""

    async def decide(tx: Tx) -> Answer:
        member = await tx.load(Member, ref)
        erased = member.erase()
        if erased is not None:
            person = await tx.load(Person, member.id)
            telling = [person.name, person.email, *person.names.values()]
            tx.save(member, erased)
            tx.save(person, person.forget())
            await _forget_names(tx, member)
            await _forget_what_was_said(tx, member)
            await _forget_events(tx, person)
            await _forget_answers(tx, member, [each for each in telling if each])
        return Answer(204, headers=version_headers(member))

    return await write(request, principal, decide)


async def _forget_names(tx: Tx, member: Member) -> None:
    """No other system's id leads to them any more."""
    select = sa.select(External).where(_external.kind == Member.kind, _external.id == member.id)
    for name in await tx.all(External, select):
        tx.remove(name)


async def _forget_what_was_said(tx: Tx, member: Member) -> None:
    """What happened stays, so that no figure changes: the days away, what trainings cost, that there was a setback.
    Why they were away, and what was said by them, to them or about them, does not."""
    for things in (absences_of, trainings_of, onboardings_of):
        for thing in await things(tx, member.id):
            tx.save(thing, thing.forget())
    for setback in await setbacks_of(tx, member.id):
        tx.save(setback, setback.forget(member.id))
    for recognition in await recognitions_of(tx, member.id):
        tx.save(recognition, recognition.forget())
    leavers = await tx.seek(Leavers, ALL)
    if leavers is not None:
        tx.save(leavers, leavers.forget(member.id))
    await forget_token(tx, member.id)


async def _forget_events(tx: Tx, person: Person) -> None:
    """The journal keeps that there were events of the person, and not what they said."""
    select = sa.select(Journal).where(_journal.subject == person.subject, _journal.data.is_not(None))
    for row in await tx.all(Journal, select):
        row.data = None
        tx.put(row)


async def _forget_answers(tx: Tx, member: Member, telling: list[str]) -> None:
    """Answers kept for retries stay, so that a retry does not make anybody anew, but say no more who it is."""
    mentions = [_kept.body.contains(_within_json(each), autoescape=True) for each in (member.id, *telling)]
    for kept in await tx.all(KeptAnswer, sa.select(KeptAnswer).where(sa.or_(*mentions))):
        body: Any = from_json(kept.body)
        if not isinstance(body, dict):
            continue
        if body.get("id") == member.id:
            body |= dict.fromkeys(_PERSONAL) | {"externals": []}
        elif body.get("member") == member.id and kept.status < 400:
            body |= {name: None for name in _IN_THEIR_WORDS if name in body}
            if "steps" in body:
                body["steps"] = [each | {"title": None} for each in body["steps"]]
        elif kept.status >= 400:
            # A refusal quotes what was sent.
            body = {name: body[name] for name in ("type", "title", "status") if name in body}
            body["detail"] = "The details have been erased with the personal data of a member."
        else:
            continue
        kept.body = to_json(body).decode()
        tx.put(kept)


def _within_json(text: str) -> str:
    """A text as it stands between the quotes of a JSON string."""
    return to_json(text).decode()[1:-1]
