"""Verdicts over actions whose effect is known: how often something is called worked that did nothing, and how often
what did something is seen.

Weeks are normal around a team's level, and each resembles the one before by rho, as far as it is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from random import Random
from typing import Final

from services.metrics.review.conventions import mean_of
from services.metrics.review.verification import (
    Change,
    Outcome,
    estimate,
    regression_to_the_mean,
    resemblance,
    verdict,
    window_of,
)

WEEKS: Final = 13
DEVIATION: Final = 13.0
"""Of weekly points, as North and West have it."""
WORTHWHILE: Final = 8.0
LEVEL: Final = 63.0
CORRELATION: Final = 0.6
"""Of two quarters over teams."""
PICKED_BELOW: Final = 55.0
EFFECTS: Final = (-16.0, 0.0, 8.0, 16.0, 22.0)
RHOS: Final = (0.0, 0.2, 0.5)
Shares = Mapping[Outcome, float]
Weeks = list[float]


@dataclass(frozen=True, slots=True)
class Plan:
    """How many teams act, and how many do not."""

    acting: int = 1
    compared: int = 1


PLANS: Final[Mapping[str, Plan]] = {
    "before and after": Plan(1, 0), "one and one other": Plan(1, 1), "four and four others": Plan(4, 4),
}  # fmt: skip


def weeks_of(level: float, rho: float, random: Random, many: int) -> Weeks:
    """So many weekly points around a level."""
    found, last = [], random.gauss(0, DEVIATION)
    for _ in range(many):
        found.append(level + last)
        last = rho * last + random.gauss(0, DEVIATION * sqrt(1 - rho * rho))
    return found


def judged(plan: Plan, effect: float, rho: float, draws: int) -> Shares:
    """How often each verdict is given of an effect, with fresh baselines."""
    random = Random(f"{plan}{effect}{rho}")

    def once() -> Outcome:
        acted = [_before_and_after(LEVEL, effect, rho, random) for _ in range(plan.acting)]
        compared = [_before_and_after(LEVEL, 0, rho, random) for _ in range(plan.compared)]
        return _verdict(acted, compared)

    return _shares(once, draws)


def picked(baseline: str, draws: int) -> Shares:
    """How often each verdict is given of an action without an effect, on a team that was picked for a low quarter: with
    that quarter as the baseline, with it corrected for its drift, or with the quarter after."""
    random = Random(baseline)
    noise = DEVIATION * sqrt(1.2 / 0.8 / WEEKS)
    differ = noise * sqrt(CORRELATION / (1 - CORRELATION))

    def once() -> Outcome:
        while True:
            level = random.gauss(LEVEL, differ)
            reviewed = weeks_of(level, 0.2, random, WEEKS)
            if mean_of(reviewed) < PICKED_BELOW:
                break
        fresh, after = weeks_of(level, 0.2, random, WEEKS), weeks_of(level, 0.2, random, WEEKS)
        other = _before_and_after(random.gauss(LEVEL, differ), 0, 0.2, random)
        drift = regression_to_the_mean(CORRELATION, LEVEL, mean_of(reviewed)) if baseline == "corrected" else 0.0
        return _verdict([(fresh if baseline == "fresh" else reviewed, after)], [other], drift)

    return _shares(once, draws)


def _before_and_after(level: float, effect: float, rho: float, random: Random) -> tuple[Weeks, Weeks]:
    weeks = weeks_of(level, rho, random, 2 * WEEKS)
    return weeks[:WEEKS], [each + effect for each in weeks[WEEKS:]]


def _verdict(
    acted: Sequence[tuple[Weeks, Weeks]], compared: Sequence[tuple[Weeks, Weeks]], drift: float = 0.0
) -> Outcome:
    every = [weeks for pair in (*acted, *compared) for weeks in pair]
    found = estimate(_changes(acted), _changes(compared), rho=resemblance(*every), drift=drift)
    return verdict(found, WORTHWHILE)


def _changes(pairs: Sequence[tuple[Weeks, Weeks]]) -> list[Change]:
    return [(window_of(before), window_of(after)) for before, after in pairs]


def _shares(once: Callable[[], Outcome], draws: int) -> Shares:
    said = Counter(once() for _ in range(draws))
    return {outcome: many / draws for outcome, many in said.items()}
