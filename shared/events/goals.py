"""What targets tells of what can be measured, of readings, and of the goals of the organisation.

The titles of goals and what is noted about readings are free words: they stay with targets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from shared.events import Event, event
from shared.money import Money
from shared.period import Period


@event("concert.targets.metric-defined.v1")
class MetricDefined(Event):
    """Something is measured from now on: in which unit, and whether more of it is better."""

    name: str
    unit: str
    direction: str
    aggregation: str
    date_field: str | None = None
    basis: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.targets.metric-changed.v1")
class MetricChanged(Event):
    """A metric is described differently; its unit, direction and aggregation stay."""

    name: str
    date_field: str | None = None
    basis: str | None = None


@event("concert.targets.reading-taken.v1")
class ReadingTaken(Event):
    """So much of a metric was measured of somebody on a day.

    It also says the member, team and department it counts for, as of that day.
    """

    metric: str
    level: str
    on: date
    value: Money | str
    ref: str | None = None
    member: str | None = None
    team: str | None = None
    department: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.targets.reading-withdrawn.v1")
class ReadingWithdrawn(Event):
    """A reading was wrong; it counts nowhere, as if it had not been taken."""

    on: date


@event("concert.targets.goal-set.v1")
class GoalSet(Event):
    """The organisation, or a part of it, has a goal for a period: by itself, or as a weighted part of another one."""

    level: str
    period: Period
    weight: str
    ref: str | None = None
    metric: str | None = None
    parent: str | None = None
    externals: dict[str, str] = field(default_factory=dict)
    value: Money | str | None = None


@event("concert.targets.goal-changed.v1")
class GoalChanged(Event):
    """A goal weighs more or less among its siblings, has another value, or is described differently."""

    weight: str
    value: Money | str | None = None


@event("concert.targets.goal-placed.v1")
class GoalPlaced(Event):
    """A goal that was there already is a weighted part of another one from now on."""

    parent: str
    weight: str


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """A goal and its weight among its siblings, a decimal string."""

    goal: str
    weight: str


@event("concert.targets.goal-weighed.v1")
class GoalWeighed(Event):
    """All parts of a goal have these weights, which sum to 1."""

    parts: tuple[Weighed, ...]


@event("concert.targets.goal-closed.v1")
class GoalClosed(Event):
    """A goal is not pursued any more; what was attained stays to be seen."""

    on: date
