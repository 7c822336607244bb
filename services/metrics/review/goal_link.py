"""The link to the organisation's goals: is the team tied to them, and do its results pull them?"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

from services.metrics.review.inputs import Goal, Inputs, Own, Pull
from services.metrics.review.measure import Measure, Value
from services.metrics.review.team_results import TR6

LINK = Measure(
    "LINK", "linkage", "goal link", "The weight of the organisation's goals that the team's targets are linked to.",
    "Σ weight of linked goals", "goals without a link are shown as a question", unit="share",
)  # fmt: skip
PULL = Measure(
    "PULL", "pull-through", "goal link", "The team's share of the organisation's goal against the share planned.",
    "(team result ÷ organisation goal) ÷ planned share", "says nothing about a cause", unit="ratio",
)  # fmt: skip
LOS = Measure(
    "LOS", "line of sight", "goal link", "Duties and actions that carry a goal.", "with a goal ÷ all",
    "accomplishments, not activities", 8,
)  # fmt: skip
OWN = Measure(
    "OWN", "own measures", "goal link", "How far the team reaches what it measures itself by and has confirmed for the"
    " period.", "mean of min(1.2, actual ÷ target), over one or two own measures", "what is not confirmed for the"
    " period is no data; what was confirmed when it had begun is flagged", unit="share",
)  # fmt: skip
UNCONFIRMED = "not confirmed for this period"
UNLINKED = "No target of the team is linked to this goal: should one be, or do others serve it?"


def linkage(goals: Sequence[Goal]) -> Value:
    """L: the weight of the linked goals."""
    if not goals:
        return LINK.nothing("the organisation has no goals in the period")
    linked = [each for each in goals if each.linked]
    weight = fsum(each.weight for each in linked)
    return LINK.number(weight, len(goals), [*(each.subject for each in goals), *_targets(linked)])


def _targets(goals: Sequence[Goal]) -> list[str]:
    return [f"target/{each}" for goal in goals for each in goal.by]


def alignment(goals: Sequence[Goal], cap: float) -> Value:
    """G (TR6): Σ weight·min(cap, actual ÷ target) ÷ Σ weight, over linked goals."""
    linked = [each for each in goals if each.linked and each.reached is not None]
    weight = fsum(each.weight for each in linked)
    if not weight:
        return TR6.nothing("no goal that the team is linked to has a target and a result")
    reached = fsum(each.weight * min(cap, each.reached) for each in linked if each.reached is not None)
    return TR6.number(reached / weight, len(linked), [*(each.subject for each in linked), *_targets(linked)])


def pull_through(pull: Pull | None) -> Value:
    """P: (team result ÷ organisation goal) ÷ planned share."""
    if pull is None or pull.goal <= 0 or pull.planned <= 0:
        return PULL.nothing("there is no target of the organisation with a share planned for the team")
    return PULL.number(pull.result / pull.goal / pull.planned, 1, (f"target/{each}" for each in pull.by))


def own_measures(owned: Sequence[Own], cap: float) -> Value:
    """OWN: the mean of what is confirmed; one of which nothing is known leaves no number."""
    confirmed = [each for each in owned if each.confirmed]
    if not confirmed:
        return OWN.nothing("the team has confirmed no measure of its own for this period")
    reached = [min(cap, each.reached) for each in confirmed if each.reached is not None]
    if len(reached) < len(confirmed):
        return OWN.nothing("of a measure that the team has confirmed nothing was recorded")
    sources = [source for each in confirmed for source in sources_of(each)]
    return OWN.number(fsum(reached) / len(reached), len(reached), sources)


def sources_of(own: Own) -> tuple[str, ...]:
    """The target, and the sets of own measures that name it."""
    return (own.subject, *(f"own_measures/{each}" for each in own.by))


def line_of_sight(inputs: Inputs) -> Value:
    """LOS: duties and actions that carry a goal ÷ all."""
    things = _work(inputs)
    return LOS.share(sum(goal is not None for _, goal in things), len(things), sources=(name for name, _ in things))


def unlinked(inputs: Inputs) -> tuple[str, ...]:
    """The duties and actions that carry no goal."""
    return tuple(sorted(name for name, goal in _work(inputs) if goal is None))


def _work(inputs: Inputs) -> list[tuple[str, str | None]]:
    duties = [(each.subject, each.goal) for each in inputs.duties if each.owner in inputs.member_of]
    return duties + [(each.subject, each.goal) for each in inputs.actions if each.owner in inputs.member_of]
