"""What came of what was decided: carried out or not, the change against the baseline, and what else moved."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from services.metrics.api.carrying_out import carried_out, shown
from services.metrics.api.learnt import catalogue_of
from services.metrics.api.review_plans import LEAST_WEEKS, inputs_between
from services.metrics.domain.reviews import Review
from services.metrics.review.carried_out import share_of
from services.metrics.review.conventions import mean_of
from services.metrics.review.inputs import Inputs
from services.metrics.review.prior import updated
from services.metrics.review.thresholds import Rules
from services.metrics.review.verification import (
    FRESH_WEEKS,
    Change,
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
    rules, (acted, compared) = Rules.model_validate(review.rules), await _windows(snapshot, review)
    series = [[weekly(each, rules, plan["measure"]) for pair in group for each in pair] for group in (acted, compared)]
    found, weeks = _estimate(series[0], series[1], plan), [each for group in series for each in group]
    steps = await carried_out(snapshot, review, today)
    share = await _share(snapshot, plan, share_of(steps), today)
    balance, over = [each for pair in acted for each in _balance(plan, pair, rules)], today >= until
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
        "weeks": {"before": len(weeks[0]), "after": len(weeks[1])},
        "carried_out": shown(steps) | ({"share_of_all": number(share)} if plan.get("pooled") else {}),
        "estimate": _shown(found, plan) if found else None,
        "lot": {"change": number(lot.change), "p": number(lot.p), "teams": lot.teams} if lot else None,
        "balance": balance,
        "verdict": said,
        "note": _note(found, weeks, worthwhile, until if not over else None),
        "learned": learned,
        "updated_effects": _updated(learned),
        "judged": review.judged,
    }


async def _share(snapshot: Snapshot, plan: dict[str, Any], own: float | None, today: date) -> float | None:
    """Which share was carried out: of several teams that are judged together the mean."""
    shares = [own]
    for each in plan.get("pooled", ()):
        other = await snapshot.get(Review, each["review"])
        shares.append(share_of(await carried_out(snapshot, other, today)))
    known = [each for each in shares if each is not None]
    return mean_of(known) if known else None


async def _windows(snapshot: Snapshot, review: Review) -> tuple[Windows, Windows]:
    """Each team's work before the start and after it: of those that acted, its own first, and of the comparison."""
    plan = review.plan or {}
    before = [date.fromisoformat(plan["baseline"][each]) for each in ("from", "to")]
    starts = date.fromisoformat(plan["starts_on"])

    async def of(teams: Iterable[str]) -> Windows:
        return [
            (
                await inputs_between(snapshot, review, team, *before),
                await inputs_between(snapshot, review, team, starts, review.watched_until),
            )
            for team in teams
        ]

    acted = await of([review.team, *(each["team"] for each in plan.get("pooled", ()))])
    return acted, await of(plan["comparisons"])


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


def _estimate(acted: list[list[float]], compared: list[list[float]], plan: dict[str, Any]) -> Estimate | None:
    """Nothing is estimated from fewer than four weeks; of several teams the mean counts."""
    every = [*acted, *compared]
    if min(len(each) for each in every) < LEAST_WEEKS:
        return None
    drift = float(plan["drift"]["expected"]) if plan["drift"] else 0.0
    return estimate(_changes(acted), _changes(compared), rho=resemblance(*every), drift=drift)


def _changes(series: list[list[float]]) -> list[Change]:
    """Weeks before and after, in turn, as changes."""
    return [(window_of(before), window_of(after)) for before, after in zip(series[0::2], series[1::2], strict=True)]


def _balance(plan: dict[str, Any], windows: tuple[Inputs, Inputs], rules: Rules) -> list[dict[str, Any]]:
    found = []
    for each in plan["balance"]:
        before, after = (balance_weekly(inputs, rules, each["measure"]) for inputs in windows)
        found.append({
            **each, "team": windows[0].team, "before": _mean(before), "after": _mean(after),
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
