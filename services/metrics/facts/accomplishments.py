"""What teams have accomplished without a number, and what they measure themselves by, as reviews need it."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from services.metrics.facts.lasting import Lasting
from shared.events.accomplishments import (
    AccomplishmentChanged,
    AccomplishmentClaimed,
    AccomplishmentDisputed,
    AccomplishmentShown,
    AccomplishmentVerified,
    AccomplishmentWithdrawn,
    OwnMeasuresChosen,
    OwnMeasuresConfirmed,
    OwnMeasuresWithdrawn,
)  # fmt: skip
from shared.facts import Facts
from shared.store.types import Json


class AccomplishmentFact(Lasting, table=True):
    """Something a team has accomplished in a period, who claims it, and who has looked at what it is shown by."""

    __tablename__ = "accomplishment_fact"
    __table_args__ = (sa.Index("accomplishment_fact_team", "team", "start"),)
    kind: ClassVar[str] = "accomplishment"

    team: str = ""
    goal: str | None = None
    pieces: int = 0
    claimed_on: date | None = None
    claimed_by: str | None = None
    verified_on: date | None = None
    verified_by: str | None = None
    disputed_on: date | None = None
    """None where more was shown since."""
    withdrawn_on: date | None = None


class OwnMeasuresFact(Lasting, table=True):
    """By which of its targets a team measures itself in a period."""

    __tablename__ = "own_measures_fact"
    __table_args__ = (sa.Index("own_measures_fact_team", "team", "start"),)
    kind: ClassVar[str] = "own_measures"

    team: str = ""
    targets: list[str] = Field(default_factory=list, sa_type=Json)
    confirmed_on: date | None = None
    withdrawn_on: date | None = None


accomplishments, own_measures = Facts(AccomplishmentFact), Facts(OwnMeasuresFact)


@accomplishments.on(AccomplishmentClaimed)
def claim(each: AccomplishmentFact, event: AccomplishmentClaimed) -> None:
    each.is_for(event.period)
    each.team, each.goal, each.pieces = event.team, event.goal, event.pieces
    each.claimed_on, each.claimed_by = event.on, event.by


@accomplishments.on(AccomplishmentChanged)
def tell_otherwise(each: AccomplishmentFact, event: AccomplishmentChanged) -> None:
    each.goal, each.pieces = event.goal, event.pieces


@accomplishments.on(AccomplishmentShown)
def show(each: AccomplishmentFact, event: AccomplishmentShown) -> None:
    each.pieces, each.disputed_on = event.pieces, None


@accomplishments.on(AccomplishmentVerified)
def verify(each: AccomplishmentFact, event: AccomplishmentVerified) -> None:
    each.verified_on, each.verified_by = event.on, event.by


@accomplishments.on(AccomplishmentDisputed)
def dispute(each: AccomplishmentFact, event: AccomplishmentDisputed) -> None:
    each.disputed_on = event.on


@accomplishments.on(AccomplishmentWithdrawn)
def withdraw(each: AccomplishmentFact, event: AccomplishmentWithdrawn) -> None:
    each.withdrawn_on = event.on


@own_measures.on(OwnMeasuresConfirmed)
def confirm(each: OwnMeasuresFact, event: OwnMeasuresConfirmed) -> None:
    each.is_for(event.period)
    each.team = event.team
    choose(each, event)


@own_measures.on(OwnMeasuresChosen)
def choose(each: OwnMeasuresFact, event: OwnMeasuresConfirmed | OwnMeasuresChosen) -> None:
    each.targets, each.confirmed_on = list(event.targets), event.on


@own_measures.on(OwnMeasuresWithdrawn)
def take_back(each: OwnMeasuresFact, event: OwnMeasuresWithdrawn) -> None:
    each.withdrawn_on = event.on
