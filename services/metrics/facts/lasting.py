"""Facts that are for a stretch of days."""

from __future__ import annotations

from datetime import date

from shared.facts import Fact
from shared.period import Period


class Lasting(Fact):
    """Something that is for a period, which has a name."""

    label: str = ""
    start: date | None = None
    end: date | None = None

    @property
    def period(self) -> Period:
        """The days it is for."""
        assert self.start is not None
        assert self.end is not None
        return Period(self.label, self.start, self.end)

    def is_for(self, period: Period) -> None:
        """Say which days it is for."""
        self.label, self.start, self.end = period.label, period.start, period.end
