"""What targets tells of the pipeline as a whole: its stages, and what is said about a forecast."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from shared.events import Event, event
from shared.money import Money
from shared.period import Period


@dataclass(frozen=True, kw_only=True)
class Chance:
    """The chance, a decimal string from 0 to 1, that a deal is won, from a day on until the next one's."""

    since: date
    chance: str


@dataclass(frozen=True, kw_only=True)
class Qualified:
    """Whether deals in a stage count as qualified pipeline, from a day on until the next one's."""

    since: date
    qualified: bool


@event("concert.targets.stage-described.v1")
class StageDescribed(Event):
    """A stage of the pipeline has this name, place and these chances; the event says all of it."""

    name: str
    position: int
    chances: tuple[Chance, ...]
    qualified: tuple[Qualified, ...] = ()


@event("concert.targets.forecast-overridden.v1")
class ForecastOverridden(Event):
    """Somebody expects another revenue of a period than was computed, or, without a value, does so no more.

    The note that says why, and who said it, stay with targets.
    """

    level: str
    ref: str
    period: Period
    value: Money | None
    on: date
