"""Stages of the pipeline: the chance that a deal in one of them is won, dated.

A pipeline is weighed by the chances of its own day, so a chance that is set today does not change what was shown for
last year.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from shared.instant import FIRST_DAY

Dated = Sequence[Mapping[str, str]]
"""Chances as they are stored, oldest first: `{"from": day, "chance": decimal}`."""


@dataclass(frozen=True, slots=True)
class Default:
    """A stage that is there from the beginning."""

    name: str
    position: int
    chances: Dated
    qualified: Dated = ()
    """From which day on what is in it counts as qualified: `{"from": day, "qualified": "yes" or "no"}`."""


def always(chance: str) -> Dated:
    """A chance that holds from the first day there is."""
    return [{"from": FIRST_DAY.isoformat(), "chance": chance}]


DEFAULTS: Final[Mapping[str, Default]] = {
    "prospecting": Default("Prospecting", 1, always("0.1")),
    "engaging": Default("Engaging", 2, always("0.25"), [{"from": FIRST_DAY.isoformat(), "qualified": "yes"}]),
}


def chance_on(chances: Dated, day: date) -> Decimal | None:
    """The chance of a day; none before the first one that was set."""
    known = [each for each in chances if each["from"] <= day.isoformat()]
    return Decimal(known[-1]["chance"]) if known else None


def qualified_on(qualified: Dated, day: date) -> bool:
    """Whether what is in a stage counts as qualified on a day; not before that was said."""
    known = [each for each in qualified if each["from"] <= day.isoformat()]
    return bool(known) and known[-1]["qualified"] == "yes"
