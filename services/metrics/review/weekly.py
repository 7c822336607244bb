"""The weekly points of a measure by which the effect of an action is judged: made from events, week by week.

A week without a case has no point; it is not zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Final, Literal

from services.metrics.review.association import edges_of, parties
from services.metrics.review.conventions import mean_of
from services.metrics.review.inputs import Inputs
from services.metrics.review.thresholds import Rules

Dated = tuple[date, bool]
QUARTER_DAYS: Final = 91


def on_time(inputs: Inputs, rules: Rules) -> list[Dated]:
    """Requests by the day they were asked, and whether they were answered on time."""
    return [(each.asked_on, each.answered == 1) for each in inputs.requests if each.due_by(inputs.asked)]


def covered(inputs: Inputs, rules: Rules) -> list[Dated]:
    """Requests by the day they were asked, and whether there was a tie between the two.

    What makes a tie in a quarter is less in a shorter window: a longer one must not look better for its length.
    """
    part = (inputs.asked - inputs.start).days / QUARTER_DAYS
    graph = rules.graph.model_copy(update={"tie": rules.graph.tie * part, "cap": rules.graph.cap * part})
    edges = edges_of(inputs, graph)
    asked = ((each.asked_on, parties(each)) for each in inputs.requests)
    return [(on, pair in edges and edges[pair].tie) for on, pair in asked if pair is not None]


def resolved(inputs: Inputs, rules: Rules) -> list[Dated]:
    """Items of the team by the day they were raised, and whether they were resolved in time."""
    days = timedelta(days=rules.graph.settled_days)
    return [
        (each.raised_on, each.resolved_on is not None and each.resolved_on <= each.raised_on + days)
        for each in inputs.items
        if each.raised_by in inputs.member_of and each.raised_on + days <= inputs.asked
    ]


def kept(inputs: Inputs, rules: Rules) -> list[Dated]:
    """Actions of the team by the day they were due, and whether they were done by then."""
    mine = (each for each in inputs.actions if each.owner in inputs.member_of and each.due < inputs.asked)
    return [(each.due, each.done_on is not None and each.done_on <= each.due) for each in mine]


MEASURES: Final[dict[str, tuple[Callable[[Inputs, Rules], list[Dated]], ...]]] = {
    "COM": (on_time, covered),
    "TWK": (kept, resolved),
    "TP3": (on_time,),
    "TP2": (resolved,),
    "IB4": (kept,),
}
"""Of an index the parts that events make; what people say of it is asked too seldom."""
BY_ITSELF: Final = ("TWK", "TP3", "TP2", "IB4")
"""Measures of which a week says something by itself; whether there is a tie is a matter of many weeks."""


def weekly(inputs: Inputs, rules: Rules, measure: str) -> list[float]:
    """The points of a measure in percent, from the first week to the last that has any."""
    return [each for each in week_by_week(inputs, rules, measure) if each is not None]


def week_by_week(inputs: Inputs, rules: Rules, measure: str) -> list[float | None]:
    """The points of a measure in percent for each week up to the last that has any; none for a week without a case."""
    parts = [_by_week(part(inputs, rules), inputs.start) for part in MEASURES[measure]]
    last = max((week for part in parts for week in part), default=-1)
    there = ([part[week] for part in parts if week in part] for week in range(last + 1))
    return [mean_of(each) if each else None for each in there]


def _by_week(found: Iterable[Dated], start: date) -> dict[int, float]:
    weeks: dict[int, list[bool]] = {}
    for on, good in found:
        weeks.setdefault((on - start).days // 7, []).append(good)
    return {week: 100 * sum(each) / len(each) for week, each in weeks.items()}


def hours_met(inputs: Inputs) -> list[tuple[date, float]]:
    """The hours members spent in each meeting."""
    team = frozenset(inputs.ids)
    return [(each.on, each.minutes * len(each.attended & team) / 60) for each in inputs.meetings]


def deals_closed(inputs: Inputs) -> list[tuple[date, float]]:
    """Deals that were won or lost: what a team does for customers while it does something about itself."""
    return [(each.closed_on, 1.0) for each in inputs.deals]


COUNTED: Final[dict[str, Callable[[Inputs], list[tuple[date, float]]]]] = {
    "meeting hours": hours_met,
    "sales activity": deals_closed,
}
"""What is added up week by week; a week without any is zero."""
SHARES: Final = {"items resolved": "TP2", "answers on time": "TP3"}
BALANCE: Final[dict[str, Literal["more", "less"]]] = {
    "meeting hours": "more", "sales activity": "less", "items resolved": "less", "answers on time": "less",
}  # fmt: skip
"""What must not get worse while something else gets better, and which way worse is."""


def balance_weekly(inputs: Inputs, rules: Rules, name: str) -> list[float]:
    """What must not get worse, week by week."""
    if name in SHARES:
        return weekly(inputs, rules, SHARES[name])
    weeks = [0.0] * max(0, (inputs.asked - inputs.start).days // 7)
    for on, much in COUNTED[name](inputs):
        week = (on - inputs.start).days // 7
        if 0 <= week < len(weeks):
            weeks[week] += much
    return weeks
