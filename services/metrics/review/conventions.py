"""The statistical conventions of a review: intervals, standard errors and shrinkage, each with its source."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

Z: Final = 1.645
"""Of a two-sided interval of 90 %, and of a one-sided test at 5 %."""
POWER: Final = 0.8416
"""The normal quantile of a power of 80 %."""
_STANDARD: Final = NormalDist()


class Interval(NamedTuple):
    """Between what a number lies in nine of ten cases."""

    low: float
    high: float


def around(centre: float, error: float, quantile: float = Z) -> Interval:
    """centre ± quantile · error."""
    return Interval(centre - quantile * error, centre + quantile * error)


def wilson(hits: float, of: float) -> Interval:
    """The interval of a proportion (Wilson 1927), within 0 and 1.

    centre = (p + z²/2n) ÷ (1 + z²/n), half-width = z · √(p(1 - p)/n + z²/4n²) ÷ (1 + z²/n).
    """
    p, z2 = hits / of, Z * Z
    widen = 1 + z2 / of
    centre = (p + z2 / (2 * of)) / widen
    half = Z * sqrt(p * (1 - p) / of + z2 / (4 * of * of)) / widen
    # Of none and of all the limit is exact; rounding must not lead below all, or all would be fewer than all.
    return Interval(max(0.0, centre - half) if hits else 0.0, min(1.0, centre + half) if hits < of else 1.0)


def plain_error(hits: float, of: float) -> float:
    """√(p(1 - p)/n): nothing where all or none are hits, so only for reading along by hand."""
    p = hits / of
    return sqrt(p * (1 - p) / of)


def adjusted_error(hits: float, of: float) -> float:
    """√(p~(1 - p~)/(n + 4)) with p~ = (x + 2)/(n + 4) (Agresti & Coull 1998)."""
    return plain_error(hits + 2, of + 4)


def shrunk(hits: float, of: float, rate: float, weight: float) -> float:
    """(x + m·p0) ÷ (n + m): a rate of few cases, drawn towards the organisation's."""
    return (hits + weight * rate) / (of + weight)


def score100(mean: float) -> float:
    """(mean - 1) ÷ 4 · 100: an answer between 1 and 5 on the scale of the proportions."""
    return (mean - 1) / 4 * 100


def survey_error(deviation: float, answers: int) -> float:
    """sd ÷ √n, on the scale of 0 to 100."""
    return deviation / sqrt(answers) / 4 * 100


def mean_of(values: Sequence[float]) -> float:
    """The mean, the same in every order of the values."""
    return fsum(values) / len(values)


def deviation_of(values: Sequence[float]) -> float:
    """The standard deviation of a sample; nothing where there is but one value."""
    if len(values) < 2:
        return 0.0
    mean = mean_of(values)
    return sqrt(fsum((each - mean) * (each - mean) for each in values) / (len(values) - 1))


def median_of(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two in the middle."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def student(degrees: float) -> float:
    """The t quantile that stands for Z where a variance was estimated (Cornish & Fisher 1960, three terms)."""
    z, v = Z, degrees
    z3, z5, z7 = z * z * z, z * z * z * z * z, z * z * z * z * z * z * z
    first = (z3 + z) / (4 * v)
    second = (5 * z5 + 16 * z3 + 3 * z) / (96 * v * v)
    third = (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * v * v * v)
    return z + first + second + third


def exceeds(mean: float, deviation: float, least: float) -> float:
    """P(X > least) of a normal X."""
    if deviation == 0:
        return 1.0 if mean > least else 0.0
    return 1 - _STANDARD.cdf((least - mean) / deviation)


def quantiles(parts: int) -> list[float]:
    """The standard normal quantiles in the middle of so many equally likely parts."""
    return [_STANDARD.inv_cdf((part + 0.5) / parts) for part in range(parts)]
