"""What somebody expects a period to bring, said beside the computed forecast, which it never changes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar, Self

import sqlalchemy as sa
from sqlmodel import Field

from services.targets.domain.lasting import Lasting
from shared.errors import Refused
from shared.events.pipeline import ForecastOverridden
from shared.money import Money
from shared.period import Period
from shared.store.types import Json, MoneyText, text_of


class NothingToTakeBack(Refused):
    """No other value than the computed one stands for {period}; there is nothing to take back."""

    at = "/value"


class PeriodIsOver(Refused):
    """The last day of {period} was {last}; what it brought is known by now."""

    at = "/period"


class Override(Lasting, table=True):
    """Another value than the computed one, for one period of the organisation, a team, a member ...; and all before."""

    __tablename__ = "forecast_override"
    __table_args__ = (sa.Index("forecast_override_whose", "level", "ref", "starts_on"),)
    kind: ClassVar[str] = "forecast"
    prefix: ClassVar[str] = "fco"

    level: str
    ref: str = ""
    value: Money | None = Field(default=None, sa_type=MoneyText)
    said: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """All that was said, oldest first: `{"value": money or none, "note": text, "by": who, "at": instant, "on": day}`"""

    def worth(self) -> Money | None:
        """What stands adds to the books, so that it is seen if it gets lost on its way."""
        return self.value

    @classmethod
    def begin(cls, *, level: str, ref: str, period: Period, **identity: Any) -> Self:
        """A place to say something about a period; nothing has been said yet."""
        return cls.make(
            level=level,
            ref=ref,
            label=period.label,
            starts_on=period.start,
            ends_on=period.end,
            externals={},
            **identity,
        )

    def say(self, value: Money | None, note: str, by: str, at: datetime, today: date) -> ForecastOverridden:
        """Expect another value than the computed one, or none other any more."""
        if today >= self.ends_on:
            raise PeriodIsOver(period=self.label, last=date.fromordinal(self.ends_on.toordinal() - 1))
        if value is None and self.value is None:
            raise NothingToTakeBack(period=self.label)
        self.value = value
        shown = value.as_json() if value is not None else None
        self.said = [*self.said, {"value": shown, "note": note, "by": by, "at": text_of(at), "on": today.isoformat()}]
        return ForecastOverridden(level=self.level, ref=self.ref, period=self.period, value=value, on=today)
