"""`/v1/accomplishments`: what teams have achieved that no number tells, and who has looked at what it is shown by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Final

import sqlalchemy as sa
from pydantic import BaseModel, Field, StringConstraints

from services.targets.api.goals import goal_id
from services.targets.domain.accomplishments import MOST_PIECES, Accomplishment
from services.targets.domain.goals import Goal
from services.targets.known import period_of, team_mates
from shared.asked_period import AskedPeriod
from shared.errors import Conflict, Fault
from shared.http.bodies import Body, Name, Named, Ref, Text, shown
from shared.http.collection import Collection, fresh
from shared.identity.permissions import Principal
from shared.instant import Day
from shared.known import KnownMember, KnownTeam, known, today
from shared.period import Period
from shared.store import Snapshot, Tx

_team = KnownTeam.__table__.c  # type: ignore[attr-defined]
_accomplishment = Accomplishment.__table__.c  # type: ignore[attr-defined]
LOCK_TEAM: Final = sa.select(_team.id).where(_team.id == sa.bindparam("team")).with_for_update()
_OF_TEAM = sa.select(Accomplishment).where(_accomplishment.team == sa.bindparam("team")).order_by(_accomplishment.id)
Piece = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True, pattern=r"^[^\x00]*$")]


class AccomplishmentPeriod(BaseModel):
    """The days in which it was accomplished."""

    period: Period


async def _present(
    snapshot: Snapshot, found: Sequence[Accomplishment], reader: Principal | None
) -> list[dict[str, Any]]:
    return [shown(each) | {"period": each.period.as_json()} for each in found]


def _on_day(each: Any, day: date) -> dict[str, Any] | None:
    """What was known of it at the end of a day; none when it was not claimed yet."""
    if day < each.claimed_on:
        return None
    withdrawn = each.withdrawn_on is not None and each.withdrawn_on <= day
    judged = each.judged_on is not None and each.judged_on <= day
    if withdrawn or (judged and each.withdrawn_on is None):
        return {}
    if judged:
        return {"status": "disputed" if each.reason is not None else "verified", "withdrawn_on": None}
    gone = dict.fromkeys(("judged_on", "judged_by", "reason", "withdrawn_on"))
    return gone | {"status": "claimed"}


accomplishments = Collection(
    Accomplishment,
    "accomplishments",
    filters={"team": "team", "goal": "goal", "status": "status", "verifier": "verifier"},
    refs={"team": KnownTeam, "goal": Goal, "verifier": KnownMember},
    present=_present,
    extra=AccomplishmentPeriod,
    on_day=_on_day,
)


class ClaimAccomplishment(Named):
    """What a team has accomplished in a period that no number tells; one in a period."""

    team: Ref
    period: AskedPeriod
    title: Name = Field(examples=["The hand-over to delivery is written down and lived"])
    about: Text | None = Field(default=None, description="stays here: no event carries it")
    evidence: list[Piece] = Field(
        min_length=1, max_length=MOST_PIECES, examples=[["https://wiki.example.com/hand-over"]],
        description="what can be looked at: links, documents, letters of customers; stays here",
    )  # fmt: skip
    goal: Ref | None = Field(default=None, description="the goal it serves")
    verifier: Ref | None = Field(
        default=None, description="who is asked to look at it: not who claims it, and nobody in the team but its leader"
    )
    by: Ref | None = Field(default=None, description="who claims it, if not who sends this")
    on: Day | None = None


class ChangeAccomplishment(Named):
    """What to tell or show otherwise while nobody has judged it; what is not sent stays, null clears."""

    team: Ref = ""
    period: AskedPeriod = AskedPeriod("1900")
    title: Name = ""
    about: Text | None = None
    evidence: list[Piece] = Field(default_factory=list, min_length=1, max_length=MOST_PIECES)
    goal: Ref | None = None
    verifier: Ref | None = None
    by: Ref | None = None
    on: Day | None = None


class ShowAccomplishment(Body):
    """What else can be looked at."""

    evidence: list[Piece] = Field(min_length=1, max_length=MOST_PIECES)
    on: Day | None = None


class VerifyAccomplishment(Body):
    """When somebody has looked at what it is shown by and found it so, and who; who sends this, if not given."""

    on: Day | None = None
    by: Ref | None = None


class DisputeAccomplishment(Body):
    """When somebody has looked at what it is shown by and has not found it so, who, and why."""

    reason: Text = Field(min_length=1, description="stays here: no event carries it")
    on: Day | None = None
    by: Ref | None = None


class WithdrawAccomplishment(Body):
    """The day from which it is not claimed any more."""

    on: Day | None = None


@accomplishments.create
async def claim_accomplishment(tx: Tx, body: ClaimAccomplishment) -> Accomplishment:
    """Say what a team has accomplished, and by what that is shown."""
    team: KnownTeam = await known(tx, KnownTeam, body.team, "/team")
    # The team is locked, so that two claims cannot both see the same days free.
    await tx.rows(LOCK_TEAM, team=team.id)
    on, period = body.on or await today(tx), await period_of(tx, body.period)
    claimed = Accomplishment.claim(
        team=team.id, period=period, on=on, by=await who(tx, body.by), leader=team.leader, title=body.title,
        about=body.about, evidence=list(body.evidence), goal=await goal_id(tx, body.goal, None, "/goal"),
        verifier=await _member(tx, body.verifier, "/verifier"), team_mates=await team_mates(tx, team, period, on),
        others=await tx.all(Accomplishment, _OF_TEAM, team=team.id), **fresh(Accomplishment, body),
    )  # fmt: skip
    return tx.save(*claimed)


@accomplishments.amend
async def change_accomplishment(tx: Tx, each: Accomplishment, body: ChangeAccomplishment) -> Accomplishment:
    """Tell or show an accomplishment otherwise; whose it is, of which period, and who claimed it when, stays."""
    sent = body.sent()
    told: dict[str, Any] = {}
    if "team" in sent:
        told["team"] = await tx.resolve(KnownTeam.kind, body.team)
    if "period" in sent:
        told["period"] = await period_of(tx, body.period)
    if "by" in sent:
        told["claimed_by"] = await _member(tx, body.by, "/by")
    if "on" in sent and body.on is not None:
        told["claimed_on"] = body.on
    for field, value in told.items():
        if value != getattr(each, field):
            detail = f"the {field.replace('_', ' ')} of an accomplishment stays {getattr(each, field)}"
            place = f"/{field.removeprefix('claimed_')}"
            raise Conflict(f"{place}: {detail}; withdraw it and claim another.", [Fault(place, detail)])
    fields = {name: value for name, value in sent.items() if name in ("title", "about")}
    if "evidence" in sent:
        fields["evidence"] = list(body.evidence)
    if "goal" in sent:
        fields["goal"] = await goal_id(tx, body.goal, None, "/goal")
    if "verifier" in sent:
        fields["verifier"] = await _member(tx, body.verifier, "/verifier")
    return tx.save(each, each.change(await _mates(tx, each, await today(tx)), **fields))


@accomplishments.verb("show", undoes=True)
async def show_accomplishment(tx: Tx, each: Accomplishment, body: ShowAccomplishment) -> Accomplishment:
    """Show an accomplishment by more; who did not find it shown may look again."""
    return tx.save(each, each.show(body.evidence, body.on or await today(tx)))


@accomplishments.verb("verify")
async def verify_accomplishment(tx: Tx, each: Accomplishment, body: VerifyAccomplishment) -> Accomplishment:
    """Find an accomplishment shown; not one's own, nor that of the team one is in."""
    on = body.on or await today(tx)
    return tx.save(each, each.verify(on, await who(tx, body.by), await _mates(tx, each, on)))


@accomplishments.verb("dispute")
async def dispute_accomplishment(tx: Tx, each: Accomplishment, body: DisputeAccomplishment) -> Accomplishment:
    """Not find an accomplishment shown, and say why."""
    on = body.on or await today(tx)
    return tx.save(each, each.dispute(on, await who(tx, body.by), await _mates(tx, each, on), body.reason))


@accomplishments.verb("withdraw")
async def withdraw_accomplishment(tx: Tx, each: Accomplishment, body: WithdrawAccomplishment) -> Accomplishment:
    """Claim an accomplishment no more."""
    return tx.save(each, each.withdraw(body.on or await today(tx)))


async def who(tx: Tx, ref: str | None) -> str | None:
    """The member who acts: who sends it, or who is named by a tool."""
    return tx.context.member or await _member(tx, ref, "/by")


async def _member(tx: Tx, ref: str | None, at: str) -> str | None:
    return str((await known(tx, KnownMember, ref, at)).id) if ref else None


async def _mates(tx: Tx, each: Accomplishment, day: date) -> set[str]:
    team = await tx.recall(KnownTeam, each.team)
    return await team_mates(tx, team, each.period, day) if team is not None else set()
