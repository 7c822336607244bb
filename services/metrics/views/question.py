"""What is asked of a view: of which days, whose, and by what else it may be seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from services.metrics.views.ledger import Span
from shared.period import Period, Unit

DIMENSIONS: Final = ("department", "team", "group", "member", "customer", "product", "kind")
STRETCHES: Final[dict[str, Unit]] = {"month": "month", "quarter": "quarter", "week": "week"}
BREAKDOWNS: Final = (*STRETCHES, *DIMENSIONS, "region")
CIRCLES: Final = ("member", "group")
"""Dimensions that stand for members."""
SHARED_BY: Final[Mapping[str, str]] = {"member": "member", "group": "member", "product": "product"}
"""Dimensions that share one thing, each with whose sums say so."""


class NotKnownBy(Exception):
    """A figure is not known by what is asked about; the message says by what."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a view: a period, whose, and in which light."""

    period: Period
    today: date
    """The day of asking, in the organisation's time zone."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """By dimension the id that everything must belong to."""
    currency: str = "EUR"
    """What nothing is shown in: the organisation's currency."""
    first_month: int = 1
    zone: str = "UTC"
    into: str | None = None
    """The currency that all money is converted into, if that is asked for."""
    sees: frozenset[str] | None = None
    """The members whose own figures are for who asks; none where those of everybody are."""

    @property
    def span(self) -> Span:
        """The days that flows are counted in, and the day up to which stocks are."""
        tomorrow = date.fromordinal(self.today.toordinal() + 1)
        return Span(self.period.start, self.period.end, max(self.period.start, min(self.period.end, tomorrow)))
