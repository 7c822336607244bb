"""Every measure of a review, by its id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from services.metrics.review import (
    contributions,
    goal_link,
    indices,
    individual_behaviour,
    individual_results,
    organisation,
    reliability,
    team_process,
    team_results,
)
from services.metrics.review.measure import Measure

_HOMES: Final = (
    contributions,
    individual_behaviour,
    individual_results,
    team_process,
    team_results,
    indices,
    goal_link,
    reliability,
    organisation,
)
MEASURES: Final[dict[str, Measure]] = {
    each.id: each for home in _HOMES for each in vars(home).values() if isinstance(each, Measure)
}


def defined(measure: Measure, least: Mapping[str, int]) -> dict[str, Any]:
    """What a measure means, as it stands beside its values: `least` is what a rule-set says otherwise."""
    return {
        "id": measure.id, "name": measure.name, "cell": measure.cell, "definition": measure.definition,
        "formula": measure.formula, "unit": measure.unit, "guard": measure.guard,
        "least": least.get(measure.id, measure.least),
    }  # fmt: skip
