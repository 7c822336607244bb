"""`/v1/reviews/{id}/verification`: how the effect of an action is judged, fixed before it starts; what came of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from services.metrics.api.review_opening import reviews
from services.metrics.domain.reviews import Review
from services.metrics.facts.teams import TeamFact
from services.metrics.review.inputs import Before
from services.metrics.review.options import Effect
from services.metrics.review.prior import updated
from services.metrics.review.reading.before import options_of
from services.metrics.review.reading.inputs_of import inputs_of
from services.metrics.review.thresholds import Rules
from services.metrics.review.verification import Estimate, can_show, estimate, resemblance, verdict, window_of
from services.metrics.review.weekly import weekly
from services.metrics.review.written import number
from services.metrics.views.shown import question_of
from shared.asked_period import AskedPeriod
from shared.errors import Refused
from shared.http.bodies import Body, Ref
from shared.http.collection import Reference
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.identity.permissions import Principal, require
from shared.instant import Day
from shared.known import known
from shared.store import Snapshot, Tx

_READ = require("reviews:read")
__all__ = ["reviews"]
LEAST_WEEKS = 4
MOST_BASELINE = 13


class NothingPlanned(Refused):
    """How the effect is judged was not fixed before it started; without a baseline there is nothing to judge."""


class PlanVerification(Body):
    """How the effect of what was decided will be judged; it cannot be changed afterwards."""

    starts_on: Day = Field(
        description="at least six weeks after the reviewed period: the weeks between are the baseline"
    )
    measure: Literal["COM", "TWK", "TP3", "TP2", "IB4"] = "COM"
    weeks: int = Field(default=13, ge=6, le=52)
    smallest_worthwhile: float = Field(default=8, gt=0, le=100, allow_inf_nan=False, description="in points")
    comparison: Ref | None = Field(default=None, description="a team of similar work that does not act")


class Verified(BaseModel):
    """What came of it so far, and how sure that is."""

    plan: dict[str, Any]
    weeks: dict[str, int]
    estimate: dict[str, Any] | None
    verdict: str
    note: str | None
    updated_effects: dict[str, Any]


@reviews.verb("verification")
async def plan_verification(tx: Tx, review: Review, body: PlanVerification) -> Review:
    """Fix how the effect of what was decided is judged; refused without weeks for a baseline."""
    comparison = (await known(tx, TeamFact, body.comparison, "/comparison")).id if body.comparison else None
    plan = {
        "measure": body.measure, "smallest_worthwhile": number(body.smallest_worthwhile), "comparison": comparison,
    }  # fmt: skip
    return tx.save(review, review.freeze(plan, starts_on=body.starts_on, weeks=body.weeks))


@reviews.router.get("/{ref}/verification", operation_id="verify_review",
                    openapi_extra=described(_READ, None, {200: Verified}, missing=True, conflict=True))  # fmt: skip
async def verify_review(request: Request, ref: Reference, principal: Annotated[Principal, Depends(_READ)]) -> Response:
    """Whether what was done worked, so far as that can be said today."""

    async def query(snapshot: Snapshot) -> dict[str, Any]:
        review = await reviews.for_reader(snapshot, await snapshot.get(Review, ref), ref, principal)
        return await _verified(snapshot, review)

    found = await runtime_of(request).store.read(query)
    return Response(to_json(found), media_type="application/json")


async def _verified(snapshot: Snapshot, review: Review) -> dict[str, Any]:
    plan = review.plan
    if plan is None:
        raise NothingPlanned
    teams = [review.team, *([plan["comparison"]] if plan["comparison"] else [])]
    windows = [series for team in teams for series in await _windows(snapshot, review, plan, team)]
    found = _estimate(windows)
    worthwhile = float(plan["smallest_worthwhile"])
    over = await _is_over(snapshot, plan)
    return {
        "plan": plan,
        "weeks": {"before": len(windows[0]), "after": len(windows[1])},
        "estimate": _shown(found) if found else None,
        "verdict": verdict(found, worthwhile) if found and over else "not yet known",
        "note": _note(found, windows, worthwhile),
        "updated_effects": await _updated(snapshot, review, plan["measure"], found if over else None),
    }


async def _windows(snapshot: Snapshot, review: Review, plan: dict[str, Any], team: str) -> list[list[float]]:
    """A team's weekly points before and after the start; those before are not those of the review."""
    starts = date.fromisoformat(plan["starts_on"])
    before = starts - timedelta(weeks=min(plan["baseline_weeks"], MOST_BASELINE))
    rules = Rules.model_validate(review.rules)
    fact = await snapshot.recall(TeamFact, team)
    assert fact is not None
    found = []
    for start, end in ((before, starts), (starts, starts + timedelta(weeks=plan["weeks"]))):
        question = await question_of(snapshot, AskedPeriod.of(None, start.isoformat(), end.isoformat()), {})
        inputs = await inputs_of(snapshot, fact, question, rules, Before())
        found.append(weekly(inputs, rules, plan["measure"]))
    return found


def _estimate(windows: list[list[float]]) -> Estimate | None:
    """Nothing is estimated from fewer than four weeks."""
    if min(len(each) for each in windows) < LEAST_WEEKS:
        return None
    before, after, *comparison = [window_of(each) for each in windows]
    pair = (comparison[0], comparison[1]) if comparison else None
    return estimate(before, after, pair, rho=resemblance(*windows))


async def _is_over(snapshot: Snapshot, plan: dict[str, Any]) -> bool:
    end = date.fromisoformat(plan["starts_on"]) + timedelta(weeks=plan["weeks"])
    question = await question_of(snapshot, AskedPeriod.of(None, plan["starts_on"], end.isoformat()), {})
    return question.today >= end


def _shown(found: Estimate) -> dict[str, Any]:
    return {
        "change": number(found.change), "low": number(found.interval.low), "high": number(found.interval.high),
        "error": number(found.error), "rho": number(found.rho), "design": found.design,
        "evidence": "moderate" if found.design == "difference in differences" else "weak",
        "smallest_detectable": number(found.smallest_detectable),
    }  # fmt: skip


def _note(found: Estimate | None, windows: list[list[float]], worthwhile: float) -> str | None:
    if found is None:
        fewest = min(len(each) for each in windows)
        return f"there are {fewest} weeks with events in a window; at least {LEAST_WEEKS} are needed"
    if not can_show(worthwhile, found.smallest_detectable):
        return (
            f"this plan cannot show an effect of {worthwhile:g} points: the smallest it can see is"
            f" {found.smallest_detectable:.1f}; take several teams together, or more weeks"
        )
    return None


async def _updated(snapshot: Snapshot, review: Review, measure: str, found: Estimate | None) -> dict[str, Any]:
    """What the one option that was decided may be expected to do from now on; of several nobody knows which did it."""
    if found is None or len(review.decided) != 1:
        return {}
    option = next((each for each in (await options_of(snapshot)).options if each.id == review.decided[0]), None)
    prior: Effect | None = option.effects.get(measure) if option else None
    if prior is None or option is None:
        return {}
    after = updated(prior, found.change, found.error)
    return {option.id: {"measure": measure, "mean": number(after.mean), "deviation": number(after.deviation)}}
