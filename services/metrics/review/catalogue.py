"""Every measure of a review, by its id."""

from __future__ import annotations

from typing import Final

from services.metrics.review import (
    contributions,
    goal_link,
    indices,
    individual_behaviour,
    individual_results,
    team_process,
    team_results,
)
from services.metrics.review.measure import Measure

_HOMES = (contributions, individual_behaviour, individual_results, team_process, team_results, indices, goal_link)
MEASURES: Final[dict[str, Measure]] = {
    each.id: each for home in _HOMES for each in vars(home).values() if isinstance(each, Measure)
}
