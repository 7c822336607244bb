"""What to propose of the options: screened, ranked, joined into a package where that pays, and how clear that is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from services.metrics.review.options import NO_ACTION, Catalogue, Option
from services.metrics.review.ranking import (
    Candidate,
    Ranked,
    Scales,
    candidate_of,
    first_of,
    firsts,
    packages,
    rank,
    within,
)  # fmt: skip
from services.metrics.review.thresholds import RankingRules


@dataclass(frozen=True, slots=True)
class Screened:
    """An option that is not in the table, and why."""

    option: str
    why: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The table of options, and what stands out of it."""

    measure: str
    scales: Scales
    table: Sequence[Ranked]
    screened: Sequence[Screened]
    best: str
    """What is first: an option, a package, or no action."""
    clear: bool
    firsts: int
    """In how many of ten variants of the weights the best is first."""
    flagged: bool
    """Whether nobody has said what the swings are worth."""

    def row(self, name: str) -> Ranked:
        """A row of the table."""
        return next(each for each in self.table if each.candidate.name == name)


def screen(
    options: Sequence[Option], scales: Scales, measure: str, members: int, banned: Collection[str]
) -> tuple[list[Candidate], list[Screened]]:
    """Options that keep to the limits, and those that do not; doing nothing always does."""
    kept, screened = [], []
    for each in options:
        candidate = candidate_of(each, measure, members)
        if each.id == NO_ACTION:
            kept.append(candidate)
        elif "W-HUB" in banned and each.via_hub:
            screened.append(Screened(each.id, "it would run through the hub"))
        elif banned and each.adds_meetings:
            screened.append(Screened(each.id, "it adds meetings without taking as many away"))
        elif not within(candidate, scales):
            screened.append(Screened(each.id, "it is beyond the budget, the hours, the risk or the time there is"))
        elif measure not in each.effects:
            screened.append(Screened(each.id, f"nothing is known of an effect on {measure}"))
        else:
            kept.append(candidate)
    return kept, screened


def choose(
    catalogue: Catalogue, codes: Collection[str], measure: str, scales: Scales, members: int, rules: RankingRules,
    banned: Collection[str] = (),
) -> Choice:  # fmt: skip
    """The table of what is meant for these weaknesses, by its worth for a measure."""
    singles, screened = screen(catalogue.applicable(codes), scales, measure, members, banned)
    return settled(singles, screened, measure, scales, rules)


def settled(
    singles: Sequence[Candidate], screened: Sequence[Screened], measure: str, scales: Scales, rules: RankingRules
) -> Choice:
    """A package replaces the best single only if it is enough better; then say how clear that is."""
    money = rules.swing.in_money
    alone = rank(singles, scales, money=money)
    top = alone[0]
    joined = first_of(packages(singles, scales), scales)
    found = rank([*singles, joined], scales, money=money) if joined else []
    kept = [each for each in found if each.candidate is joined and each.score - top.score >= rules.better]
    best = kept[0] if kept else top
    field = [*singles, *(each.candidate for each in kept)]
    won = firsts(best.candidate.name, field, scales)
    return Choice(
        measure, scales, sorted([*alone, *kept], key=lambda each: (-each.score, each.candidate.name)), screened,
        best.candidate.name, is_clear(best, alone, won, rules), won, not money,
    )  # fmt: skip


def is_clear(best: Ranked, alone: Sequence[Ranked], won: int, rules: RankingRules) -> bool:
    """Enough better than the next single and than nothing, likely better than nothing, and first in most variants."""
    nothing = next(each for each in alone if each.candidate.name == NO_ACTION)
    rest = [each.score for each in alone if each.candidate.name != best.candidate.name]
    ahead = not rest or best.score - max(rest) >= rules.better
    pays = best.score - nothing.score >= rules.better
    return ahead and pays and (best.better or 0.0) >= rules.probability and won >= rules.variants
