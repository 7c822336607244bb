"""What each contributed, as three numbers side by side and never one: credited share, difference, and help to others.

The credited share of a deal is the Shapley value of its roles (`shared/contribution.py`); where no roles are known,
it is the credits. The team's surplus belongs to the team and is not shared out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum

from services.metrics.review.association import Help
from services.metrics.review.individual_results import difference, expected
from services.metrics.review.inputs import Deal, Inputs
from services.metrics.review.measure import Measure, Value
from services.metrics.review.thresholds import ResultRules
from shared.contribution import contributions

IR5 = Measure(
    "IR5", "contribution share", "individual results", "What the roles they filled have of the deals that were won.",
    "Σ over deals: amount · Σ over roles of weight ÷ number in the role", "roles are agreed on before a deal is closed",
    unit="money",
)  # fmt: skip
SURPLUS = Measure(
    "SUR", "team surplus", "team results", "What the team brought beyond what could be expected of its members.",
    "(actual - Σ expected) ÷ Σ expected", "belongs to the team and is not shared out", 3,
)  # fmt: skip
PITFALLS = (
    "Templates of roles and credits steer what people do.",
    "New members and territories differ; a few deals say little.",
    "Nobody is dismissed or paid by this page; an event can be corrected, and evidence added.",
)


@dataclass(frozen=True, slots=True)
class Contribution:
    """One member's three numbers."""

    member: str
    share: Value
    difference: Value
    helped: int
    """Helps given to others."""
    resolved: int
    """Items of others resolved."""


def contributions_of(inputs: Inputs, helps: Sequence[Help], rules: ResultRules) -> list[Contribution]:
    """Of every member."""
    shares, sources = shared_out(inputs.deals)
    found = []
    for member in inputs.ids:
        given = [each for each in helps if each.giver == member]
        behind = sources.get(member, [])
        # Who had no part in what was won has nothing of it; where nothing was won, nobody could have had a part.
        share = IR5.number(shares.get(member, 0.0), len(behind), behind) if shares else IR5.nothing("no deal was won")
        items = sum(each.source.startswith("item/") for each in given)
        found.append(Contribution(member, share, difference(inputs, member, rules), len(given), items))
    return found


def shared_out(deals: Sequence[Deal]) -> tuple[dict[str, float], dict[str, list[str]]]:
    """What each has of the deals that were won, and of which."""
    parts: defaultdict[str, list[float]] = defaultdict(list)
    sources: defaultdict[str, list[str]] = defaultdict(list)
    for deal in deals:
        for member, part in (by_roles(deal) if deal.roles else dict(deal.credits)).items() if deal.won else ():
            parts[member].append(part)
            sources[member].append(deal.subject)
    return {member: fsum(each) for member, each in parts.items()}, dict(sources)


def by_roles(deal: Deal) -> Mapping[str, float]:
    """A deal's amount by the roles that were filled; what a role has that nobody filled is nobody's."""
    shares = contributions(dict(deal.weights), dict(deal.roles)).members
    return {member: deal.amount * share.numerator / share.denominator for member, share in shares.items()}


def unstaffed_of(deals: Sequence[Deal]) -> dict[str, float]:
    """By role what of the deals that were won is nobody's, for nobody filled it."""
    parts: defaultdict[str, list[float]] = defaultdict(list)
    for deal in deals:
        if deal.won and deal.roles:
            for role, share in contributions(dict(deal.weights), dict(deal.roles)).unstaffed.items():
                parts[role].append(deal.amount * share.numerator / share.denominator)
    return {role: fsum(each) for role, each in parts.items()}


def surplus(inputs: Inputs) -> Value:
    """SUR: (actual - Σ expected) ÷ Σ expected."""
    could = fsum(expected(inputs, each) for each in inputs.ids)
    won = [each for each in inputs.deals if each.won]
    actual = fsum(amount for each in won for member, amount in each.credits if member in set(inputs.ids))
    if could <= 0 or len(won) < SURPLUS.least:
        return SURPLUS.nothing(f"{len(won)} of at least {SURPLUS.least} deals, {could:g} expected")
    return SURPLUS.number(100 * (actual - could) / could, len(won), (each.subject for each in won))
