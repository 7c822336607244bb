"""`/v1/own-measures`: by which one or two of its targets a team measures itself, confirmed for each period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, Field

from services.targets.api.accomplishments import LOCK_TEAM
from services.targets.domain.own_measures import ConfirmedByAnother, OwnMeasures
from services.targets.domain.targets import Target
from services.targets.known import period_of, team_mates
from shared.asked_period import AskedPeriod
from shared.errors import Conflict, Fault, Invalid
from shared.http.bodies import Body, Named, Ref, shown
from shared.http.collection import Collection, fresh
from shared.identity.permissions import Principal
from shared.identity.scopes import ADMIN
from shared.instant import Day
from shared.known import KnownTeam, known, today
from shared.period import Period
from shared.store import Snapshot, Tx

_own = OwnMeasures.__table__.c  # type: ignore[attr-defined]
_OF_TEAM = sa.select(OwnMeasures).where(_own.team == sa.bindparam("team")).order_by(_own.id)


class OwnMeasuresPeriod(BaseModel):
    """The days for which they are confirmed."""

    period: Period


async def _present(snapshot: Snapshot, found: Sequence[OwnMeasures], reader: Principal | None) -> list[dict[str, Any]]:
    return [shown(each) | {"period": each.period.as_json()} for each in found]


def _on_day(each: Any, day: date) -> dict[str, Any] | None:
    if day < each.confirmed_on:
        return None
    return {"withdrawn_on": None} if each.withdrawn_on is not None and day < each.withdrawn_on else {}


own_measures = Collection(
    OwnMeasures,
    "own-measures",
    filters={"team": "team"},
    refs={"team": KnownTeam},
    present=_present,
    extra=OwnMeasuresPeriod,
    on_day=_on_day,
)


class ConfirmOwnMeasures(Named):
    """What a team measures itself by in a period: one or two of its targets."""

    team: Ref
    period: AskedPeriod = Field(description="a quarter at most: a set is confirmed anew for every period")
    targets: list[Ref] = Field(min_length=1, max_length=2, examples=[["tgt_…"]])
    on: Day | None = None


class ChooseOwnMeasures(Named):
    """By which other targets a team measures itself in the same period."""

    team: Ref = ""
    period: AskedPeriod = AskedPeriod("1900")
    targets: list[Ref] = Field(default_factory=list, min_length=1, max_length=2)
    on: Day | None = None


class WithdrawOwnMeasures(Body):
    """The day on which it was found that they are not what the team measures itself by."""

    on: Day | None = None


@own_measures.create
async def confirm_own_measures(tx: Tx, body: ConfirmOwnMeasures) -> OwnMeasures:
    """Confirm for a period what a team measures itself by."""
    team: KnownTeam = await known(tx, KnownTeam, body.team, "/team")
    await tx.rows(LOCK_TEAM, team=team.id)
    period, on = await period_of(tx, body.period), body.on or await today(tx)
    await _refuse_others(tx, team, period, on)
    confirmed = OwnMeasures.confirm(
        team=team.id, period=period, targets=await _targets(tx, body.targets), on=on, by=tx.context.member,
        others=await tx.all(OwnMeasures, _OF_TEAM, team=team.id), **fresh(OwnMeasures, body),
    )  # fmt: skip
    return tx.save(*confirmed)


@own_measures.amend
async def choose_own_measures(tx: Tx, each: OwnMeasures, body: ChooseOwnMeasures) -> OwnMeasures:
    """Measure a team by others of its targets in the same period."""
    sent, on = body.sent(), body.on or await today(tx)
    if "team" in sent and await tx.resolve(KnownTeam.kind, body.team) != each.team:
        raise _fixed("team", each.team)
    if "period" in sent and await period_of(tx, body.period) != each.period:
        raise _fixed("period", each.label)
    await _refuse_others(tx, await tx.recall(KnownTeam, each.team), each.period, on)
    if "targets" not in sent:
        return each
    return tx.save(each, each.choose(await _targets(tx, body.targets), on, tx.context.member))


@own_measures.verb("withdraw")
async def withdraw_own_measures(tx: Tx, each: OwnMeasures, body: WithdrawOwnMeasures) -> OwnMeasures:
    """Take back that a team measures itself by these."""
    on = body.on or await today(tx)
    await _refuse_others(tx, await tx.recall(KnownTeam, each.team), each.period, on)
    return tx.save(each, each.withdraw(on))


async def _targets(tx: Tx, refs: Sequence[str]) -> list[Target]:
    found: list[Target] = []
    for place, ref in enumerate(refs):
        target = await tx.seek_unlocked(Target, ref)
        if target is None:
            raise Invalid.at(f"/targets/{place}", f"there is no target {ref}")
        found.append(target)
    return found


async def _refuse_others(tx: Tx, team: KnownTeam | None, period: Period, on: date) -> None:
    """Refuse somebody who neither leads the team nor, where nobody leads it, is in it."""
    asks = tx.context.principal
    if asks is None or asks.member is None or asks.may(ADMIN) or team is None:
        return
    allowed = {team.leader} if team.leader else await team_mates(tx, team, period, on)
    if asks.member not in allowed:
        raise ConfirmedByAnother(by=asks.member)


def _fixed(field: str, stored: str) -> Conflict:
    detail = f"the {field} of own measures stays {stored}; withdraw them and confirm others"
    return Conflict(f"/{field}: {detail}.", [Fault(f"/{field}", detail)])
