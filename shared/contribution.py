"""Who contributed how much to a deal: the Shapley value of its roles, one arithmetic for everybody who shows it.

A role has a weight, and what it has of the deal is shared evenly by those who filled it: contribution of a member =
amount x sum over their roles of weight ÷ number of members in the role. As roles add up, that is each member's mean
marginal contribution over all orders of joining (Shapley 1953). What a role has that nobody filled goes to nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final, Protocol

from shared.money import Money

Staffing = Mapping[str, Sequence[str]]
"""The members who filled each role."""
WEIGHTS: Final[Mapping[str, str]] = {
    "source": "0.2", "discovery": "0.2", "demo": "0.2", "close": "0.3", "handover": "0.1",
}  # fmt: skip
"""What each role weighs until an organisation says otherwise."""


class Agreed(Protocol):
    """Weights that hold of deals closed on a day or later."""

    @property
    def id(self) -> str:
        """Which they are."""

    @property
    def since(self) -> date | None:
        """From which day on."""

    @property
    def weights(self) -> dict[str, str]:
        """What each role weighs."""


def weights_on(agreed: Iterable[Agreed], day: date) -> Mapping[str, str]:
    """What the roles of a deal closed on a day weigh."""
    known = [(each.since, each.id, each.weights) for each in agreed if each.since is not None and each.since <= day]
    return max(known, key=lambda each: each[:2])[2] if known else WEIGHTS


@dataclass(frozen=True, slots=True)
class Contributions:
    """What each member contributed, as shares of the whole, and the roles that nobody filled with their weights."""

    members: Mapping[str, Fraction]
    unstaffed: Mapping[str, Fraction]

    def of(self, amount: Money) -> tuple[dict[str, Money], Money]:
        """The members' parts of an amount and what is nobody's, which sum to it exactly."""
        missing = sum(self.unstaffed.values(), Fraction(0))
        *parts, nobodys = amount.split([*self.members.values(), missing])
        return dict(zip(self.members, parts, strict=True)), nobodys


def contributions(weights: Mapping[str, str], staffed: Staffing) -> Contributions:
    """The shares of those who filled the roles of a deal; the weights sum to 1."""
    members: dict[str, Fraction] = {}
    unstaffed: dict[str, Fraction] = {}
    for role, text in weights.items():
        weight, filled = Fraction(Decimal(text)), staffed.get(role, ())
        if weight and not filled:
            unstaffed[role] = weight
        for member in filled:
            members[member] = members.get(member, Fraction(0)) + weight / len(filled)
    return Contributions(members, unstaffed)
