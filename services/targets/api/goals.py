"""`/v1/goals`: what the organisation wants, as a weighted tree."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import BaseModel, Field

from services.targets.api.aims import AimValue, shown_value
from services.targets.api.converted import tender_into
from services.targets.api.judging import day_asked
from services.targets.api.metrics import Key, metric_of
from services.targets.api.scopes import Scope, whose
from services.targets.api.serving import ConvertedGoal, GoalTargets, ServedBy, below, goal_in, served_by, targets_of
from services.targets.domain.aims import UNCHANGED, check_unit
from services.targets.domain.goals import Goal
from services.targets.known import period_of
from shared.asked_period import AskedPeriod
from shared.errors import Conflict, Fault, Invalid
from shared.http.bodies import Body, Name, Named, Ref, shown
from shared.http.collection import Collection, fresh
from shared.identity.permissions import Principal
from shared.instant import Day
from shared.known import today
from shared.money import Share, plain
from shared.period import Period
from shared.store import Snapshot, Tx
from shared.store.sql import OneOf

_goal = Goal.__table__.c  # type: ignore[attr-defined]
_PARTS = sa.select(Goal).where(OneOf(_goal.parent, "parents")).order_by(_goal.id)


class GoalShown(BaseModel):
    """Whose goal it is, its days and value, its parts and targets, the goals above it, and what serves it."""

    owner: Scope
    period: Period
    value: AimValue | None
    lifecycle: Literal["open", "overdue", "closed"]
    parts_weight: str | None = Field(description="of all its parts; 1 when the tree is complete, null without parts")
    depth: int = Field(description="1 for one that is no part of another")
    line_of_sight: list[str] = Field(description="the goals it serves, from the next one up to the organisation's")
    targets: GoalTargets
    served_by: ServedBy
    converted: ConvertedGoal | None = Field(
        default=None, description="in the currency asked for, if one is; null of what is measured in a number"
    )


async def _present(snapshot: Snapshot, found: Sequence[Goal], reader: Principal | None) -> list[dict[str, Any]]:
    weights: dict[str, Decimal] = {}
    for part in await parts_of(snapshot, [goal.id for goal in found]):
        if part.closed_on is None and part.parent is not None:
            weights[part.parent] = weights.get(part.parent, Decimal(0)) + Decimal(part.weight)
    day = await day_asked(snapshot)
    return [
        shown(goal)
        | await _lines(snapshot, goal, reader)
        | {
            "owner": {"level": goal.level, "ref": goal.ref or None},
            "period": goal.period.as_json(),
            "lifecycle": goal.lifecycle(day),
            "value": shown_value(goal.value) if goal.value is not None else None,
            "parts_weight": plain(weights[goal.id]) if goal.id in weights else None,
        }
        for goal in found
    ]


async def _lines(snapshot: Snapshot, goal: Goal, reader: Principal | None) -> dict[str, Any]:
    """What a goal serves, and what serves it."""
    line, goals_below = await above(snapshot, goal), await below(snapshot, goal)
    targets = await targets_of(snapshot, goal, goals_below) | _unseen(reader)
    return {
        "depth": len(line) + 1,
        "line_of_sight": [each.id for each in line],
        "targets": targets,
        "served_by": await served_by(snapshot, goal, goals_below),
    }


def _unseen(reader: Principal | None) -> dict[str, Any]:
    """Whoever may not see targets does not see what they sum to: it may be one."""
    return {} if reader is None or reader.may("targets:read") else {"sum": None, "gap": None}


async def _convert(
    snapshot: Snapshot, found: Sequence[Goal], reader: Principal | None, currency: str
) -> list[dict[str, Any] | None]:
    tender, converted = await tender_into(snapshot, currency), []
    for goal in found:
        shown = await goal_in(snapshot, goal, await below(snapshot, goal), tender)
        converted.append(shown and shown | {"targets": shown["targets"] | _unseen(reader)})
    return converted


goals = Collection(
    Goal, "goals", filters={"parent": "parent", "level": "level", "ref": "ref", "metric": "metric"},
    present=_present, extra=GoalShown, convert=_convert,
)  # fmt: skip


class SetGoal(Named):
    """What somebody wants of a period."""

    title: Name = Field(examples=["Win the south"])
    owner: Scope = Scope(level="organisation")
    metric: Key | None = None
    value: AimValue | None = Field(default=None, description="so much of its metric; without it, as its targets say")
    period: AskedPeriod
    parent: Ref | None = None
    weight: Share = Field(default=Decimal(1), description="its share among the parts of its parent")


class ChangeGoal(Named):
    """Another title or value of a goal; its weight changes together with those of the other parts, all else stays."""

    title: Name = ""
    owner: Scope = Scope(level="organisation")
    metric: Key | None = None
    value: AimValue | None = None
    period: AskedPeriod = AskedPeriod("1900")
    parent: Ref | None = None
    weight: Share | None = None


class PartWeight(Body):
    """A part of a goal, and its share."""

    goal: Ref
    weight: Share


class WeighGoal(Body):
    """The weights of all parts of a goal; they sum to 1."""

    parts: list[PartWeight] = Field(min_length=1, max_length=100)


class CloseGoal(Body):
    """The day from which a goal is not pursued any more."""

    on: Day | None = None


@goals.create
async def set_goal(tx: Tx, body: SetGoal) -> Goal:
    """Have a goal, by itself or as a part of another one."""
    return await have_goal(tx, body, "")


async def have_goal(tx: Tx, body: SetGoal, at: str, parent: Goal | None = None) -> Goal:
    """A new goal from a body, or from a part of one at a place of it."""
    if body.parent is not None and parent is None:
        # The goal above is locked, so that two parts cannot both see the same weight free.
        parent = await tx.seek(Goal, body.parent)
        if parent is None:
            raise Invalid(f"{at}/parent: there is no goal {body.parent}.", [Fault(f"{at}/parent", "is not known")])
    metric = await metric_of(tx, body.metric, f"{at}/metric") if body.metric else None
    if metric is not None:
        check_unit(metric.id, money=metric.money, values=[body.value])
    goal, told = Goal.set(
        title=body.title,
        level=body.owner.level,
        ref=await whose(tx, body.owner, f"{at}/owner"),
        metric=metric.id if metric else None,
        value=body.value,
        period=await period_of(tx, body.period),
        weight=body.weight,
        parent=parent,
        above=len(await above(tx, parent)) if parent else 0,
        siblings=await parts_of(tx, [parent.id]) if parent else (),
        **fresh(Goal, body),
    )
    return tx.save(goal, told)


@goals.amend
async def change_goal(tx: Tx, goal: Goal, body: ChangeGoal) -> Goal:
    """Call a goal something else, or give it another value; null takes it away."""
    sent = body.sent()
    told = {"metric": body.metric}
    if "owner" in sent:
        told["owner"] = f"{body.owner.level} {await whose(tx, body.owner) or ''}".strip()
    if "period" in sent:
        told["period"] = str(await period_of(tx, body.period))
    if body.parent is not None:
        told["parent"] = await tx.resolve(Goal.kind, body.parent)
    if body.weight is not None:
        told["weight"] = plain(body.weight)
    stored = {"metric": goal.metric, "owner": f"{goal.level} {goal.ref}".strip(), "period": str(goal.period),
              "parent": goal.parent, "weight": goal.weight}  # fmt: skip
    for field in sent.keys() & stored.keys():
        if told.get(field) != stored[field]:
            detail = f"the {field} of a goal stays {stored[field]}"
            how = "; weigh its parent's parts anew" if field == "weight" else ""
            raise Conflict(f"/{field}: {detail}{how}.", [Fault(f"/{field}", detail)])
    if goal.metric is not None:
        metric = await metric_of(tx, goal.metric)
        check_unit(metric.id, money=metric.money, values=[body.value])
    value = body.value if "value" in sent else UNCHANGED
    return tx.save(goal, goal.change(title=body.title or None, value=value))


@goals.verb("weigh")
async def weigh_goal(tx: Tx, goal: Goal, body: WeighGoal) -> Goal:
    """Give all parts of a goal their weights, at once."""
    parts = {part.id: part for part in await parts_of(tx, [goal.id]) if part.closed_on is None}
    weights: dict[str, Decimal] = {}
    for place, each in enumerate(body.parts):
        key = await tx.resolve(Goal.kind, each.goal)
        if key not in parts:
            at = f"/parts/{place}/goal"
            raise Invalid(f"{at}: {each.goal} is no open part of this goal.", [Fault(at, "is no part of this goal")])
        weights[key] = each.weight
    told = goal.weigh(weights, list(parts.values()))
    for key, weight in sorted(weights.items()):
        part = await tx.load(Goal, key)
        tx.save(part, part.weighs(weight))
    return tx.save(goal, told)


@goals.verb("close")
async def close_goal(tx: Tx, goal: Goal, body: CloseGoal) -> Goal:
    """Stop pursuing a goal."""
    return tx.save(goal, goal.close(body.on or await today(tx)))


async def parts_of(snapshot: Snapshot, parents: Sequence[str]) -> list[Goal]:
    """The parts of goals."""
    return await snapshot.all(Goal, _PARTS, parents=list(parents)) if parents else []


async def above(snapshot: Snapshot, goal: Goal) -> list[Goal]:
    """The goals that a goal serves, from the next one up."""
    line: list[Goal] = []
    parent = goal.parent
    while parent is not None:
        line.append(await snapshot.get(Goal, parent))
        parent = line[-1].parent
    return line


async def goal_id(tx: Tx, ref: str | None, metric: str | None, at: str) -> str | None:
    """The goal that is served, by what is measured in a metric or by what no number tells; raises Invalid."""
    if ref is None:
        return None
    goal = await tx.seek_unlocked(Goal, ref)
    if goal is None:
        raise Invalid(f"{at}: there is no goal {ref}.", [Fault(at, f"there is no goal {ref}")])
    if metric is not None and goal.metric not in (None, metric):
        detail = f"the goal is measured in {goal.metric}, the target in {metric}"
        raise Invalid.at(at, detail)
    return goal.id
