"""What a training does, as a number: the change of attainment of trained members against that of comparable others.

Difference in differences with matching. A trained member is compared with the untrained of the same months, department
and band of tenure whose attainment before differs by at most a fifth. The difference is the mean change of the trained
less the mean change of those they are compared with, each counted as often as it stands beside somebody. The interval
is the one of Welch: by the spread on both sides, with the others' number as what their weights leave of it. With fewer
than five on either side nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

FEWEST: Final = 5
"""With fewer on either side nothing is claimed."""
ALIKE: Final = Fraction(1, 5)
"""By how much attainments before may differ."""
BANDS: Final = (6, 12, 24, 48)
"""Months of tenure at which a new band begins."""
CONFIDENCE: Final = "0.95"
_QUANTILES: Final = (
    "12.706", "4.303", "3.182", "2.776", "2.571", "2.447", "2.365", "2.306", "2.262", "2.228", "2.201", "2.179",
    "2.160", "2.145", "2.131", "2.120", "2.110", "2.101", "2.093", "2.086", "2.080", "2.074", "2.069", "2.064",
    "2.060", "2.056", "2.052", "2.048", "2.045", "2.042",
)  # fmt: skip
"""Of Student's distribution at 0.975, by degrees of freedom."""
_NORMAL: Final = "1.960"


@dataclass(frozen=True, slots=True)
class Case:
    """A member around some months: whether they were trained in between, and what they attained before and after."""

    member: str
    months: str
    department: str
    tenure: int
    """In whole months."""
    before: Fraction
    after: Fraction

    @property
    def change(self) -> Fraction:
        """By how much attainment changed."""
        return self.after - self.before

    def comparable(self, other: Case) -> bool:
        """Whether the two differ in little but the training."""
        return (
            (self.months, self.department, _band(self.tenure)) == (other.months, other.department, _band(other.tenure))
            and abs(self.before - other.before) <= ALIKE
            and self.member != other.member
        )


@dataclass(frozen=True, slots=True)
class Effect:
    """The difference that a training made, where enough members can be compared."""

    trained: int
    untrained: int
    difference: Fraction | None = None
    half: Decimal | None = None
    """Half the width of the interval."""


def effect_of(trained: Sequence[Case], untrained: Sequence[Case]) -> Effect:
    """The difference between members who were trained and those who were not."""
    pairs = [(case, [each for each in untrained if case.comparable(each)]) for case in trained]
    matched = [(case, others) for case, others in pairs if others]
    weights: dict[str, Fraction] = {}
    changes = {f"{each.member} {each.months}": each.change for each in untrained}
    for _, others in matched:
        for each in others:
            key = f"{each.member} {each.months}"
            weights[key] = weights.get(key, Fraction(0)) + Fraction(1, len(others) * len(matched))
    members = len({case.member for case, _ in matched})
    compared = len({key.split(" ")[0] for key in weights})
    if members < FEWEST or compared < FEWEST:
        return Effect(members, compared)
    own = [case.change for case, _ in matched]
    theirs = sum((weight * changes[key] for key, weight in weights.items()), Fraction(0))
    counted = 1 / sum((weight * weight for weight in weights.values()), Fraction(0))
    spread = _variance(own, Fraction(1, len(own))), _variance([changes[key] for key in weights], 1 / counted)
    return Effect(members, compared, _mean(own) - theirs, _half(spread, (len(own), counted)))


def _half(spread: tuple[Fraction, Fraction], sizes: tuple[int, Fraction]) -> Decimal:
    whole = sum(spread)
    if not whole:
        return Decimal(0)
    freedoms = [max(Fraction(size) - 1, Fraction(1)) for size in sizes]
    below = sum((part * part / each for part, each in zip(spread, freedoms, strict=True)), Fraction(0))
    freedom = int(whole * whole / below) if below else len(_QUANTILES) + 1
    quantile = _QUANTILES[max(freedom, 1) - 1] if freedom <= len(_QUANTILES) else _NORMAL
    return Decimal(quantile) * (Decimal(whole.numerator) / Decimal(whole.denominator)).sqrt()


def _variance(values: Sequence[Fraction], share: Fraction) -> Fraction:
    """What the spread of some values leaves uncertain about their mean."""
    middle = _mean(values)
    squares = sum(((value - middle) ** 2 for value in values), Fraction(0))
    return squares / (len(values) - 1) * share if len(values) > 1 else Fraction(0)


def _mean(values: Sequence[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def _band(tenure: int) -> int:
    return sum(tenure >= begins for begins in BANDS)
