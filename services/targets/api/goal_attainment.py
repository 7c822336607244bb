"""`/v1/goals/{id}/attainment`: how far a goal is attained, by its parts or by the targets that serve it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.targets.api.attainment import FIGURES, AsOf, InCurrency, answered
from services.targets.api.converted import tender_into
from services.targets.api.goals import parts_of
from services.targets.api.judging import Tender, day_asked, judged, judged_together
from services.targets.api.serving import as_target
from services.targets.domain.goals import Goal
from services.targets.domain.targets import Target
from shared.http.collection import After, Prefer, Reference
from shared.http.documents import described
from shared.identity.permissions import require
from shared.money import rounded
from shared.store import Snapshot

router = APIRouter(tags=["goals"])
_READ = require("goals:read")
_target = Target.__table__.c  # type: ignore[attr-defined]
_OF_GOAL = sa.select(Target).where(_target.goal == sa.bindparam("goal")).order_by(_target.id)


class GoalAttainmentShown(BaseModel):
    """How far a goal is attained at the end of a day, and its parts. What is not known is null and weighs nothing."""

    id: str
    weight: str
    as_of: date
    attainment: str | None
    known_weight: str = Field(description="the weight of the parts that are known, of 1")
    own: dict[str, Any] | None = Field(
        description="its own value against what its owner has achieved of its metric; null without a value"
    )
    targets: list[str] = Field(description="the targets it is measured by")
    parts: list[dict[str, Any]]
    notes: list[str]


@router.get(
    "/v1/goals/{ref}/attainment",
    operation_id="attainment_of_goal",
    openapi_extra=described(_READ, None, {200: GoalAttainmentShown}, missing=True),
    dependencies=[Depends(_READ)],
)
async def attainment_of_goal(
    request: Request,
    ref: Reference,
    as_of: AsOf = None,
    currency: InCurrency = None,
    after: After = [],  # noqa: B006
    prefer: Prefer = None,
) -> Response:
    """How far a goal is attained: by its parts, each with its weight; without parts by its own value or its targets."""

    async def query(snapshot: Snapshot) -> dict[str, Any]:
        goal = await snapshot.get(Goal, ref)
        day = await day_asked(snapshot, as_of)
        _, shown = await goal_attained(snapshot, goal, day, await tender_into(snapshot, currency))
        return shown | {"as_of": day}

    return await answered(request, query, after, prefer)


async def goal_attained(
    snapshot: Snapshot, goal: Goal, day: date, tender: Tender
) -> tuple[Fraction | None, dict[str, Any]]:
    """How far a goal is attained: its parts by their weights, the unknown ones left out; without parts its own value,
    and without that its targets."""
    notes: list[str] = []
    parts: list[dict[str, Any]] = []
    targets: list[str] = []
    weight, summed = Fraction(0), Fraction(0)
    for part in await parts_of(snapshot, [goal.id]):
        rate, shown = await goal_attained(snapshot, part, day, tender)
        parts.append(shown)
        if rate is None:
            notes.append(f"{part.id} is not known and weighs nothing")
        else:
            weight, summed = weight + fraction(part.weight), summed + fraction(part.weight) * rate
    rate = summed / weight if weight else None
    achieved, own = await _of_itself(snapshot, goal, day, tender, notes)
    if not parts:
        rate, targets = (achieved, []) if own is not None else await _by_targets(snapshot, goal, day, tender, notes)
        weight = Fraction(1 if rate is not None else 0)
    return rate, {
        "id": goal.id,
        "weight": goal.weight,
        "attainment": _decimal(rate) if rate is not None else None,
        "known_weight": _decimal(weight),
        "own": own,
        "targets": targets,
        "parts": parts,
        "notes": notes,
    }


async def _of_itself(
    snapshot: Snapshot, goal: Goal, day: date, tender: Tender, notes: list[str]
) -> tuple[Fraction | None, dict[str, Any] | None]:
    """A goal's own value against what its owner has achieved of its metric in its days, as a target would be."""
    if goal.value is None or goal.metric is None:
        return None, None
    aim = as_target(goal)
    found = await judged(snapshot, aim, day, tender)
    notes += found.achieved.notes
    shown = found.state.shown(tender.unit(aim))
    if found.achieved.amount is None:
        return None, shown | dict.fromkeys(FIGURES)
    return found.state.rate, shown


async def _by_targets(
    snapshot: Snapshot, goal: Goal, day: date, tender: Tender, notes: list[str]
) -> tuple[Fraction | None, list[str]]:
    """The mean attainment of a goal's targets; a target that is a part of another of them is in that one already."""
    linked = await snapshot.all(Target, _OF_GOAL, goal=goal.id)
    ids = {target.id for target in linked}
    own = [target for target in linked if target.parent not in ids]
    rates = []
    for target, found in zip(own, await judged_together(snapshot, own, day, tender), strict=True):
        if found.achieved.amount is None or found.state.rate is None:
            notes.append(f"what was achieved for {target.id} is not known")
        else:
            rates.append(found.state.rate)
    if not own:
        notes.append("no target serves this goal")
    return (sum(rates, Fraction(0)) / len(rates) if rates else None), [target.id for target in own]


def fraction(number: str) -> Fraction:
    """A decimal string, exactly."""
    return Fraction(Decimal(number))


def _decimal(rate: Fraction) -> str:
    return f"{rounded(rate):f}"
