"""The weekly points of a measure by which the effect of an action is judged: made from events, week by week.

A week without a case has no point; it is not zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Final

from services.metrics.review.association import edges_of, parties
from services.metrics.review.conventions import mean_of
from services.metrics.review.inputs import Inputs
from services.metrics.review.thresholds import Rules

Dated = tuple[date, bool]


def on_time(inputs: Inputs, rules: Rules) -> list[Dated]:
    """Requests by the day they were asked, and whether they were answered on time."""
    return [(each.asked_on, each.answered == 1) for each in inputs.requests if each.due_by(inputs.asked)]


def covered(inputs: Inputs, rules: Rules) -> list[Dated]:
    """Requests by the day they were asked, and whether there was a tie between the two."""
    edges = edges_of(inputs, rules.graph)
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


def weekly(inputs: Inputs, rules: Rules, measure: str) -> list[float]:
    """The points of a measure in percent, from the first week to the last that has any."""
    parts = [_by_week(part(inputs, rules), inputs.start) for part in MEASURES[measure]]
    weeks = sorted({week for part in parts for week in part})
    return [mean_of([part[week] for part in parts if week in part]) for week in weeks]


def _by_week(found: Iterable[Dated], start: date) -> dict[int, float]:
    weeks: dict[int, list[bool]] = {}
    for on, good in found:
        weeks.setdefault((on - start).days // 7, []).append(good)
    return {week: 100 * sum(each) / len(each) for week, each in weeks.items()}
