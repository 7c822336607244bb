"""Goals, what they are measured in, and readings, as reviews need them: few, so they are read as they are."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from services.metrics.facts.lasting import Lasting
from shared.events.goals import (
    GoalChanged,
    GoalClosed,
    GoalPlaced,
    GoalSet,
    MetricChanged,
    MetricDefined,
    ReadingTaken,
    ReadingWithdrawn,
)  # fmt: skip
from shared.facts import Fact, Facts
from shared.money import Money


class MetricFact(Fact, table=True):
    """Something that is measured: in money or in things, and whether more of it is better."""

    __tablename__ = "metric_fact"
    kind: ClassVar[str] = "metric"

    unit: str = "number"
    direction: str = "higher"
    aggregation: str = "sum"
    date_field: str | None = None
    """The day by which something counts."""
    basis: str | None = None
    """What exactly is counted."""


class GoalFact(Lasting, table=True):
    """What somebody wants of a period, by itself or as a weighted part of another goal."""

    __tablename__ = "goal_fact"
    kind: ClassVar[str] = "goal"

    level: str = ""
    ref: str = ""
    metric: str | None = None
    parent: str | None = None
    weight: str = "1"
    amount: int | None = Field(default=None, sa_type=sa.BigInteger)
    """Minor units of its own value, where that is money."""
    currency: str = ""
    number: str | None = None
    """Its own value, where that counts things."""
    closed_on: date | None = None


class ReadingFact(Fact, table=True):
    """So much of a metric, measured of somebody on a day, and the member, team and department it counts for."""

    __tablename__ = "reading_fact"
    __table_args__ = (
        sa.Index("reading_fact_on", "metric", "on"),
        sa.Index("reading_fact_member", "member", "metric", "on"),
    )
    kind: ClassVar[str] = "reading"

    metric: str = ""
    level: str = ""
    ref: str = ""
    on: date | None = None
    amount: int = Field(default=0, sa_type=sa.BigInteger)
    currency: str = ""
    number: str | None = None
    member: str | None = None
    team: str | None = None
    department: str | None = None
    withdrawn: bool = False


metrics, goals, readings = Facts(MetricFact), Facts(GoalFact), Facts(ReadingFact)


@metrics.on(MetricDefined)
def define(metric: MetricFact, event: MetricDefined) -> None:
    metric.unit, metric.direction, metric.aggregation = event.unit, event.direction, event.aggregation
    metric.date_field, metric.basis = event.date_field, event.basis


@metrics.on(MetricChanged)
def describe(metric: MetricFact, event: MetricChanged) -> None:
    metric.date_field, metric.basis = event.date_field, event.basis


@goals.on(GoalSet)
def set_goal(goal: GoalFact, event: GoalSet) -> None:
    goal.level, goal.ref, goal.metric, goal.parent = event.level, event.ref or "", event.metric, event.parent
    goal.is_for(event.period)
    change_goal(goal, event)


@goals.on(GoalChanged)
def change_goal(goal: GoalFact, event: GoalSet | GoalChanged) -> None:
    goal.weight, goal.amount, goal.currency, goal.number = event.weight, None, "", None
    if isinstance(event.value, Money):
        goal.amount, goal.currency = event.value.minor, event.value.currency
    else:
        goal.number = event.value


@goals.on(GoalPlaced)
def place_goal(goal: GoalFact, event: GoalPlaced) -> None:
    goal.parent, goal.weight = event.parent, event.weight


@goals.on(GoalClosed)
def close_goal(goal: GoalFact, event: GoalClosed) -> None:
    goal.closed_on = event.on


@readings.on(ReadingTaken)
def take(reading: ReadingFact, event: ReadingTaken) -> None:
    reading.metric, reading.level, reading.ref, reading.on = event.metric, event.level, event.ref or "", event.on
    reading.member, reading.team, reading.department = event.member, event.team, event.department
    if isinstance(event.value, Money):
        reading.amount, reading.currency = event.value.minor, event.value.currency
    else:
        reading.number = event.value


@readings.on(ReadingWithdrawn)
def withdraw(reading: ReadingFact, event: ReadingWithdrawn) -> None:
    reading.withdrawn = True
