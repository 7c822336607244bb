"""The stages of the pipeline, and what is said about forecasts, as the views see them: few, and in no sum."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from shared.events.common import TargetsExternalLinked
from shared.events.pipeline import ForecastOverridden, StageDescribed
from shared.facts import Fact, Facts
from shared.store.types import Json


class StageFact(Fact, table=True):
    """A stage: its name and place, and its chances, dated."""

    __tablename__ = "stage_fact"
    kind: ClassVar[str] = "stage"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    name: str = ""
    position: int = 0
    chances: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    qualified: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """Whether deals in it count as qualified, dated."""


class OverrideFact(Fact, table=True):
    """What somebody expects a period to bring, whatever was computed."""

    __tablename__ = "override_fact"
    __table_args__ = (sa.Index("override_fact_whose", "level", "ref", "start"),)
    kind: ClassVar[str] = "forecast"

    level: str = ""
    ref: str = ""
    start: date | None = None
    end: date | None = None
    amount: int | None = Field(default=None, sa_type=sa.BigInteger)
    currency: str = ""
    said_on: date | None = None


stages, overrides = Facts(StageFact), Facts(OverrideFact)


@stages.on(StageDescribed)
def describe_stage(stage: StageFact, event: StageDescribed) -> None:
    stage.name, stage.position = event.name, event.position
    stage.chances = [{"from": each.since.isoformat(), "chance": each.chance} for each in event.chances]
    stage.qualified = [{"from": each.since.isoformat(), "qualified": "yes" if each.qualified else "no"}
                       for each in event.qualified]  # fmt: skip


@stages.on(TargetsExternalLinked)
def link(stage: StageFact, event: TargetsExternalLinked) -> None:
    if event.id is not None:
        stage.externals = stage.externals | {event.source: event.id}


@overrides.on(ForecastOverridden)
def override(fact: OverrideFact, event: ForecastOverridden) -> None:
    fact.level, fact.ref, fact.said_on = event.level, event.ref, event.on
    fact.start, fact.end = event.period.start, event.period.end
    fact.amount = event.value.minor if event.value else None
    fact.currency = event.value.currency if event.value else ""
    fact.total, fact.total_currency = fact.amount or 0, fact.currency
