"""Cell 4, team results: what the team achieved, and what customers say of it, inside and outside."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from math import fsum
from random import Random
from typing import Final

from services.metrics.review.conventions import Interval, wilson
from services.metrics.review.individual_results import CONTENT, moved
from services.metrics.review.inputs import Inputs
from services.metrics.review.measure import Measure, Recommended, Value
from services.metrics.review.thresholds import Rules

TR1 = Measure(
    "TR1", "team attainment", "team results", "What members were credited with against what could be expected of them.",
    "Σ credited ÷ Σ ramp-adjusted targets; interval by drawing deals again", "the same ramps as for members", 3,
)  # fmt: skip
TR2 = Measure(
    "TR2", "customer satisfaction", "team results", "Answers of 4 or 5 from customers of the team.",
    "answers of 4 or 5 ÷ answers", "a net promoter score needs a hundred answers", 10,
)  # fmt: skip
TR3 = Measure(
    "TR3", "internal customer satisfaction", "team results",
    "Requests of other departments to the team's that were answered by the promised day.",
    "answered on time ÷ due", "what was reopened was not answered", 8,
)  # fmt: skip
TR4 = Measure(
    "TR4", "leavers", "team results", "Members who left of those there were on average.", "leavers ÷ average heads",
    "of the team only, never of a person", 3,
)  # fmt: skip
ENPS = Measure(
    "ENPS", "whether members recommend us", "team results",
    "Those who would recommend working here (9 or 10 of 10) less those who would not (0 to 6), in points.",
    "100 · (promoters - detractors) ÷ answers", "of ten answers to one pulse on, never of a person", 10,
    unit="-100 to 100",
)  # fmt: skip
NPS = Measure(
    "NPS", "whether customers recommend us", "team results",
    "Customers who would recommend us (9 or 10 of 10) less those who would not (0 to 6), in points.",
    "100 · (promoters - detractors) ÷ answers",
    "of a hundred answers on: of twenty it would be unsure by 36 points; what customers are judged by is satisfaction",
    100, unit="-100 to 100",
)  # fmt: skip
PROMOTES: Final = 9
DETRACTS: Final = 6
TR5 = Measure(
    "TR5", "cost of sales effort", "team results", "Meeting hours at the hourly rate and trainings, against credits.",
    "(hours · rate + spend) ÷ credited", "shown, without a line", 1,
)  # fmt: skip
TR6 = Measure(
    "TR6", "goal alignment", "team results", "How far the organisation's goals are reached that the team is linked to.",
    "Σ weight·min(1.2, actual ÷ target) ÷ Σ weight", "capped, so that one goal cannot hide another", 1, unit="share",
)  # fmt: skip
WIN = Measure(
    "WIN", "win rate", "team results", "Deals of the team that were won of those closed.", "won ÷ (won + lost)",
    "closed deals only", 5,
)  # fmt: skip


def attainment(inputs: Inputs, rules: Rules) -> Value:
    """TR1: credited ÷ expected, with the interval that drawing the deals again gives."""
    team = set(inputs.ids)
    could = fsum(each.expected for each in inputs.quotas if each.member in team)
    won = sorted((each for each in inputs.deals if each.won), key=lambda each: each.id)
    amounts = [fsum(amount for member, amount in each.credits if member in team) for each in won]
    sources = [each.subject for each in won] + [each.subject for each in inputs.quotas]
    if could <= 0 or len(amounts) < TR1.least:
        return TR1.nothing(f"{len(amounts)} of at least {TR1.least} deals, {could:g} expected")
    low, high = drawn_again(amounts, rules.results.draws)
    between = Interval(100 * low / could, 100 * high / could)
    value = TR1.number(100 * fsum(amounts) / could, len(amounts), sources, between)
    return replace(value, note=moved(each for each in inputs.quotas if each.member in team))


def drawn_again(amounts: list[float], draws: int) -> Interval:
    """Between what sums of as many amounts lie, drawn with replacement (Efron 1979); always drawn alike."""
    n = len(amounts)
    random = Random(n).random
    sums = sorted(fsum([amounts[int(random() * n)] for _ in range(n)]) for _ in range(draws))
    return Interval(sums[int(0.05 * draws)], sums[int(0.95 * draws)])


def satisfaction(inputs: Inputs) -> Value:
    """TR2: answers of 4 or 5 ÷ answers."""
    content = sum(each.score >= CONTENT for each in inputs.answers)
    return TR2.share(content, len(inputs.answers), sources=(each.subject for each in inputs.answers))


def inside_satisfaction(inputs: Inputs) -> Value:
    """TR3: answered on time ÷ due, of what others asked the team."""
    team = set(inputs.ids)
    due = [each for each in inputs.requests if each.to_member in team and each.due_by(inputs.asked)]
    return TR3.share(sum(each.answered == 1 for each in due), len(due), sources=(each.subject for each in due))


def leavers(inputs: Inputs) -> Value:
    """TR4: leavers ÷ average heads."""
    days = (inputs.end - inputs.start).days
    heads = sum(each.days_present(inputs.start, inputs.end) for each in inputs.members) / days
    if heads < TR4.least:
        return TR4.nothing(f"{heads:g} of at least {TR4.least} heads")
    return TR4.number(100 * len(inputs.leavers) / heads, heads, (f"member/{each}" for each in inputs.leavers))


def recommending(inputs: Inputs) -> Value:
    """ENPS: whether members recommend working here."""
    return ENPS.balance(inputs.recommended or Recommended(0, 0, 0))


def recommended_by_customers(inputs: Inputs) -> Value:
    """NPS: whether customers recommend us; who was not asked counts on no side."""
    said = {each.subject: each.recommends for each in inputs.answers if each.recommends is not None}
    would = sum(each >= PROMOTES for each in said.values())
    would_not = sum(each <= DETRACTS for each in said.values())
    return NPS.balance(Recommended(would, len(said) - would - would_not, would_not, tuple(said)))


def hours_met(inputs: Inputs, members: Set[str]) -> float:
    """The hours these members spent in meetings."""
    return sum(each.minutes * len(each.attended & members) for each in inputs.meetings) / 60


def effort_cost(inputs: Inputs, rules: Rules) -> Value:
    """TR5: (meeting hours · rate + trainings) ÷ credited."""
    team = set(inputs.ids)
    earned = fsum(amount for each in inputs.deals if each.won for member, amount in each.credits if member in team)
    if earned <= 0:
        return TR5.nothing("nothing was credited")
    spent = hours_met(inputs, team) * rules.ranking.hourly_rate + inputs.training_cost
    behind = [*inputs.meetings, *inputs.trainings, *(each for each in inputs.deals if each.won)]
    return TR5.number(100 * spent / earned, len(inputs.deals), (each.subject for each in behind))


def win_rate(inputs: Inputs) -> Value:
    """WIN: won ÷ closed, of deals the team's members own."""
    closed = [each for each in inputs.deals if each.owner in set(inputs.ids)]
    won = sum(each.won for each in closed)
    return WIN.share(won, len(closed), sources=(each.subject for each in closed))


def behind_the_others(inputs: Inputs) -> bool | None:
    """Whether the team's win rate is below the organisation's for sure; none where that cannot be said."""
    closed = [each for each in inputs.deals if each.owner in set(inputs.ids)]
    if len(closed) < WIN.least or not inputs.organisation.closed:
        return None
    rate = inputs.organisation.won / inputs.organisation.closed
    return wilson(sum(each.won for each in closed), len(closed)).high < rate
