"""Cell 2, individual results: for the person and who leads them; never a ranking, always with the interval."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import fsum, sqrt

from services.metrics.review.conventions import Interval, around, shrunk
from services.metrics.review.inputs import Deal, Inputs, Quota
from services.metrics.review.measure import Measure, Value
from services.metrics.review.thresholds import ResultRules

CONTENT = 4
"""From this answer on, of 5, a customer is content."""
IR1 = Measure(
    "IR1", "ramp-adjusted attainment", "individual results",
    "What they were credited with against what could be expected of them.",
    "credited ÷ (quota · ramp · active share · market factor)",
    "the market factor is the territory's, the same for everybody in it; a quota set late is flagged", 3,
)  # fmt: skip
IR2 = Measure(
    "IR2", "win rate, shrunk", "individual results",
    "Deals won of those closed, drawn towards the organisation's rate by as much as 20 deals.",
    "(won + 20·p0) ÷ (won + lost + 20)", "one definition only", 5,
)  # fmt: skip
IR3 = Measure(
    "IR3", "duties on time and accepted", "individual results",
    "Duties that whoever receives them had accepted by the day they were due.", "accepted by the due day ÷ due",
    "accepted by the receiver, not by who did it", 8,
)  # fmt: skip
IR4 = Measure(
    "IR4", "satisfaction of own customers", "individual results", "Answers of 4 or 5 from customers of theirs.",
    "answers of 4 or 5 ÷ answers", "who is asked is not chosen by the seller", 10,
)  # fmt: skip
IR6 = Measure(
    "IR6", "difference from expected, shrunk", "individual results",
    "How far they are from what could be expected, drawn towards nothing where there are few deals.",
    "k·(actual ÷ expected - 1), k = tau² ÷ (tau² + sigma² ÷ deals); ± 1.645·tau·√(1 - k)",
    "never ranked; says nothing about a cause", 3,
)  # fmt: skip


def credited(deals: tuple[Deal, ...], member: str) -> tuple[float, list[Deal]]:
    """What a member was credited with, and for which deals."""
    mine = [each for each in deals if each.won and any(name == member for name, _ in each.credits)]
    return fsum(amount for each in mine for name, amount in each.credits if name == member), mine


def expected(inputs: Inputs, member: str) -> float:
    """What could be expected of a member in the period."""
    return fsum(each.expected for each in inputs.quotas if each.member == member)


def attainment(inputs: Inputs, member: str) -> Value:
    """IR1: credited ÷ expected."""
    actual, deals = credited(inputs.deals, member)
    could = expected(inputs, member)
    if could <= 0 or len(deals) < IR1.least:
        return IR1.nothing(f"{len(deals)} of at least {IR1.least} deals, {could:g} expected")
    value = IR1.number(100 * actual / could, len(deals), _sources(inputs, member, deals))
    return replace(value, note=moved(each for each in inputs.quotas if each.member == member))


def win_rate(inputs: Inputs, member: str, rules: ResultRules) -> Value:
    """IR2: (won + m·p0) ÷ (won + lost + m)."""
    closed = [each for each in inputs.deals if each.owner == member]
    if len(closed) < IR2.least or not inputs.organisation.closed:
        return IR2.nothing(f"{len(closed)} of at least {IR2.least} closed deals")
    rate = inputs.organisation.won / inputs.organisation.closed
    value = 100 * shrunk(sum(each.won for each in closed), len(closed), rate, rules.prior_deals)
    return IR2.number(value, len(closed), (each.subject for each in closed))


def duties_accepted(inputs: Inputs, member: str) -> Value:
    """IR3: accepted by the due day ÷ due."""
    due = [each for each in inputs.duties if each.owner == member and each.due is not None and each.due < inputs.asked]
    kept = sum(each.accepted_on is not None and each.due is not None and each.accepted_on <= each.due for each in due)
    return IR3.share(kept, len(due), sources=(each.subject for each in due))


def satisfaction(inputs: Inputs, member: str) -> Value:
    """IR4: answers of 4 or 5 ÷ answers."""
    mine = [each for each in inputs.answers if each.member == member]
    return IR4.share(sum(each.score >= CONTENT for each in mine), len(mine), sources=(each.subject for each in mine))


def difference(inputs: Inputs, member: str, rules: ResultRules) -> Value:
    """IR6 of a member."""
    actual, deals = credited(inputs.deals, member)
    could = expected(inputs, member)
    if could <= 0 or len(deals) < IR6.least:
        return IR6.nothing(f"{len(deals)} of at least {IR6.least} deals, {could:g} expected")
    value, interval = shrunk_difference(actual, could, len(deals), rules)
    found = IR6.number(value, len(deals), _sources(inputs, member, deals), interval)
    return replace(found, note=moved(each for each in inputs.quotas if each.member == member))


def moved(quotas: Iterable[Quota]) -> str | None:
    """That targets were set when their period had begun, if any were: who aims late may aim at what is there."""
    late = [each.set_late for each in quotas]
    return f"target moved: {sum(late)} of {len(late)} set after their period had begun" if any(late) else None


def shrunk_difference(actual: float, could: float, deals: int, rules: ResultRules) -> tuple[float, Interval]:
    """k·(actual ÷ expected - 1) in percent, with what it lies between."""
    tau2 = rules.between * rules.between
    k = tau2 / (tau2 + rules.within * rules.within / deals)
    value, error = 100 * k * (actual / could - 1), 100 * rules.between * sqrt(1 - k)
    return value, around(value, error)


def _sources(inputs: Inputs, member: str, deals: list[Deal]) -> list[str]:
    return [*(each.subject for each in deals), *(each.subject for each in inputs.quotas if each.member == member)]
