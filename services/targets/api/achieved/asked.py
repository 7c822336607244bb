"""What is asked for, and what is answered, of what was achieved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from services.targets.domain.metrics import Metric
from services.targets.domain.targets import Target

Scope = tuple[str, str]
"""A level and who it is, by id; nothing for the organisation."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was achieved for a target from its first day up to, not including, a day."""

    target: Target
    metric: Metric
    before: date
    into: str | None = None
    """In which currency, if not in the target's own."""

    @property
    def currency(self) -> str:
        """In which currency money is answered."""
        assert self.target.money is not None, "what is measured in money is aimed at in money"
        return self.into or self.target.money.currency

    @property
    def scope(self) -> Scope:
        """For whom it counts."""
        return self.target.level, self.target.ref

    def covers(self, day: date) -> bool:
        """Whether what happens on a day counts."""
        return self.target.starts_on <= day < self.before


@dataclass(slots=True)
class Achieved:
    """What was achieved, in minor units or things; none where it is not known, with the reasons."""

    amount: Fraction | None = Fraction(0)
    planned: Fraction | None = None
    """The same at the plan's rates, where money of other currencies is in it."""
    notes: list[str] = field(default_factory=list)


def days_of(asked: Sequence[Asked]) -> tuple[date, date]:
    """The first day that counts for any of them, and the first one after them that counts for none."""
    return min(each.target.starts_on for each in asked), max(each.before for each in asked)
