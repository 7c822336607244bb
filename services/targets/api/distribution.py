"""How a target is distributed over its days: in amounts, or in shares of its value."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_DOWN, Decimal

from pydantic import Field, model_validator

from services.targets.api.aims import AimValue
from services.targets.domain.targets import Value
from shared.errors import Invalid
from shared.http.bodies import Body
from shared.instant import Day
from shared.money import Money, Share

_STEP = Decimal("0.000001")


class DueRow(Body):
    """What is due from a day on, until the next row's day."""

    on: Day
    value: AimValue


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


def distributed(value: Value, rows: Sequence[DistributedRow], at: str = "") -> list[tuple[date, Value]]:
    """The rows in amounts, which sum to the value exactly. Raises Invalid for shares that do not sum to 1, or are
    mixed with amounts."""
    shares = [row.share for row in rows if row.share is not None]
    if not shares:
        return [(row.on, row.value) for row in rows if row.value is not None]
    if len(shares) < len(rows):
        raise Invalid.at(f"{at}/distribution", "the rows have either values or shares, not some of each")
    if sum(shares) != 1:
        difference = 1 - sum(shares)
        raise Invalid.at(
            f"{at}/distribution", f"the shares sum to {sum(shares)}; they must sum to 1, {difference} more"
        )
    parts: Sequence[Value] = value.split(shares) if isinstance(value, Money) else _dealt_out(value, shares)
    return list(zip((row.on for row in rows), parts, strict=True))


def _dealt_out(value: Decimal, shares: Sequence[Decimal]) -> list[Value]:
    """A number of things by shares, to six places; what rounding leaves over goes to the last."""
    parts = [(value * share).quantize(_STEP, ROUND_DOWN) for share in shares[:-1]]
    return [*parts, value - sum(parts)]
