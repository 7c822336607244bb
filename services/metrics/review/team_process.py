"""Cell 3, team process: how the team works together and with others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from services.metrics.review.association import Edge, Need, Pair
from services.metrics.review.conventions import mean_of
from services.metrics.review.individual_behaviour import could_come, follow_through
from services.metrics.review.inputs import Inputs
from services.metrics.review.measure import Measure, Value, mean_share
from services.metrics.review.thresholds import Rules

TP1 = Measure(
    "TP1", "meeting effectiveness", "team process",
    "The mean of attendance, items resolved in time and actions done on time.",
    "(attendance + TP2 + IB4 pooled) ÷ 3", "the number of meetings is never scored; their hours are shown as cost",
)  # fmt: skip
ATTENDANCE = Measure(
    "ATT", "attendance", "team process", "Attendance of members at the meetings they were invited to and could attend.",
    "attended ÷ (invited - excused), over all meetings of at most 12 people",
    "absence takes the opportunity away; large meetings do not count", 6,
)  # fmt: skip
TP2 = Measure(
    "TP2", "items resolved", "team process", "Items that were resolved within 14 days after they were raised.",
    "resolved in at most 14 days ÷ raised, without items younger than that",
    "old open items count as unresolved; what one person raised in one meeting counts once", 8,
)  # fmt: skip
TP3 = Measure(
    "TP3", "requests answered on time", "team process",
    "Requests to and from the team that were answered by the promised day.", "answered on time ÷ all due",
    "what was reopened was not answered", 8,
)  # fmt: skip
TP4 = Measure(
    "TP4", "needed-tie coverage", "team process", "What work needed of others, where there was a tie to them.",
    "Σ needs of pairs with a tie ÷ Σ needs", "needs come from work, not from opinion", 10,
)  # fmt: skip
TP5 = Measure(
    "TP5", "communication quality", "team process", "Answers to the questions C1 to C4.", "(mean - 1) ÷ 4 · 100",
    "an opinion about everything colours it: only together with events", 4,
)  # fmt: skip
TP6 = Measure(
    "TP6", "cooperation quality", "team process", "Answers to the questions T1 to T4.", "(mean - 1) ÷ 4 · 100",
    "an opinion about everything colours it: only together with events", 4,
)  # fmt: skip
TP7 = Measure(
    "TP7", "influence", "team process", "How much say the levels have, from the top down.",
    "mean over the levels, and slope per level", "a picture, without a line", 3, unit="1 to 5",
)  # fmt: skip
TP8 = Measure(
    "TP8", "training coverage", "team process",
    "Members with a training in teamwork of the last twelve months whose check they passed.", "such members ÷ members",
    "having been there is not being able to", 1,
)  # fmt: skip
LEVELS: Final = ("I1", "I2", "I3")
"""The questions how much say management, team leaders and members have."""


def attendance(inputs: Inputs, large: int) -> Value:
    """Attended ÷ (invited - excused), of members who did work on that day, or came though they did not."""
    attended = asked = 0
    team, sources = frozenset(inputs.ids), []
    for each in inputs.meetings:
        if len(each.invited) <= large:
            could = {one for one in (each.invited - each.excused) & team if could_come(inputs, one, each)}
            attended, asked = attended + len(could & each.attended), asked + len(could)
            sources.append(each.subject)
    return ATTENDANCE.share(attended, asked, sources=sources)


def effectiveness(inputs: Inputs, rules: Rules) -> Value:
    """TP1: the mean of three shares."""
    follow = follow_through(inputs, inputs.ids)
    return mean_share(TP1, (attendance(inputs, rules.graph.large_meeting), items_resolved(inputs, rules), follow))


def items_resolved(inputs: Inputs, rules: Rules) -> Value:
    """TP2: resolved in time ÷ raised, of items that are old enough.

    What one person raised in one meeting, or on one day, counts once, and is resolved when all of it is: splitting an
    item gains nothing.
    """
    days = timedelta(days=rules.graph.settled_days)
    groups: dict[tuple[str, str], list[bool]] = {}
    sources = []
    for each in inputs.items:
        if each.raised_by in inputs.member_of and each.raised_on + days <= inputs.asked:
            kept = each.resolved_on is not None and each.resolved_on <= each.raised_on + days
            groups.setdefault((each.raised_by or "", each.meeting or each.raised_on.isoformat()), []).append(kept)
            sources.append(each.subject)
    return TP2.share(sum(all(each) for each in groups.values()), len(groups), rules.least.get("TP2"), sources)


def overdue(inputs: Inputs) -> tuple[str, ...]:
    """Actions of members that are due and not done."""
    mine = (each for each in inputs.actions if each.owner in inputs.member_of)
    return tuple(sorted(each.subject for each in mine if each.due < inputs.asked and each.done_on is None))


def old_items(inputs: Inputs, rules: Rules) -> tuple[str, ...]:
    """Items of members that are older than a fortnight and not resolved."""
    before = inputs.asked - timedelta(days=rules.graph.settled_days)
    mine = (each for each in inputs.items if each.raised_by in inputs.member_of)
    return tuple(sorted(each.subject for each in mine if each.raised_on <= before and each.resolved_on is None))


def requests_answered(inputs: Inputs, rules: Rules) -> Value:
    """TP3: answered on time ÷ due, in both directions."""
    due = [each for each in inputs.requests if each.due_by(inputs.asked)]
    kept = sum(each.answered == 1 for each in due)
    return TP3.share(kept, len(due), rules.least.get("TP3"), (each.subject for each in due))


def coverage(needs: Sequence[Need], edges: dict[Pair, Edge], rules: Rules) -> Value:
    """TP4: Σ needs·[tie] ÷ Σ needs."""
    covered = sum(each.times for each in needs if tied(each.pair, edges))
    sources = (source for each in needs for source in each.sources)
    return TP4.share(covered, sum(each.times for each in needs), rules.least.get("TP4"), sources)


def tied(pair: Pair, edges: Mapping[Pair, Edge]) -> bool:
    """Whether there is a tie between two."""
    return pair in edges and edges[pair].tie


def communication(inputs: Inputs, rules: Rules) -> Value:
    """TP5: C1 to C4."""
    return TP5.answers(inputs.surveys.get("communication"), rules.survey.inside, rules.survey.response)


def cooperation(inputs: Inputs, rules: Rules) -> Value:
    """TP6: T1 to T4."""
    return TP6.answers(inputs.surveys.get("cooperation"), rules.survey.inside, rules.survey.response)


def influence(inputs: Inputs, rules: Rules) -> Value:
    """TP7: the mean say of the levels and its slope per level, from the top down (Tannenbaum's control graph)."""
    asked = [inputs.surveys.get(each) for each in LEVELS]
    enough = rules.survey
    levels = [each.mean for each in asked
              if each and each.answers >= enough.inside and each.answers >= enough.response * each.asked]  # fmt: skip
    if len(levels) < len(LEVELS):
        return TP7.nothing(f"{len(levels)} of {len(LEVELS)} levels of which enough was said; the question is optional")
    sources = (name for each in asked if each for name in each.sources)
    return replace(TP7.number(mean_of(levels), len(levels), sources), slope=slope_of(levels))


def slope_of(levels: Sequence[float]) -> float:
    """By how much it changes from level to level, by least squares."""
    middle, mean = (len(levels) - 1) / 2, mean_of(levels)
    across = sum((place - middle) * (each - mean) for place, each in enumerate(levels))
    return across / sum((place - middle) ** 2 for place in range(len(levels)))


def training_coverage(inputs: Inputs, rules: Rules) -> Value:
    """TP8: members who passed the check of a training in teamwork ÷ members."""
    taken = [each for each in inputs.trainings if each.teamwork]
    if not taken and not rules.training.courses:
        return TP8.nothing("the rule-set names no course that trains teamwork")
    passed = {each.member for each in taken if each.completed_on and each.passed}
    unknown = {each.member for each in taken if each.completed_on and each.passed is None} - passed
    if unknown:
        return TP8.nothing(f"of {len(unknown)} members who took one it is not known whether they passed its check")
    of = [each.subject for each in taken]
    return TP8.share(len(passed & set(inputs.ids)), len(inputs.ids), sources=of)
