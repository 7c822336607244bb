"""What came of what was decided: carried out or not, the change against the baseline, and what else moved."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from services.metrics.api.carrying_out import carried_out, shown
from services.metrics.api.learnt import catalogue_of
from services.metrics.api.review_plans import LEAST_WEEKS, inputs_between
from services.metrics.domain.reviews import Review
from services.metrics.review.carried_out import share_of
from services.metrics.review.inputs import Inputs
from services.metrics.review.prior import updated
from services.metrics.review.thresholds import Rules
from services.metrics.review.verification import (
    FRESH_WEEKS,
    Estimate,
    Lot,
    can_show,
    estimate,
    lot_of,
    lot_verdict,
    resemblance,
    verdict,
    window_of,
    worsened,
)
from services.metrics.review.weekly import balance_weekly, week_by_week, weekly
from services.metrics.review.written import number
from shared.store import Snapshot

Windows = list[tuple[Inputs, Inputs]]


async def effect_of(snapshot: Snapshot, review: Review, today: date) -> dict[str, Any]:
    """What came of it so far; the verdict once the weeks are over. Raises NothingPlanned."""
    until, plan = review.watched_until, review.plan or {}
    rules, windows = Rules.model_validate(review.rules), await _windows(snapshot, review)
    series = [weekly(each, rules, plan["measure"]) for pair in windows for each in pair]
    found = _estimate(series, plan)
    steps = await carried_out(snapshot, review, today)
    balance = _balance(plan, windows[0], rules)
    share, over = share_of(steps), today >= until
    done = share is None or share >= float(plan["least_carried_out"])
    worthwhile, kept = float(plan["smallest_worthwhile"]), not any(each["worsened"] for each in balance)
    lot = await _lot(snapshot, review, rules) if plan.get("lot") else None
    said = "not yet known"
    if over and not done:
        said = "not carried out"
    elif over and lot is not None:
        said = lot_verdict(lot, worthwhile, balance_kept=kept)
    elif over and found is not None:
        said = verdict(found, worthwhile, balance_kept=kept)
    learned = await _learned(snapshot, review, found) if over and done and found is not None else None
    return {
        "plan": plan,
        "until": until,
        "weeks": {"before": len(series[0]), "after": len(series[1])},
        "carried_out": shown(steps),
        "estimate": _shown(found, plan) if found else None,
        "lot": {"change": number(lot.change), "p": number(lot.p), "teams": lot.teams} if lot else None,
        "balance": balance,
        "verdict": said,
        "note": _note(found, series, worthwhile, until if not over else None),
        "learned": learned,
        "updated_effects": _updated(learned),
        "judged": review.judged,
    }


async def _windows(snapshot: Snapshot, review: Review) -> Windows:
    """Each team's work before the start and after it, its own first."""
    plan = review.plan or {}
    before = [date.fromisoformat(plan["baseline"][each]) for each in ("from", "to")]
    starts = date.fromisoformat(plan["starts_on"])
    return [
        (
            await inputs_between(snapshot, review, team, *before),
            await inputs_between(snapshot, review, team, starts, review.watched_until),
        )
        for team in (review.team, *plan["comparisons"])
    ]


async def _lot(snapshot: Snapshot, review: Review, rules: Rules) -> Lot:
    """How much the teams of a lot changed at their starts, against all other lots."""
    plan = review.plan or {}
    starts = {team: date.fromisoformat(day) for team, day in plan["lot"]["starts"].items()}
    begin = min(starts.values()) - timedelta(weeks=FRESH_WEEKS)
    points = {
        team: week_by_week(
            await inputs_between(snapshot, review, team, begin, review.watched_until), rules, plan["measure"]
        )
        for team in starts
    }
    return lot_of(points, {team: (day - begin).days // 7 for team, day in starts.items()})


def _estimate(series: list[list[float]], plan: dict[str, Any]) -> Estimate | None:
    """Nothing is estimated from fewer than four weeks. Several teams of comparison are taken as one."""
    if min(len(each) for each in series) < LEAST_WEEKS:
        return None
    before, after, others = series[0], series[1], series[2:]
    pair = None
    if others:
        earlier, later = sum(others[0::2], list[float]()), sum(others[1::2], list[float]())
        pair = window_of(earlier), window_of(later)
    drift = float(plan["drift"]["expected"]) if plan["drift"] else 0.0
    return estimate(window_of(before), window_of(after), pair, rho=resemblance(*series), drift=drift)


def _balance(plan: dict[str, Any], windows: tuple[Inputs, Inputs], rules: Rules) -> list[dict[str, Any]]:
    found = []
    for each in plan["balance"]:
        before, after = (balance_weekly(inputs, rules, each["measure"]) for inputs in windows)
        found.append({
            **each, "before": _mean(before), "after": _mean(after),
            "worsened": worsened(before, after, each["worse"], float(each["limit"])),
        })  # fmt: skip
    return found


def _mean(values: list[float]) -> str | None:
    return number(sum(values) / len(values)) if values else None


async def _learned(snapshot: Snapshot, review: Review, found: Estimate) -> dict[str, Any] | None:
    """What the one option that was decided may be expected to do from now on; of several nobody knows which did it."""
    plan = review.plan or {}
    option, measure = review.decided[0], plan["measure"]
    catalogue, _ = await catalogue_of(snapshot)
    prior = next((each.effects.get(measure) for each in catalogue.options if each.id == option), None)
    if prior is None or len(review.decided) != 1:
        return None
    after = updated(prior, found.change, found.error)
    return {
        "option": option, "measure": measure, "observed": number(found.change), "error": number(found.error),
        "before": {"mean": number(prior.mean), "deviation": number(prior.deviation)},
        "after": {"mean": number(after.mean), "deviation": number(after.deviation)},
    }  # fmt: skip


def _updated(learned: dict[str, Any] | None) -> dict[str, Any]:
    return {learned["option"]: {"measure": learned["measure"], **learned["after"]}} if learned else {}


def _shown(found: Estimate, plan: dict[str, Any]) -> dict[str, Any]:
    compared = found.design == "difference in differences"
    return {
        "change": number(found.change), "low": number(found.interval.low), "high": number(found.interval.high),
        "error": number(found.error), "rho": number(found.rho), "drift": number(found.drift), "design": found.design,
        "evidence": "moderate" if compared and plan["fresh"] else "weak",
        "smallest_detectable": number(found.smallest_detectable),
    }  # fmt: skip


def _note(found: Estimate | None, series: list[list[float]], worthwhile: float, until: date | None) -> str | None:
    if found is None:
        fewest = min(len(each) for each in series)
        return f"there are {fewest} weeks with events in a window; at least {LEAST_WEEKS} are needed"
    if until is not None:
        return f"the weeks in which the effect shows are over on {until}"
    if not can_show(worthwhile, found.smallest_detectable):
        return (
            f"this plan cannot show an effect of {worthwhile:g} points: the smallest it can see is"
            f" {found.smallest_detectable:.1f}; take several teams together, or more weeks"
        )
    return None
