"""Trainings as the views see them: of whom, finished when, at which cost for which department, and how checked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from services.metrics.sums import ALL, Tally, cells
from shared.events.trainings import (
    CheckScored,
    TrainingAssigned,
    TrainingCancelled,
    TrainingCompleted,
    TrainingCorrected,
)  # fmt: skip
from shared.facts import Cell, Fact, Facts


class TrainingFact(Fact, table=True):
    """A member and a course."""

    __tablename__ = "training_fact"
    __table_args__ = (
        sa.Index("training_fact_member", "member", "completed_on"),
        sa.Index("training_fact_assigned", "assigned_on"),
        sa.Index("training_fact_completed", "completed_on"),
    )
    kind: ClassVar[str] = "training"

    member: str = ""
    course: str = ""
    department: str = ""
    team: str | None = None
    trains: str | None = None
    """What the course trained on the day of assigning: teamwork, selling or the product."""
    assigned_on: date | None = None
    cancelled_on: date | None = None
    completed_on: date | None = None
    borne_by: str = ""
    """The department whose expense it is."""
    cost: int = Field(default=0, sa_type=sa.BigInteger)
    currency: str = ""


class CheckFact(Fact, table=True):
    """How a training was checked; its id is the training's."""

    __tablename__ = "check_fact"
    kind: ClassVar[str] = "check"

    score: int | None = None


def contributions(training: TrainingFact) -> Iterator[Cell]:
    """A training adds its assignment and its end, with what it cost; for the whole, the department and the team."""
    if training.assigned_on is not None:
        along: dict[str, str | None] = {ALL: "", "department": training.department, "team": training.team}
        yield from cells("assigned", training.assigned_on, along)
    if training.completed_on is not None:
        along = {ALL: "", "department": training.borne_by, "team": training.team}
        yield from cells("trained", training.completed_on, along, amount=training.cost, currency=training.currency)


trainings = Facts(TrainingFact, sums=Tally, cells=contributions)
checks = Facts(CheckFact)


@trainings.on(TrainingAssigned)
def assign(training: TrainingFact, event: TrainingAssigned) -> None:
    training.member, training.course, training.assigned_on = event.member, event.course, event.on
    training.department, training.team, training.trains = event.department, event.team, event.trains


@trainings.on(TrainingCompleted)
@trainings.on(TrainingCorrected)
def finish(training: TrainingFact, event: TrainingCompleted | TrainingCorrected) -> None:
    training.completed_on, training.borne_by = event.on, event.department
    training.cost, training.currency = (event.cost.minor, event.cost.currency) if event.cost else (0, "")
    training.total, training.total_currency = training.cost, training.currency


@trainings.on(TrainingCancelled)
def cancel(training: TrainingFact, event: TrainingCancelled) -> None:
    training.cancelled_on = event.on


@checks.on(CheckScored)
def score(check: CheckFact, event: CheckScored) -> None:
    check.score = event.score
