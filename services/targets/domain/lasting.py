"""Things that are for a stretch of days."""

from __future__ import annotations

from datetime import date

from shared.period import Period
from shared.store import Entity


class Lasting(Entity):
    """Something that is for a period, which has a name."""

    label: str
    starts_on: date
    ends_on: date

    @property
    def period(self) -> Period:
        """The days it is for."""
        return Period(self.label, self.starts_on, self.ends_on)
