"""What the roles in a deal weigh, as the organisation has agreed on it from a day on."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from sqlmodel import Field

from shared.events.targets import RoleWeightsSet
from shared.facts import Fact, Facts
from shared.store.types import Json


class RoleWeightsFact(Fact, table=True):
    """What each role weighs in deals closed on a day or later."""

    __tablename__ = "role_weights_fact"
    kind: ClassVar[str] = "role_weights"
    told_by: ClassVar[str] = "targets"

    since: date | None = None
    weights: dict[str, str] = Field(default_factory=dict, sa_type=Json)


role_weights = Facts(RoleWeightsFact)


@role_weights.on(RoleWeightsSet)
def agree(found: RoleWeightsFact, event: RoleWeightsSet) -> None:
    found.since, found.weights = event.since, event.weights
