"""`python -m tests.characteristics [DRAWS]`: how often a review is right where the truth is known, as the tables of
docs/reviews.md have it. Seeded: who runs it again sees the same."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

from services.metrics.review.verification import Outcome
from tests.characteristics.rule import AMOUNTS, TRUTHS, correct
from tests.characteristics.verdicts import EFFECTS, PLANS, RHOS, Shares, judged, picked

DRAWS: Final = 20_000
OUTCOMES: Final[tuple[Outcome, ...]] = ("worked", "inconclusive", "did not work", "harm")
BASELINES: Final = {
    "fresh": "the quarter after", "corrected": "that quarter, corrected for its drift", "stale": "that quarter",
}  # fmt: skip


def report(draws: int) -> Iterator[str]:
    """The lines of all tables."""
    for periods, title in ((1, "one period alone"), (2, "confirmed by the period before")):
        yield f"| {title} | {' | '.join(AMOUNTS)} |"
        yield "| --- | --- | --- | --- |"
        for name, truth in TRUTHS.items():
            found = [correct(truth, amount, draws, periods=periods) for amount in AMOUNTS.values()]
            yield f"| {name} -> {truth.right} | {' | '.join(f'{each:.1%}' for each in found)} |"
        yield ""
    yield f"| design, true effect | {' | '.join(OUTCOMES)} |"
    yield "| --- | --- | --- | --- | --- |"
    for name, plan in PLANS.items():
        for effect in EFFECTS:
            yield _line(f"{name}, {effect:+g}", judged(plan, effect, 0.2, draws // 5))
    yield ""
    yield f"| worked, though there was no effect; rho | {' | '.join(f'{rho:g}' for rho in RHOS)} |"
    yield "| --- | --- | --- | --- |"
    for name, plan in PLANS.items():
        found = [judged(plan, 0, rho, draws // 5).get("worked", 0) for rho in RHOS]
        yield f"| {name} | {' | '.join(f'{each:.1%}' for each in found)} |"
    yield ""
    yield f"| picked for a low quarter, no effect; baseline | {' | '.join(OUTCOMES)} |"
    yield "| --- | --- | --- | --- | --- |"
    for baseline, called in BASELINES.items():
        yield _line(called, picked(baseline, draws // 5))


def _line(name: str, shares: Shares) -> str:
    return f"| {name} | {' | '.join(f'{shares.get(each, 0):.1%}' for each in OUTCOMES)} |"


if __name__ == "__main__":
    for line in report(int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
