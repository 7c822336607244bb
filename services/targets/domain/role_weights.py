"""What the roles in a deal weigh, as it is agreed on from a day on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Self

from sqlmodel import Field

from shared.errors import Refused
from shared.events.targets import RoleWeightsSet
from shared.store import Entity
from shared.store.types import Json


class WeightsDoNotSum(Refused):
    """The weights of the roles sum to {actual}; they must sum to 1."""

    status, at = 422, "/weights"


class WeightsOfThePast(Refused):
    """Weights are set for {today} or later, not from {since}: deals that were closed before keep theirs."""

    status, at = 422, "/from"


class WeightsAreSet(Refused):
    """The weights from {since} on are set already; set others from another day on."""

    at = "/from"


class RoleWeights(Entity, table=True):
    """What each role in a deal weighs, of deals closed on a day or later."""

    kind: ClassVar[str] = "role_weights"
    prefix: ClassVar[str] = "rwt"
    word: ClassVar[str] = "set of role weights"
    shown_as: ClassVar[dict[str, str]] = {"since": "from"}

    since: date
    weights: dict[str, str] = Field(default_factory=dict, sa_type=Json)

    @classmethod
    def agree(
        cls, weights: Mapping[str, Decimal], since: date, today: date, others: Iterable[RoleWeights], **identity: Any
    ) -> tuple[Self, RoleWeightsSet]:
        """Agree on other weights, from a day on that is not over."""
        if sum(weights.values()) != 1:
            raise WeightsDoNotSum(actual=sum(weights.values()))
        if since < today:
            raise WeightsOfThePast(today=today, since=since)
        if any(each.since == since for each in others):
            raise WeightsAreSet(since=since)
        plain = {role: f"{weight:f}" for role, weight in weights.items()}
        return cls.make(since=since, weights=plain, **identity), RoleWeightsSet(since=since, weights=plain)
