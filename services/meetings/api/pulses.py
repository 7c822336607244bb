"""`/v1/pulses`: a team, a department or the organisation is asked how it goes, by hr or by who leads the team.

Answering is no verb of a pulse: it is no version, tells nothing, and keeps no answer under an `Idempotency-Key`, for
any of these would say who answered, and when.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import BaseModel, Field, model_validator

from services.meetings.api.refs import same
from services.meetings.domain.pulses import QUESTIONS, Pulse, bounds_of
from services.meetings.pulse_tokens import PulseAnswer, PulseKey
from shared.closing import Closing
from shared.errors import Refused
from shared.http.bodies import Body, Name, Named, Ref, shown
from shared.http.collection import Collection, fresh
from shared.identity.permissions import Principal
from shared.instant import Day, now
from shared.known import KnownDepartment, KnownMember, KnownTeam, known, local_day, today
from shared.membership import on_day
from shared.store import Snapshot, Tx
from shared.store.sql import naming

_pulse, _answer = Pulse.__table__.c, PulseAnswer.__table__.c  # type: ignore[attr-defined]
_member, _team = KnownMember.__table__.c, KnownTeam.__table__.c  # type: ignore[attr-defined]
_ANSWERS = sa.select(PulseAnswer).where(_answer.pulse == sa.bindparam("pulse"))
_LED_BY = sa.select(_team.id).where(_team.leader == sa.bindparam("leader"))
_EVERYBODY = sa.select(KnownMember)
Item = Literal["C1", "C2", "C3", "C4", "T1", "T2", "T3", "T4", "I1", "I2", "I3", "enps"]


class OnlyTheirLeaderAsks(Refused):
    """Hr asks anybody for a pulse, and who leads a team asks that team; you do neither."""

    status = 403


async def readable(snapshot: Snapshot, reader: Principal) -> sa.ColumnElement[bool] | None:
    """A pulse is for those who were ever of whom it asks, for who leads the team, and for hr."""
    if reader.member is None:
        return None
    member = await snapshot.recall(KnownMember, reader.member) or KnownMember.make(id=reader.member)
    if member.department_on(await local_day(snapshot, now())) == "hr":
        return None
    teams = {str(each["of"]) for each in member.memberships}
    teams |= {str(team) for (team,) in await snapshot.rows(_LED_BY, leader=member.id)}
    departments = {str(each["of"]) for each in member.departments}
    return sa.or_(
        _pulse.level == "organisation", _pulse.team.in_(sorted(teams)),
        sa.and_(_pulse.level == "department", _pulse.department.in_(sorted(departments))),
    )  # fmt: skip


class Question(BaseModel):
    """What is asked, and by how much it can be answered."""

    item: str
    text: str
    least: int
    most: int


class _Questions(BaseModel):
    questions: list[Question] = []


async def present(snapshot: Snapshot, things: Sequence[Pulse], reader: Principal | None) -> list[dict[str, Any]]:
    """Pulses with what they ask in words."""
    return [
        shown(each)
        | {
            "questions": [
                {"item": item, "text": QUESTIONS[item], "least": bounds_of(item)[0], "most": bounds_of(item)[1]}
                for item in each.items
            ]
        }
        for each in things
    ]


pulses = Collection(
    Pulse,
    "pulses",
    filters={"team": "team", "department": "department", "level": "level", "status": "status"},
    refs={"team": KnownTeam, "department": KnownDepartment},
    present=present,
    extra=_Questions,
    readable=readable,
    # Sums are shown by `/results`, of four answers to those inside only.
    untold=frozenset({"sums", "promoters", "passives", "detractors"}),
)


class OpenPulse(Named):
    """Whom to ask what, from when until when; of no team and no department, the whole organisation."""

    title: Name = Field(examples=["How we work together"])
    team: Ref | None = None
    department: Ref | None = None
    items: list[Item] = Field(default=["C1", "C2", "C3", "C4", "T1", "T2", "T3", "T4"], min_length=1, max_length=12)
    opens_on: Day | None = Field(
        default=None, description="who belongs to them on this day is asked; today, if not said"
    )
    closes_on: Day

    @model_validator(mode="after")
    def _each_once(self) -> OpenPulse:
        if self.team is not None and self.department is not None:
            raise ValueError("ask a team or a department; neither is the whole organisation")
        if len(self.items) != len(set(self.items)):
            raise ValueError("each item is asked once")
        return self


class ChangePulse(Named):
    """Another title, or another last day, while it is open; whom it asks what stays."""

    title: Name = ""
    team: Ref | None = None
    department: Ref | None = None
    items: list[Item] = Field(default_factory=list, max_length=12)
    opens_on: Day | None = None
    closes_on: Day = date(1900, 1, 1)


class ClosePulse(Body):
    """Nothing needs to be said."""


@pulses.create
async def open_pulse(tx: Tx, body: OpenPulse) -> Pulse:
    """Ask a team, a department or the organisation how it goes."""
    team: KnownTeam | None = await known(tx, KnownTeam, body.team, "/team") if body.team else None
    department = (await known(tx, KnownDepartment, body.department, "/department")).id if body.department else None
    level = "team" if team else "department" if department else "organisation"
    await _refuse_unless_theirs(tx, team)
    fields = {
        "title": body.title, "level": level, "team": team.id if team else None, "items": list(body.items),
        "department": team.department if team else department, "opens_on": body.opens_on or await today(tx),
        "closes_on": body.closes_on,
    }  # fmt: skip
    asked = await asked_by(tx, Pulse.make(**fields))
    pulse, opened = Pulse.open(today=await today(tx), asked=len(asked), **fields, **fresh(Pulse, body))
    tx.add(PulseKey.make(pulse=pulse.id, key=secrets.token_hex(32)))
    return tx.save(pulse, opened)


@pulses.amend
async def change_pulse(tx: Tx, pulse: Pulse, body: ChangePulse) -> Pulse:
    """Ask under another title, or until another day."""
    await _refuse_unless_theirs(tx, await tx.recall(KnownTeam, pulse.team) if pulse.team else None)
    sent = body.sent()
    for name, model in (("team", KnownTeam), ("department", KnownDepartment)):
        ref = sent.pop(name, None)
        if ref is not None:
            same(f"/{name}", (await known(tx, model, ref, f"/{name}")).id, getattr(pulse, name))
    for name in ("items", "opens_on"):
        if sent.get(name) is not None:
            same(f"/{name}", sent[name], getattr(pulse, name))
        sent.pop(name, None)
    return tx.save(pulse, pulse.change(await today(tx), **sent))


@pulses.verb("close")
async def close_pulse(tx: Tx, pulse: Pulse, body: ClosePulse) -> Pulse:
    """Let a pulse be answered no more, before its last day is over."""
    await _refuse_unless_theirs(tx, await tx.recall(KnownTeam, pulse.team) if pulse.team else None)
    return await closed(tx, pulse, await today(tx))


async def closed(tx: Tx, pulse: Pulse, on: date) -> Pulse:
    """A pulse with what all answers together say; the answers, and what told them apart, are gone."""
    answers = await tx.all(PulseAnswer, _ANSWERS, pulse=pulse.id)
    told = pulse.close(on, len(await asked_by(tx, pulse)), [each.answers for each in answers])
    for row in answers:
        tx.remove(row)
    if told is not None:
        tx.remove(PulseKey.make(pulse=pulse.id, key=""))
    return tx.save(pulse, told)


async def asked_by(snapshot: Snapshot, pulse: Pulse) -> set[str]:
    """The members a pulse asks: those who belonged to whom it asks on the day it opened."""
    day = pulse.opens_on
    if pulse.level == "organisation":
        return {each.id for each in await snapshot.all(KnownMember, _EVERYBODY) if on_day(each.employments, day)}
    column, key, spells = (
        (_member.memberships, pulse.team, "memberships")
        if pulse.level == "team"
        else (_member.departments, pulse.department, "departments")
    )
    mentions = naming(column, key)
    found = await snapshot.all(KnownMember, sa.select(KnownMember).where(mentions))
    return {each.id for each in found if key in on_day(getattr(each, spells), day)}


async def _refuse_unless_theirs(tx: Tx, team: KnownTeam | None) -> None:
    """Tools are let in by their scope; of members those of hr ask anybody, and others the team they lead."""
    sender = tx.context.member
    if sender is None or (team is not None and team.leader == sender):
        return
    member = await tx.recall(KnownMember, sender)
    if member is None or member.department_on(await today(tx)) != "hr":
        raise OnlyTheirLeaderAsks


closing = Closing(Pulse, closed, local_day)
