"""What targets are in another currency: each row of what is due at the rate of the day from which it is due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any

from pydantic import BaseModel, Field

from services.targets.api.judging import Tender
from services.targets.api.rates import all_rates
from services.targets.domain.targets import Target
from shared.attainment import Row
from shared.money import Money
from shared.rates import as_money
from shared.store import Snapshot


class ConvertedSum(BaseModel):
    """What targets sum to in the currency asked for, and how far that is from what they are parts of."""

    sum: Money | None
    gap: Money | None


class ConvertedRow(BaseModel):
    """What is due from a day on, in the currency asked for."""

    on: date
    value: Money


class ConvertedTarget(BaseModel):
    """A target in the currency asked for; its rows sum to its value to the cent."""

    value: Money
    distribution: list[ConvertedRow]
    stretch: Money | None = Field(description="at the rate of the target's first day")
    parts: ConvertedSum | None


async def tender_into(snapshot: Snapshot, currency: str | None) -> Tender:
    """The currency asked for with the rates into it, or each target's own where none is asked for."""
    return Tender() if currency is None else Tender(currency, await all_rates(snapshot))


def converted_target(target: Target, parts: Sequence[Target] | None, tender: Tender) -> dict[str, Any] | None:
    """A target with what is seen of its parts; none of one that is no money. Raises MissingRate."""
    if target.money is None or tender.into is None:
        return None
    total, rows = tender.aim(target)
    stretch = tender.aim(target, target.stretch)[0] if target.stretch is not None else None
    return {
        "value": as_money(total, tender.into).as_json(),
        "distribution": _to_the_cent(rows, tender.into) if target.rows else [],
        "stretch": as_money(stretch, tender.into).as_json() if stretch is not None else None,
        "parts": summed(parts, total, tender) if parts else None,
    }


def summed(parts: Sequence[Target], whole: Fraction | None, tender: Tender) -> dict[str, Any]:
    """What targets sum to, and how far that is from what they are parts of, if it is known. Raises MissingRate."""
    assert tender.into is not None, "what is summed across currencies is summed in one that was asked for"
    found = as_money(sum((Fraction(tender.aim(part)[0]) for part in parts), Fraction(0)), tender.into)
    gap = found - as_money(whole, tender.into) if whole is not None else None
    return {"sum": found.as_json(), "gap": gap.as_json() if gap is not None else None}


def _to_the_cent(rows: Sequence[Row], currency: str) -> list[dict[str, Any]]:
    """Rows as money that sum to what all of them together are rounded to."""
    ends = [round(end) for end in accumulate(Fraction(part) for _, part in rows)]
    parts = [after - before for before, after in pairwise([0, *ends])]
    return [{"on": on, "value": Money.of_minor(part, currency).as_json()}
            for (on, _), part in zip(rows, parts, strict=True)]  # fmt: skip
