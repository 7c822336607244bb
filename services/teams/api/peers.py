"""`/v1/peer-rounds`: the members of a team are asked about each other, by hr or by who leads the team.

What comes of it is for each member and who leads them, on their scorecard; nobody else reads it, and nobody is paid or
dismissed by it (`docs/decisions/0025-peers-are-asked-and-not-found.md`).
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, Field

from services.teams.api.organisation import local_day, today
from services.teams.api.references import sought
from services.teams.domain.members import Member
from services.teams.domain.peers import LEAST, MOST, QUESTIONS, PeerRound, PeerScore, sums_of
from services.teams.domain.people import Person
from services.teams.domain.teams import Team
from services.teams.peer_tokens import PeerKey, forget_all_of, said_in
from services.teams.pseudonyms import token_of
from shared.closing import Closing
from shared.errors import Invalid, Refused
from shared.http.bodies import Body, Name, Named, Ref, shown
from shared.http.collection import Collection, fresh
from shared.identity.permissions import Principal
from shared.instant import Day
from shared.membership import latest_on, on_day
from shared.store import Snapshot, Tx
from shared.store.sql import naming

HR = "hr"
_round, _team = PeerRound.__table__.c, Team.__table__.c  # type: ignore[attr-defined]
_member = Member.__table__.c  # type: ignore[attr-defined]
_LED_BY = sa.select(_team.id).where(_team.leader == sa.bindparam("leader"))


class OnlyHrOrTheirLeader(Refused):
    """Hr asks any team about each other, and who leads a team asks that team; you do neither."""

    status = 403


async def readable(snapshot: Snapshot, reader: Principal) -> sa.ColumnElement[bool] | None:
    """A round is for those who were ever in the team, for who leads it, and for hr."""
    if reader.member is None:
        return None
    member = await snapshot.recall(Member, reader.member)
    if await _is_of_hr(snapshot, member):
        return None
    teams = {str(each["of"]) for each in member.memberships} if member else set()
    teams |= {str(team) for (team,) in await snapshot.rows(_LED_BY, leader=reader.member)}
    mine: sa.ColumnElement[bool] = _round.team.in_(sorted(teams))
    return mine


class PeerQuestion(BaseModel):
    """What is asked of a team mate, and by how much it can be answered."""

    item: str
    text: str
    least: int
    most: int


class _Asked(BaseModel):
    questions: list[PeerQuestion] = []


async def present(snapshot: Snapshot, found: Sequence[PeerRound], reader: Principal | None) -> list[dict[str, Any]]:
    """Rounds with what they ask in words."""
    asked = [{"item": item, "text": text, "least": LEAST, "most": MOST} for item, text in QUESTIONS.items()]
    return [shown(each) | {"questions": asked} for each in found]


peer_rounds = Collection(
    PeerRound, "peer-rounds", filters={"team": "team", "status": "status"}, refs={"team": Team}, present=present,
    extra=_Asked, readable=readable,
)  # fmt: skip


class OpenPeerRound(Named):
    """Which team is asked, from when until when."""

    title: Name = Field(examples=["How we work with each other"])
    team: Ref
    opens_on: Day | None = Field(default=None, description="who is in the team on this day is asked; today if not said")
    closes_on: Day


class ChangePeerRound(Named):
    """Another title, or another last day, while it is open; whom it asks stays."""

    title: Name = ""
    team: Ref | None = None
    opens_on: Day | None = None
    closes_on: Day = date(1900, 1, 1)


class ClosePeerRound(Body):
    """Nothing needs to be said."""


@peer_rounds.create
async def open_peer_round(tx: Tx, body: OpenPeerRound) -> PeerRound:
    """Ask the members of a team about each other."""
    team: Team = await sought(tx, Team, body.team, "/team")
    await _refuse_unless_theirs(tx, team)
    day = body.opens_on or await today(tx)
    found, opened = PeerRound.open(
        department=team.department, members=len(await there_on(tx, team.id, day)), today=await today(tx),
        title=body.title, team=team.id, opens_on=day, closes_on=body.closes_on, **fresh(PeerRound, body),
    )  # fmt: skip
    tx.add(PeerKey.make(round=found.id, key=secrets.token_hex(32)))
    return tx.save(found, opened)


@peer_rounds.amend
async def change_peer_round(tx: Tx, found: PeerRound, body: ChangePeerRound) -> PeerRound:
    """Ask under another title, or until another day."""
    await _refuse_unless_theirs(tx, await tx.get(Team, found.team))
    sent = body.sent()
    team = sent.pop("team", None)
    if team is not None and (await sought(tx, Team, team, "/team")).id != found.team:
        raise Invalid.at("/team", f"this round asks {found.team}, and goes on asking them")
    if sent.pop("opens_on", None) not in (None, found.opens_on):
        raise Invalid.at("/opens_on", f"this round opens on {found.opens_on}: who was there then is asked")
    return tx.save(found, found.change(await today(tx), **sent))


@peer_rounds.verb("close")
async def close_peer_round(tx: Tx, found: PeerRound, body: ClosePeerRound) -> PeerRound:
    """Let a round be answered no more, before its last day is over."""
    await _refuse_unless_theirs(tx, await tx.get(Team, found.team))
    return await closed(tx, found, await today(tx))


async def closed(tx: Tx, found: PeerRound, on: date) -> PeerRound:
    """A round of which each member's sum is told; the answers, and what told them apart, are gone."""
    said: defaultdict[str, list[Mapping[str, int]]] = defaultdict(list)
    for each in await said_in(tx, found.id):
        said[each.about].append(each.answers)
    sums = sums_of(said)
    told = found.close(on, len(await there_on(tx, found.team, found.opens_on)), len(sums))
    for about, of in sums.items():
        token, person = await token_of(tx, about), await tx.load(Person, about)
        tx.save(person, person.describe(token=token))
        tx.save(*PeerScore.tell(token, of, of=found, on=on))
    await forget_all_of(tx, found.id)
    return tx.save(found, told)


async def there_on(snapshot: Snapshot, team: str, day: date) -> set[str]:
    """Who is in a team on a day."""
    found = await snapshot.all(Member, sa.select(Member).where(naming(_member.memberships, team)))
    return {each.id for each in found if not each.erased and team in on_day(each.memberships, day)}


async def _refuse_unless_theirs(tx: Tx, team: Team) -> None:
    """Tools are let in by their scope; of members those of hr ask anybody, and others the team they lead."""
    sender = tx.context.member
    if sender is None or team.leader == sender:
        return
    if not await _is_of_hr(tx, await tx.recall(Member, sender)):
        raise OnlyHrOrTheirLeader


async def _is_of_hr(snapshot: Snapshot, member: Member | None) -> bool:
    return member is not None and latest_on(member.departments, await today(snapshot)) == HR


closing = Closing(PeerRound, closed, local_day)
