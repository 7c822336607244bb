"""Targets as the views see them."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import sqlalchemy as sa

from shared.events.targets import TargetChanged, TargetClosed, TargetSet
from shared.facts import Fact, Facts


class TargetFact(Fact, table=True):
    """So much of a metric, aimed at by somebody, in a stretch of days."""

    __tablename__ = "target_fact"
    __table_args__ = (sa.Index("target_fact_window", "metric", "level", "start"),)
    kind: ClassVar[str] = "target"

    metric: str = ""
    level: str = ""
    ref: str | None = None
    start: date | None = None
    end: date | None = None
    value: str = "0"
    currency: str | None = None
    closed_on: date | None = None


targets = Facts(TargetFact)


@targets.on(TargetSet)
def set_target(target: TargetFact, event: TargetSet) -> None:
    target.metric, target.level, target.ref = event.metric, event.level, event.ref
    target.start, target.end, target.value, target.currency = event.start, event.end, event.value, event.currency


@targets.on(TargetChanged)
def change_target(target: TargetFact, event: TargetChanged) -> None:
    target.value, target.currency = event.value, event.currency


@targets.on(TargetClosed)
def close_target(target: TargetFact, event: TargetClosed) -> None:
    target.closed_on = event.on
