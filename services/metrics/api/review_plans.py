"""How the effect of what is decided will be judged: fixed before it starts, with what can be seen of it at all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import Field

from services.metrics.api.learnt import catalogue_of
from services.metrics.domain.review_refusals import NoBaseline
from services.metrics.domain.reviews import Review
from services.metrics.facts.teams import TeamFact
from services.metrics.review.carried_out import LEAST
from services.metrics.review.inputs import Before, Inputs
from services.metrics.review.options import Catalogue
from services.metrics.review.reading.inputs_of import inputs_of
from services.metrics.review.thresholds import Rules
from services.metrics.review.verification import (
    FRESH_WEEKS,
    Change,
    Window,
    can_show,
    correlation,
    error_of,
    regression_to_the_mean,
    resemblance,
    smallest_detectable,
    window_of,
)
from services.metrics.review.weekly import BALANCE, BY_ITSELF, MEASURES, weekly
from services.metrics.review.written import number
from services.metrics.views.shown import question_of
from shared.asked_period import AskedPeriod
from shared.errors import Invalid
from shared.http.bodies import Body, Ref
from shared.instant import Day
from shared.known import known
from shared.store import Snapshot, Tx
from shared.store.sql import naming

Measure = Literal["COM", "TWK", "TP3", "TP2", "IB4"]
Balance = Literal["meeting hours", "sales activity", "items resolved", "answers on time"]
LEAST_WEEKS = 4
MOST_BASELINE = 13
LEAST_TEAMS = 4
"""So many teams with two periods say how much of a low value is chance."""
LIMIT = 0.2
_review = Review.__table__.c  # type: ignore[attr-defined]
_MEASURED = sa.select(_review.team, _review.document).where(_review.outdated_by.is_(None))


class Judging(Body):
    """How the effect of what is decided will be judged; it cannot be changed afterwards."""

    measure: Measure | None = Field(default=None, description="what is to be raised; what the review recommends for")
    weeks: int = Field(default=13, ge=6, le=52)
    smallest_worthwhile: float = Field(default=8, gt=0, le=100, allow_inf_nan=False, description="in points")
    comparison: Ref | None = Field(default=None, description="a team of similar work that does not act")
    comparisons: list[Ref] = Field(default_factory=list, max_length=10, description="more such teams")
    pooled: list[Ref] = Field(
        default_factory=list, max_length=10, examples=[["ext:oar:south-q3"]],
        description="reviews of other teams on which the same was decided for the same start: judged together with this"
        " one, for several teams show smaller effects",
    )  # fmt: skip
    balance: list[Balance] | None = Field(
        default=None, max_length=4, description="what must not get worse; that of the options, if not said"
    )
    balance_limit: float = Field(default=LIMIT, gt=0, le=1, allow_inf_nan=False, description="by which share at most")
    least_carried_out: float = Field(
        default=LEAST, gt=0, le=1, allow_inf_nan=False, description="below it the effect is not judged"
    )


class PlanVerification(Judging):
    """How the effect of what was decided will be judged; it cannot be changed afterwards."""

    starts_on: Day = Field(description="when what was decided begins to be carried out")
    measure: Measure = "COM"


async def plan_of(
    tx: Tx, review: Review, options: Sequence[str], body: Judging, starts_on: date, lot: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The plan, with the baseline it is judged against and the smallest effect it can see; raises NoBaseline."""
    measure = body.measure or _recommended(review)
    if lot is not None and measure not in BY_ITSELF:
        measure = _week_by_week(body)
    others = await _pooled(tx, review, body, starts_on)
    acting = [review.team, *(each.team for each in others)]
    teams = [each for each in await _compared(tx, review, body) if each not in acting]
    catalogue, _ = await catalogue_of(tx)
    end = max([review.end, *(each.end for each in others)])
    baseline = await _baseline(tx, review, measure, starts_on, end, drift=lot is None and not others)
    return {
        "measure": measure, "direction": "up", "lot": lot, "smallest_worthwhile": number(body.smallest_worthwhile),
        "comparison": teams[0] if teams else None, "comparisons": teams, **baseline,
        "pooled": [{"review": each.id, "team": each.team} for each in others],
        "balance": _balance(body, catalogue, options), "least_carried_out": number(body.least_carried_out),
        **await _detectable(tx, review, measure, (acting, teams), body.weeks, baseline["baseline_weeks"],
                            _expected(catalogue, options, measure)),
    }  # fmt: skip


async def inputs_between(snapshot: Snapshot, review: Review, team: str, start: date, end: date) -> Inputs:
    """What a team did in some weeks, so far as they are over, by the rules of the review."""
    question = await question_of(snapshot, AskedPeriod.of(None, start.isoformat(), end.isoformat()), {})
    fact = await snapshot.recall(TeamFact, team)
    assert fact is not None
    return await inputs_of(snapshot, fact, question, Rules.model_validate(review.rules), Before())


def _week_by_week(body: Judging) -> str:
    """What is judged of a start by lot: a tie is a matter of many weeks, an answer on time of one."""
    if body.measure is not None:
        raise Invalid.at(
            "/verification/measure", f"a start by lot is judged by {', '.join(BY_ITSELF)}: each week counts"
        )
    return "TP3"


def _recommended(review: Review) -> str:
    measure = review.document["recommendation"]["measure"]
    return measure if measure in MEASURES else "COM"


async def _compared(tx: Tx, review: Review, body: Judging) -> list[str]:
    said = [("/comparison", body.comparison)] if body.comparison else []
    said += [(f"/comparisons/{place}", ref) for place, ref in enumerate(body.comparisons)]
    found = [(await known(tx, TeamFact, ref, at)).id for at, ref in said]
    return [each for each in dict.fromkeys(found) if each != review.team]


async def _pooled(tx: Tx, review: Review, body: Judging, starts_on: date) -> list[Review]:
    """The reviews that are judged together with this one; raises NotAlike."""
    found: list[Review] = []
    for place, ref in enumerate(body.pooled):
        other = await tx.seek_unlocked(Review, ref)
        if other is None:
            raise Invalid.at(f"/pooled/{place}", f"there is no review {ref}")
        together_with, at = await pooling_of(tx, other), f"/pooled/{place}"
        review.refuse_to_pool(other, [each.team for each in found], starts_on, at, together_with=together_with)
        found.append(other)
    return found


async def pooling_of(snapshot: Snapshot, review: Review) -> str | None:
    """The review whose effect is judged, or was, together with that of this one; none, if there is no such review."""
    named = sa.select(_review.id).where(naming(_review.plan, review.id), _review.id != review.id)
    return next((str(key) for (key,) in await snapshot.rows(named.order_by(_review.id))), None)


def _balance(body: Judging, catalogue: Catalogue, options: Sequence[str]) -> list[dict[str, Any]]:
    own = [each.balance for each in catalogue.options if each.id in options and each.balance in BALANCE]
    names = body.balance if body.balance is not None else own
    return [{"measure": name, "worse": BALANCE[name], "limit": number(body.balance_limit)}
            for name in dict.fromkeys(names)]  # fmt: skip


async def _baseline(tx: Tx, review: Review, measure: str, starts_on: date, end: date, *, drift: bool) -> dict[str, Any]:
    """Weeks after those the weakness was found by; else the reviewed ones, if their drift to the mean is corrected."""
    fresh = max(0, (starts_on - end).days // 7)
    if fresh >= FRESH_WEEKS:
        start = starts_on - timedelta(weeks=min(fresh, MOST_BASELINE))
        return {"fresh": True, "baseline_weeks": fresh, "baseline": _days(start, starts_on), "drift": None}
    pairs, mine, mean = await _two_periods(tx, review, measure)
    r = correlation(pairs) if drift and len(pairs) >= LEAST_TEAMS else None
    if r is None or mine is None or starts_on < review.end:
        raise NoBaseline(least=FRESH_WEEKS, starts_on=starts_on, end=end, weeks=fresh, teams=LEAST_TEAMS,
                         known=len(pairs))  # fmt: skip
    corrected = {"correlation": number(r), "teams": len(pairs), "mean": number(mean), "before": number(mine),
             "expected": number(regression_to_the_mean(r, mean, mine))}  # fmt: skip
    weeks = (review.end - review.start).days // 7
    return {"fresh": False, "baseline_weeks": weeks, "baseline": _days(review.start, review.end), "drift": corrected}


async def _two_periods(tx: Tx, review: Review, measure: str) -> tuple[list[tuple[float, float]], float | None, float]:
    """By team the measure of the period before and of the reviewed one, that of this review, and the mean of all."""
    now = await tx.rows(_MEASURED.where(_review.start == review.start, _review.end == review.end))
    before = await tx.rows(_MEASURED.where(_review.end == review.start))
    values, earlier = _values(now, measure), _values(before, measure)
    pairs = [(earlier[team], values[team]) for team in sorted(values) if team in earlier]
    mean = sum(values[team] for team in sorted(values)) / len(values) if values else 0.0
    return pairs, values.get(review.team), mean


def _values(rows: Sequence[Sequence[Any]], measure: str) -> dict[str, float]:
    measured = {str(team): document["measures"]["team"][measure]["value"] for team, document in rows}
    return {team: float(value) for team, value in measured.items() if value is not None}


def _expected(catalogue: Catalogue, options: Sequence[str], measure: str) -> float | None:
    """What is expected of the options on a measure; none where nothing is known."""
    effects = [
        each.effects[measure].mean for each in catalogue.options if each.id in options and measure in each.effects
    ]
    return sum(effects) if effects else None


async def _detectable(
    tx: Tx, review: Review, measure: str, groups: tuple[Sequence[str], Sequence[str]], weeks: int, baseline: int,
    expected: float | None,
) -> dict[str, Any]:  # fmt: skip
    """The smallest effect that can be seen, by how much the weeks of the review differed."""
    rules = Rules.model_validate(review.rules)
    series = [
        [weekly(await inputs_between(tx, review, team, review.start, review.end), rules, measure) for team in group]
        for group in groups
    ]
    every = [each for group in series for each in group]
    if min(map(len, every)) < LEAST_WEEKS:
        return {"expected": number(expected), "smallest_detectable": None,
                "warning": "the review has too few weeks with events to say what can be seen"}  # fmt: skip
    changes = [[_as_long(window_of(each), min(baseline, MOST_BASELINE), weeks) for each in group] for group in series]
    least = smallest_detectable(error_of([group for group in changes if group], resemblance(*every)))
    return {"expected": number(expected), "smallest_detectable": number(least), "warning": _warning(expected, least)}


def _as_long(window: Window, before: int, after: int) -> Change:
    """A window as it would be before and after, if the weeks go on to differ as they do."""
    return Window(window.mean, window.deviation, before), Window(window.mean, window.deviation, after)


def _warning(expected: float | None, least: float) -> str | None:
    if expected is None or can_show(expected, least):
        return None
    return (
        f"this plan cannot show the effect: {expected:g} points are expected, and the smallest it can see is"
        f" {least:.1f}; take several teams together, or more weeks"
    )


def _days(start: date, end: date) -> dict[str, str]:
    return {"from": start.isoformat(), "to": end.isoformat()}
