"""`DELETE /v1/members/{id}/personal-data`: forgetting who somebody was."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic_core import from_json, to_json

from services.teams.api.absences import absences_of
from services.teams.api.duties import duties_of
from services.teams.api.onboarding_steps import onboardings_of
from services.teams.api.recognitions import recognitions_of
from services.teams.api.setbacks import setbacks_of
from services.teams.api.trainings import trainings_of
from services.teams.domain.leavers import ALL, Leavers
from services.teams.domain.members import Member
from services.teams.domain.people import Person
from services.teams.entries import Entry
from services.teams.peer_tokens import forget_member
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
_IN_THEIR_WORDS = ("kind", "comment", "note", "outcome", "reason")
"""What is said, by them or about them, of an absence, a training, a setback or a duty."""
_OF_SCIM = ("schemas", "id", "meta")
"""What is left of a user that an identity tool was answered with."""
_journal = Journal.__table__.c  # type: ignore[attr-defined]
_kept = KeptAnswer.__table__.c  # type: ignore[attr-defined]
_external = External.__table__.c  # type: ignore[attr-defined]
_entry = Entry.__table__.c  # type: ignore[attr-defined]


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
            telling = [person.name, person.email, *person.names.values(), *await _forget_entry(tx, member)]
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


async def _forget_entry(tx: Tx, member: Member) -> list[str | None]:
    """The directory of an identity tool knows nothing of them any more; answers what they were called there."""
    entries = await tx.all(Entry, sa.select(Entry).where(_entry.id == member.id))
    for entry in entries:
        tx.remove(entry)
    return [name for entry in entries for name in (entry.user_name, entry.formatted)]


async def _forget_what_was_said(tx: Tx, member: Member) -> None:
    """What happened stays, so that no figure changes: the days away, what trainings cost, that there was a setback.
    Why they were away, and what was said by them, to them or about them, does not."""
    for things in (absences_of, trainings_of, onboardings_of):
        for thing in await things(tx, member.id):
            tx.save(thing, thing.forget())
    for duty in await duties_of(tx, member.id):
        tx.save(duty, duty.forget())
    for setback in await setbacks_of(tx, member.id):
        tx.save(setback, setback.forget(member.id))
    for recognition in await recognitions_of(tx, member.id):
        tx.save(recognition, recognition.forget())
    leavers = await tx.seek(Leavers, ALL)
    if leavers is not None:
        tx.save(leavers, leavers.forget(member.id))
    await forget_member(tx, member.id)
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
        if kept.status >= 400:
            # A refusal quotes what was sent.
            body = {name: body[name] for name in ("type", "title", "status", "schemas") if name in body}
            body["detail"] = "The details have been erased with the personal data of a member."
        elif body.get("id") == member.id and "schemas" in body:
            body = {name: body[name] for name in _OF_SCIM}
        elif body.get("id") == member.id:
            body |= dict.fromkeys(_PERSONAL) | {"externals": []}
        else:
            body = _unsaid(body, telling, about=member.id in _subjects(body))
        kept.body = to_json(body).decode()
        tx.put(kept)


def _subjects(body: dict[str, Any]) -> list[Any]:
    """Whom an answer is about."""
    assigned = body.get("assigned_to")
    return [body.get("member"), body.get("done_by"), *(body.get("to") or ()),
            *(assigned.values() if isinstance(assigned, dict) else ())]  # fmt: skip


def _unsaid(value: Any, telling: list[str], *, about: bool) -> Any:
    """An answer without what names somebody and, if it is about them, without what was said."""
    if isinstance(value, dict):
        said = (*_IN_THEIR_WORDS, *(("title",) if "step" in value else ())) if about else ()
        return {name: None if name in said else _unsaid(each, telling, about=about) for name, each in value.items()}
    if isinstance(value, list):
        return [_unsaid(each, telling, about=about) for each in value]
    if isinstance(value, str) and any(each.casefold() in value.casefold() for each in telling):
        return None
    return value


def _within_json(text: str) -> str:
    """A text as it stands between the quotes of a JSON string."""
    return to_json(text).decode()[1:-1]
