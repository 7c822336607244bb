"""What targets tells of what is aimed at, by whom and until when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from shared.events import Event, event
from shared.money import Money
from shared.period import Period


@dataclass(frozen=True, kw_only=True)
class Due:
    """What a target asks for from a day on, until the next of its days: money, or a number as a decimal string."""

    on: date
    value: Money | str


@event("concert.targets.target-set.v1")
class TargetSet(Event):
    """So much of a metric is aimed at in a period: by the organisation, a department, team, group or member."""

    metric: str
    level: str
    period: Period
    value: Money | str
    ref: str | None = None
    distribution: tuple[Due, ...] = ()
    stretch: Money | str | None = None
    goal: str | None = None
    parent: str | None = None
    set_after_start: bool = False
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.targets.target-changed.v1")
class TargetChanged(Event):
    """A target aims at another value, is distributed differently or serves another goal; the event says all of it.

    What was approved is not any more. The reason is kept by targets.
    """

    value: Money | str
    distribution: tuple[Due, ...] = ()
    stretch: Money | str | None = None
    goal: str | None = None
    set_after_start: bool = False
    """Whether any of it was set when its period had begun."""


@event("concert.targets.target-approved.v1")
class TargetApproved(Event):
    """Somebody else has agreed to a target; what other currencies were worth in its own that day is its plan rate."""

    on: date
    plan_rates: dict[str, str] = field(default_factory=dict)


@event("concert.targets.target-cascaded.v1")
class TargetCascaded(Event):
    """A target is made of others, which sum to it, or to a stated share more."""

    children: tuple[str, ...]
    over_assignment: str


@event("concert.targets.target-placed.v1")
class TargetPlaced(Event):
    """A target that was there already is a part of another one from now on."""

    parent: str


@event("concert.targets.target-closed.v1")
class TargetClosed(Event):
    """A target is not worked on any more; what was attained stays to be seen."""

    on: date
