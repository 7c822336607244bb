"""`/v1/goals/cascade`: a goal and its weighted parts, at once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field, model_validator

from services.targets.api.aims import AimValue
from services.targets.api.goals import SetGoal, above, goals, have_goal, parts_of
from services.targets.api.metrics import Key
from services.targets.api.scopes import Scope
from services.targets.domain.goals import Goal, WeightsDoNotSum
from shared.asked_period import AskedPeriod
from shared.errors import Invalid
from shared.http.bodies import Body, Name, Named, Ref
from shared.http.documents import described
from shared.http.problems import parse
from shared.http.writes import Answer, as_json, version_headers, write
from shared.identity.permissions import Principal, require
from shared.money import Share, plain
from shared.store import Tx

router = APIRouter(tags=["goals"])
_WRITE = require("goals:write")


class GoalPart(Named):
    """A part of a goal and its weight: one that there is, or a new one with title and period."""

    goal: Ref | None = Field(default=None, description="one that there is; then only its weight is said")
    title: Name | None = None
    owner: Scope = Scope(level="organisation")
    metric: Key | None = None
    value: AimValue | None = None
    period: AskedPeriod | None = None
    weight: Share = Decimal(1)

    @model_validator(mode="after")
    def _there_or_new(self) -> GoalPart:
        there, new = self.goal is not None, self.title is not None and self.period is not None
        if there == new or (there and not self.model_fields_set <= {"goal", "weight"}):
            raise ValueError("a part is either a goal that there is and its weight, or a new one with title and period")
        return self


class CascadeGoal(Body):
    """A goal and all its parts at once: their weights sum to 1."""

    parent: Ref | SetGoal
    children: list[GoalPart] = Field(min_length=1, max_length=100)


class CascadedGoal(BaseModel):
    """A goal and its parts, as they are stored."""

    parent: dict[str, Any]
    children: list[dict[str, Any]]


@router.post(
    "/v1/goals/cascade",
    operation_id="cascade_goal",
    status_code=201,
    openapi_extra=described(_WRITE, CascadeGoal, {201: CascadedGoal}),
)
async def cascade_goal(request: Request, principal: Annotated[Principal, Depends(_WRITE)]) -> Response:
    """Set a goal and all its parts at once, or nothing of it.

    Goals that there are become parts too; parts it has already keep their weight unless they are named.
    """
    raw = await request.body()
    body = parse(CascadeGoal, raw)

    async def decide(tx: Tx) -> Answer:
        if isinstance(body.parent, SetGoal):
            parent = await have_goal(tx, body.parent, "/parent")
        else:
            parent = await tx.load(Goal, body.parent)
        had = [each for each in await parts_of(tx, [parent.id]) if each.closed_on is None]
        line = await above(tx, parent)
        named = [await _named(tx, child, f"/children/{place}/goal") for place, child in enumerate(body.children)]
        kept = [Decimal(each.weight) for each in had if each.id not in {each.id for each in named if each}]
        actual = sum([*kept, *(child.weight for child in body.children)], Decimal(0))
        if actual != 1:
            raise WeightsDoNotSum(actual=plain(actual), pointer="/children")
        for child, part in zip(body.children, named, strict=True):
            if part is not None:
                await _place(tx, part, parent, child.weight, line)
        children = [
            part or await have_goal(tx, _new(child), f"/children/{place}", parent)
            for place, (child, part) in enumerate(zip(body.children, named, strict=True))
        ]
        (above_all, *parts) = await goals.present(tx, [parent, *children], principal)
        return Answer(201, as_json({"parent": above_all, "children": parts}), version_headers(parent))

    return await write(request, principal, decide, body=raw)


async def _named(tx: Tx, child: GoalPart, at: str) -> Goal | None:
    """The goal that a part names; none for a new one. Raises Invalid."""
    if child.goal is None:
        return None
    part = await tx.seek(Goal, child.goal)
    if part is None:
        detail = f"there is no goal {child.goal}"
        raise Invalid.at(at, detail)
    return part


async def _place(tx: Tx, part: Goal, parent: Goal, weight: Decimal, line: Sequence[Goal]) -> None:
    if part.parent == parent.id:
        tx.save(part, part.weighs(weight))
    else:
        tx.save(part, part.place(parent, weight, above=line, height=await _height(tx, part)))


async def _height(tx: Tx, goal: Goal) -> int:
    """How many levels a goal and those below it have."""
    levels, last = 0, [goal.id]
    while last:
        levels, last = levels + 1, [each.id for each in await parts_of(tx, last)]
    return levels


def _new(child: GoalPart) -> SetGoal:
    fields = {name: getattr(child, name) for name in GoalPart.model_fields if name != "goal"}
    return SetGoal.model_construct(**fields, parent=None)
