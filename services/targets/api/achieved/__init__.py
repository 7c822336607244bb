"""What was achieved of a metric by somebody in some days: computed from deals, from customers' answers, or from
readings.

A team, a department and the organisation achieve the deals won for them; a member and a group what is credited to
them. Numbers of deals and customers count each deal once: for its owner, and for the group its owner was in that day.
Whatever is asked for together, as the targets of a page, is read together: each kind of fact once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Final

from services.targets.api.achieved.asked import Achieved, Asked
from services.targets.api.achieved.counts import customers_won, deals_won, satisfaction
from services.targets.api.achieved.money import earned
from services.targets.api.achieved.own import based_on_facts
from services.targets.api.achieved.readings import measured
from services.targets.api.achieved.whose import Whose, whose_of
from services.targets.domain.metrics import Metric
from services.targets.domain.targets import Target
from shared.measured import computed_from
from shared.store import Snapshot

__all__ = ["Achieved", "Asked", "achieved_by", "achieved_by_each"]

_FROM_FACTS: Final[dict[str, Callable[[Snapshot, Sequence[Asked], Whose], Awaitable[list[Achieved]]]]] = {
    "revenue": earned,
    "margin": earned,
    "deals_won": deals_won,
    "customers_won": customers_won,
    "csat": satisfaction,
}


async def achieved_by(snapshot: Snapshot, target: Target, metric: Metric, before: date) -> Achieved:
    """What was achieved for a target from its first day up to, not including, a day."""
    (found,) = await achieved_by_each(snapshot, [Asked(target, metric, before)])
    return found


async def achieved_by_each(snapshot: Snapshot, asked: Sequence[Asked]) -> list[Achieved]:
    """What was achieved for each of several targets, in their order; the facts of a metric are read once for all."""
    by_metric: dict[str, list[int]] = {}
    for place, each in enumerate(asked):
        by_metric.setdefault(each.metric.id, []).append(place)
    found: dict[int, Achieved] = {}
    for places in by_metric.values():
        alike = [asked[place] for place in places]
        metric = alike[0].metric
        based = based_on_facts if computed_from(metric) is not None else measured
        compute = _FROM_FACTS[metric.id] if metric.built_in else based
        achieved = await compute(snapshot, alike, await whose_of(snapshot, alike))
        found |= zip(places, achieved, strict=True)
    return [found[place] for place in range(len(asked))]
