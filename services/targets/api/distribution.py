"""How a target is distributed over its days: in amounts, or in shares of its value."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from pydantic import Field, model_validator

from services.targets.api.aims import AimValue
from services.targets.domain.aims import Value
from shared.errors import Invalid
from shared.http.bodies import Body
from shared.instant import Day
from shared.money import Share


class DueRow(Body):
    """What is due from a day on, until the next row's day."""

    on: Day
    value: AimValue
    share: str | None = Field(default=None, description="of the value, if it was distributed in shares; it stays when "
                              "the value changes")  # fmt: skip


class DistributedRow(Body):
    """What is due from a day on, until the next row's day: so much, or such a share of the target."""

    on: Day
    value: AimValue | None = None
    share: Share | None = Field(default=None, examples=["0.25"], description="of the value; all rows together 1")

    @model_validator(mode="after")
    def _one_of_both(self) -> DistributedRow:
        if (self.value is None) == (self.share is None):
            raise ValueError("a row of a distribution has either a value or a share")
        return self


class Distribution(NamedTuple):
    """Rows of amounts, or of shares."""

    distribution: list[tuple[date, Value]]
    shares: list[tuple[date, Decimal]]


def distributed(rows: Sequence[DistributedRow], at: str = "") -> Distribution:
    """The rows of a body. Raises Invalid for shares that do not sum to 1, or are mixed with amounts."""
    shares = [(row.on, row.share) for row in rows if row.share is not None]
    if not shares:
        return Distribution([(row.on, row.value) for row in rows if row.value is not None], [])
    if len(shares) < len(rows):
        raise Invalid.at(f"{at}/distribution", "the rows have either values or shares, not some of each")
    actual = sum(share for _, share in shares)
    if actual != 1:
        detail = f"the shares sum to {actual}; they must sum to 1, {1 - actual} more"
        raise Invalid.at(f"{at}/distribution", detail)
    return Distribution([], shares)
