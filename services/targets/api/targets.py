"""`/v1/targets`: what is aimed at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import BaseModel, Field

from services.targets.api.aims import AimValue, shown_value
from services.targets.api.asking import who_asks
from services.targets.api.converted import ConvertedTarget, converted_target, tender_into
from services.targets.api.distribution import DistributedRow, DueRow, distributed
from services.targets.api.goals import goal_id
from services.targets.api.judging import day_asked, judged_together
from services.targets.api.metrics import Key, metric_of
from services.targets.api.rates import rates_to
from services.targets.api.readers import of_members, people
from services.targets.api.scopes import Scope, whose, whose_own
from services.targets.domain.aims import UNCHANGED, check_unit, value_of
from services.targets.domain.targets import Target
from services.targets.known import period_of
from shared.asked_period import AskedPeriod
from shared.errors import Conflict, Fault, Invalid
from shared.few import may_be_told
from shared.http.bodies import Body, Named, Ref, Text, shown
from shared.http.collection import Collection, fresh
from shared.identity.permissions import Principal
from shared.instant import Day
from shared.known import today
from shared.period import Period
from shared.store import Snapshot, Tx
from shared.store.sql import OneOf

_target = Target.__table__.c  # type: ignore[attr-defined]
_OTHERS = (
    sa.select(Target)
    .where(
        _target.metric == sa.bindparam("metric"),
        _target.level == sa.bindparam("level"),
        _target.ref == sa.bindparam("ref"),
        _target.starts_on < sa.bindparam("end", type_=sa.Date()),
        _target.ends_on > sa.bindparam("start", type_=sa.Date()),
    )
    .order_by(_target.id)
)
_PARTS = sa.select(Target).where(OneOf(_target.parent, "parents")).order_by(_target.id)


class Parts(BaseModel):
    """What the targets that a target is made of sum to, and how far that is from it."""

    targets: int
    sum: AimValue
    gap: AimValue = Field(description="sum - value; more than agreed on is over-assigned, less is a hole")


class TargetChange(BaseModel):
    """A change of a target: what it was, what it became, who changed it and why."""

    on: date
    by: str | None = Field(description="the member, or what the token of a tool is called")
    reason: str | None
    changed: list[Literal["value", "distribution", "stretch", "goal"]]
    before: AimValue
    after: AimValue
    approved_on: date | None = Field(description="when the value before had been agreed on, if it had been")
    approved_by: str | None


class TargetShown(BaseModel):
    """A target's scope, period, value and distribution, and how far it is agreed on."""

    scope: Scope
    period: Period
    value: AimValue
    distribution: list[DueRow]
    stretch: AimValue | None
    lifecycle: Literal["draft", "approved", "closed"]
    health: Literal["on_track", "at_risk", "behind"] | None = Field(
        description="as of today, from its pace; null before anything is due, or when what was achieved is not known"
    )
    parts: Parts | None
    changes: list[TargetChange] = Field(description="oldest first")
    last_check_in: dict[str, Any] | None = Field(description="what was said the last time about reaching it")
    converted: ConvertedTarget | None = Field(
        default=None, description="in the currency asked for, if one is; null of what is measured in a number"
    )


async def _present(snapshot: Snapshot, found: Sequence[Target], reader: Principal | None) -> list[dict[str, Any]]:
    day = await day_asked(snapshot)
    seen = await _seen_parts(snapshot, found, reader)
    how = await judged_together(snapshot, found, day)
    hears = reader is None or reader.may("follow-ups:read")
    return [
        shown(target)
        | {
            "scope": {"level": target.level, "ref": target.ref or None},
            "period": target.period.as_json(),
            "value": shown_value(target.value),
            "distribution": _shown_rows(target.rows),
            "stretch": shown_value(target.stretch) if target.stretch is not None else None,
            "lifecycle": target.lifecycle,
            "health": judged.health,
            "parts": _shown_parts(target, parts),
            "changes": [_shown_change(each) for each in target.changes],
            "last_check_in": target.last_check_in if hears else None,
        }
        for target, judged, parts in zip(found, how, seen, strict=True)
    ]


def _shown_rows(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {"value": shown_value(value_of(row["value"])), "share": row.get("share")} for row in rows]


def _shown_change(change: Mapping[str, Any]) -> dict[str, Any]:
    before = change["before"]
    told = {name: change[name] for name in ("on", "by", "reason", "changed")}
    values = {"before": shown_value(value_of(before["value"])), "after": shown_value(value_of(change["value"]))}
    return told | values | {name: before[name] for name in ("approved_on", "approved_by")}


async def _convert(
    snapshot: Snapshot, found: Sequence[Target], reader: Principal | None, currency: str
) -> list[dict[str, Any] | None]:
    tender = await tender_into(snapshot, currency)
    seen = await _seen_parts(snapshot, found, reader)
    return [converted_target(target, parts, tender) for target, parts in zip(found, seen, strict=True)]


async def parts_of(snapshot: Snapshot, parents: Sequence[str]) -> list[Target]:
    """The parts of targets, without those that were given up."""
    return [each for each in await snapshot.all(Target, _PARTS, parents=parents) if each.counts]


async def _seen_parts(snapshot: Snapshot, found: Sequence[Target], reader: Principal | None) -> list[Sequence[Target]]:
    """The parts of targets, none where their sum would tell somebody what a colleague is to achieve."""
    theirs, parts = await people(snapshot, reader), dict[str, list[Target]]()
    for part in await parts_of(snapshot, [target.id for target in found]):
        parts.setdefault(part.parent or "", []).append(part)
    return [_unless_few(parts.get(target.id, []), theirs) for target in found]


def _unless_few(parts: Sequence[Target], theirs: set[str] | None) -> Sequence[Target]:
    members = [each.ref for each in parts if each.level == "member"]
    return parts if theirs is None or may_be_told(members, theirs) else ()


def _shown_parts(target: Target, parts: Sequence[Target]) -> dict[str, Any] | None:
    """What the parts add up to."""
    if not parts:
        return None
    summed = target.sum_of(parts)
    gap = summed - target.value  # type: ignore[operator]
    return {"targets": len(parts), "sum": shown_value(summed), "gap": shown_value(gap)}


def _on_day(target: Any, day: date) -> dict[str, Any] | None:
    if not target.period.contains(day):
        return None
    shown: dict[str, Any] = {}
    if then := target.as_on(day):
        stretch = value_of(then["stretch"]) if then["stretch"] is not None else None
        shown = {name: then[name] for name in ("goal", "approved_on", "approved_by", "plan_rates")} | {
            "value": shown_value(value_of(then["value"])), "distribution": _shown_rows(then["rows"]),
            "stretch": shown_value(stretch) if stretch is not None else None,
            "lifecycle": "approved" if then["approved_on"] else "draft", "health": None, "parts": None,
            "changes": [_shown_change(each) for each in then["changes"]],
        }  # fmt: skip
    return shown | ({"closed_on": None} if target.closed_on is not None and day < target.closed_on else {})


targets = Collection(
    Target,
    "targets",
    filters={"metric": "metric", "level": "level", "ref": "ref", "from": "starts_on", "to": "ends_on"},
    present=_present,
    extra=TargetShown,
    on_day=_on_day,
    readable=of_members(Target.__table__.c),  # type: ignore[attr-defined]
    convert=_convert,
)


class SetTarget(Named):
    """So much of a metric, aimed at by somebody in a period."""

    metric: Key = Field(examples=["revenue"])
    scope: Scope
    period: AskedPeriod
    value: AimValue = Field(examples=[{"amount": "250000.00", "currency": "EUR"}])
    distribution: list[DistributedRow] = Field(
        default=[], max_length=400, description="rows that sum to the value, or shares; without them it is due evenly"
    )
    stretch: AimValue | None = Field(default=None, description="what would be more than is asked for")
    goal: Ref | None = None
    parent: Ref | None = Field(default=None, description="the target it is a part of")


class ChangeTarget(Named):
    """Another value or distribution of a target; its metric, scope and period stay."""

    metric: Key = "revenue"
    scope: Scope = Scope(level="organisation")
    period: AskedPeriod = AskedPeriod("1900")
    value: AimValue | None = None
    distribution: list[DistributedRow] = Field(default_factory=list, max_length=400)
    stretch: AimValue | None = None
    goal: Ref | None = None
    parent: Ref | None = None
    reason: Text | None = Field(default=None, description="why; needed once the target is approved")


class ApproveTarget(Body):
    """The day on which somebody else agrees to a target."""

    on: Day | None = None


class CloseTarget(Body):
    """The day from which a target is not worked on any more."""

    on: Day | None = None


@targets.create
async def set_target(tx: Tx, body: SetTarget) -> Target:
    """Aim at something."""
    return await aim(tx, body)


async def aim(tx: Tx, body: SetTarget, at: str = "") -> Target:
    """A new target from a body, or from a part of one at a place of it."""
    metric = await metric_of(tx, body.metric, f"{at}/metric")
    check_unit(
        metric.id, money=metric.money, values=[body.value, body.stretch, *(row.value for row in body.distribution)]
    )
    ref, period = await whose(tx, body.scope, f"{at}/scope"), await period_of(tx, body.period)
    others = await tx.all(
        Target, _OTHERS, metric=metric.id, level=body.scope.level, ref=ref or "", start=period.start, end=period.end
    )
    target, aimed = Target.aim(
        metric=metric.id,
        lower=metric.lower,
        level=body.scope.level,
        ref=ref,
        period=period,
        value=body.value,
        **distributed(body.distribution, at)._asdict(),
        others=others,
        on=await today(tx),
        by=who_asks(tx),
        stretch=body.stretch,
        goal=await goal_id(tx, body.goal, metric.id, f"{at}/goal"),
        parent=await _parent_of(tx, body, metric.id, period, f"{at}/parent"),
        **fresh(Target, body),
    )
    return tx.save(target, aimed)


async def _parent_of(tx: Tx, body: SetTarget, metric: str, period: Period, at: str) -> str | None:
    parent = await _parent_id(tx, body.parent, metric, at)
    if parent is not None:
        (await tx.get(Target, parent)).hold(body.value, period)
    return parent


async def _parent_id(tx: Tx, ref: str | None, metric: str, at: str) -> str | None:
    if ref is None:
        return None
    parent = await tx.seek_unlocked(Target, ref)
    if parent is None or parent.metric != metric:
        detail = (
            f"there is no target {ref}" if parent is None else f"{ref} is a target for {parent.metric}, not {metric}"
        )
        raise Invalid.at(at, detail)
    return parent.id


@targets.amend
async def change_target(tx: Tx, target: Target, body: ChangeTarget) -> Target:
    """Aim at another value, or distribute it differently; why, if it was approved."""
    sent = body.sent()
    if "metric" in sent and body.metric != target.metric:
        raise _fixed("metric", target.metric)
    if "scope" in sent and (body.scope.level, await whose(tx, body.scope) or "") != (target.level, target.ref):
        raise _fixed("scope", f"{target.level} {target.ref}".strip())
    if "period" in sent and await period_of(tx, body.period) != target.period:
        raise _fixed("period", target.label)
    if sent.get("parent") and await _parent_id(tx, body.parent, target.metric, "/parent") != target.parent:
        raise _fixed("parent", target.parent or "none")
    metric = await metric_of(tx, target.metric)
    check_unit(
        metric.id, money=metric.money, values=[body.value, body.stretch, *(row.value for row in body.distribution)]
    )
    changed = target.change(
        await today(tx),
        value=body.value,
        **(distributed(body.distribution)._asdict() if "distribution" in sent else {}),
        stretch=body.stretch if "stretch" in sent else UNCHANGED,
        goal=await goal_id(tx, body.goal, metric.id, "/goal") if "goal" in sent else UNCHANGED,
        by=who_asks(tx),
        reason=body.reason,
        lower=metric.lower,
    )
    return tx.save(target, changed)


@targets.verb("approve")
async def approve_target(tx: Tx, target: Target, body: ApproveTarget) -> Target:
    """Agree to a target that is somebody else's and that somebody else has set; the rates of that day are kept."""
    on = body.on or await today(tx)
    rates = await rates_to(tx, target.money.currency, on) if target.money is not None else {}
    theirs = await whose_own(tx, target.level, target.ref, await today(tx))
    return tx.save(target, target.approve(on, by=who_asks(tx), theirs=theirs, rates=rates))


@targets.verb("close")
async def close_target(tx: Tx, target: Target, body: CloseTarget) -> Target:
    """Stop working on a target."""
    return tx.save(target, target.close(body.on or await today(tx), tx.context.member))


def _fixed(field: str, stored: str) -> Conflict:
    detail = f"the {field} of a target stays {stored}; close it and set another one"
    return Conflict(f"/{field}: {detail}.", [Fault(f"/{field}", detail)])
