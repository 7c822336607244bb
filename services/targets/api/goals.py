"""`/v1/goals`: what the organisation wants, as a weighted tree."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.targets.api.metrics import Key, metric_of
from services.targets.api.scopes import Scope, whose
from services.targets.domain.goals import Goal, WeightsDoNotSum
from services.targets.known import period_of
from shared.asked_period import AskedPeriod
from shared.errors import Conflict, Fault, Invalid
from shared.http.bodies import Body, Name, Named, Ref, shown
from shared.http.collection import Collection, fresh
from shared.http.documents import described
from shared.http.problems import parse
from shared.http.writes import Answer, as_json, version_headers, write
from shared.identity.permissions import Principal, require
from shared.instant import Day, day_of, now
from shared.known import house, today
from shared.money import Share, plain
from shared.period import Period
from shared.store import Snapshot, Tx
from shared.store.sql import OneOf

router = APIRouter(tags=["goals"])
_WRITE = require("goals:write")
_goal = Goal.__table__.c  # type: ignore[attr-defined]
_PARTS = sa.select(Goal).where(OneOf(_goal.parent, "parents")).order_by(_goal.id)


class GoalShown(BaseModel):
    """Whose goal it is, its days, what its parts weigh together, and the goals above it."""

    owner: Scope
    period: Period
    lifecycle: Literal["open", "overdue", "closed"]
    parts_weight: str | None = Field(description="of all its parts; 1 when the tree is complete, null without parts")
    line_of_sight: list[str] = Field(description="the goals it serves, from the next one up to the organisation's")


async def _present(snapshot: Snapshot, found: Sequence[Goal], reader: Principal | None) -> list[dict[str, Any]]:
    weights: dict[str, Decimal] = {}
    for part in await parts_of(snapshot, [goal.id for goal in found]):
        if part.closed_on is None and part.parent is not None:
            weights[part.parent] = weights.get(part.parent, Decimal(0)) + Decimal(part.weight)
    day = await today(snapshot) if isinstance(snapshot, Tx) else day_of(now(), (await house(snapshot)).zone)
    return [
        shown(goal)
        | {
            "owner": {"level": goal.level, "ref": goal.ref or None},
            "period": goal.period.as_json(),
            "lifecycle": goal.lifecycle(day),
            "parts_weight": plain(weights[goal.id]) if goal.id in weights else None,
            "line_of_sight": [each.id for each in await above(snapshot, goal)],
        }
        for goal in found
    ]


goals = Collection(
    Goal, "goals", filters={"parent": "parent", "level": "level", "ref": "ref", "metric": "metric"},
    present=_present, extra=GoalShown,
)  # fmt: skip


class SetGoal(Named):
    """What somebody wants of a period."""

    title: Name = Field(examples=["Win the south"])
    owner: Scope = Scope(level="organisation")
    metric: Key | None = None
    period: AskedPeriod
    parent: Ref | None = None
    weight: Share = Field(default=Decimal(1), description="its share among the parts of its parent")


class ChangeGoal(Named):
    """Another title of a goal; its weight changes together with those of the other parts, all else stays."""

    title: Name = ""
    owner: Scope = Scope(level="organisation")
    metric: Key | None = None
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


class CascadeGoal(Body):
    """A goal and all its parts at once: their weights sum to 1."""

    parent: Ref | SetGoal
    children: list[SetGoal] = Field(min_length=1, max_length=100)


class CascadedGoal(BaseModel):
    """A goal and its parts, as they are stored."""

    parent: dict[str, Any]
    children: list[dict[str, Any]]


@goals.create
async def set_goal(tx: Tx, body: SetGoal) -> Goal:
    """Have a goal, by itself or as a part of another one."""
    return await _set(tx, body, "")


async def _set(tx: Tx, body: SetGoal, at: str, parent: Goal | None = None) -> Goal:
    if body.parent is not None and parent is None:
        # The goal above is locked, so that two parts cannot both see the same weight free.
        parent = await tx.seek(Goal, body.parent)
        if parent is None:
            raise Invalid(f"{at}/parent: there is no goal {body.parent}.", [Fault(f"{at}/parent", "is not known")])
    metric = (await metric_of(tx, body.metric, f"{at}/metric")).id if body.metric else None
    goal, told = Goal.set(
        title=body.title,
        level=body.owner.level,
        ref=await whose(tx, body.owner, f"{at}/owner"),
        metric=metric,
        period=await period_of(tx, body.period),
        weight=body.weight,
        parent=parent,
        siblings=await parts_of(tx, [parent.id]) if parent else (),
        **fresh(Goal, body),
    )
    return tx.save(goal, told)


@goals.amend
async def change_goal(tx: Tx, goal: Goal, body: ChangeGoal) -> Goal:
    """Call a goal something else."""
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
    return tx.save(goal, goal.change(title=body.title or None))


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


@router.post(
    "/v1/goals/cascade",
    operation_id="cascade_goal",
    status_code=201,
    openapi_extra=described(_WRITE, CascadeGoal, {201: CascadedGoal}),
)
async def cascade_goal(request: Request, principal: Annotated[Principal, Depends(_WRITE)]) -> Response:
    """Set a goal and all its parts at once, or nothing of it."""
    raw = await request.body()
    body = parse(CascadeGoal, raw)

    async def decide(tx: Tx) -> Answer:
        if isinstance(body.parent, SetGoal):
            parent = await _set(tx, body.parent, "/parent")
        else:
            parent = await tx.load(Goal, body.parent)
        for place, child in enumerate(body.children):
            if child.parent is not None:
                at = f"/children/{place}/parent"
                raise Conflict(f"{at}: the parts of a cascade belong to its parent.", [Fault(at, "must not be sent")])
        weight = sum((child.weight for child in body.children), Decimal(0))
        weight += sum(
            (Decimal(part.weight) for part in await parts_of(tx, [parent.id]) if not part.closed_on), Decimal(0)
        )
        if weight != 1:
            raise WeightsDoNotSum(actual=plain(weight), pointer="/children")
        children = [await _set(tx, child, f"/children/{place}", parent) for place, child in enumerate(body.children)]
        (above_all, *parts) = await goals.present(tx, [parent, *children], principal)
        return Answer(201, as_json({"parent": above_all, "children": parts}), version_headers(parent))

    return await write(request, principal, decide, body=raw)


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


async def goal_id(tx: Tx, ref: str | None, metric: str, at: str) -> str | None:
    """The goal that a target serves; raises Invalid with the place in the body."""
    if ref is None:
        return None
    goal = await tx.seek_unlocked(Goal, ref)
    if goal is None:
        raise Invalid(f"{at}: there is no goal {ref}.", [Fault(at, f"there is no goal {ref}")])
    if goal.metric not in (None, metric):
        detail = f"the goal is measured in {goal.metric}, the target in {metric}"
        raise Invalid.at(at, detail)
    return goal.id
