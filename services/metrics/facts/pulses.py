"""Pulses as the views see them: who was asked, and what all answers together say; nothing of anybody's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from services.metrics.sums import ALL, Tally, cells
from shared.events.pulses import PulseChanged, PulseClosed, PulseOpened
from shared.facts import Cell, Fact, Facts
from shared.store.types import Json


class PulseFact(Fact, table=True):
    """A pulse: whom it asked from when until when, and its sums once it is closed."""

    __tablename__ = "pulse_fact"
    __table_args__ = (sa.Index("pulse_fact_closed", "closed_on"),)
    kind: ClassVar[str] = "pulse"

    level: str = ""
    team: str | None = None
    department: str | None = None
    items: list[str] = Field(default_factory=list, sa_type=Json)
    opens_on: date | None = None
    closes_on: date | None = None
    closed_on: date | None = None
    asked: int = 0
    answered: int = 0
    sums: dict[str, dict[str, int]] = Field(default_factory=dict, sa_type=Json)
    """By item (`C1`) and by scale (`communication`, `cooperation`: the sum of its four items): `n`, `total` and
    `squares`. Empty where fewer than four, or fewer than 60 %, answered; outside a team five must have."""
    promoters: int | None = None
    passives: int | None = None
    detractors: int | None = None


def contributions(pulse: PulseFact) -> Iterator[Cell]:
    """A pulse of which enough answered adds those who would recommend us, who would not, and all who said."""
    if pulse.closed_on is None or pulse.promoters is None:
        return
    along = {ALL: ""} | {dim: key for dim, key in (("department", pulse.department), ("team", pulse.team)) if key}
    polled = pulse.promoters + (pulse.passives or 0) + (pulse.detractors or 0)
    for measure, count in (("polled", polled), ("promoted", pulse.promoters), ("detracted", pulse.detractors or 0)):
        yield from cells(measure, pulse.closed_on, along, count=count)


pulses = Facts(PulseFact, sums=Tally, cells=contributions)


@pulses.on(PulseOpened)
def open_pulse(pulse: PulseFact, event: PulseOpened) -> None:
    pulse.level, pulse.team, pulse.department = event.level, event.team, event.department
    pulse.items, pulse.opens_on, pulse.closes_on = list(event.items), event.opens_on, event.closes_on


@pulses.on(PulseChanged)
def change(pulse: PulseFact, event: PulseChanged) -> None:
    pulse.closes_on = event.closes_on


@pulses.on(PulseClosed)
def close(pulse: PulseFact, event: PulseClosed) -> None:
    pulse.closed_on, pulse.asked, pulse.answered, pulse.sums = event.on, event.asked, event.answered, event.sums
    pulse.promoters, pulse.passives, pulse.detractors = event.promoters, event.passives, event.detractors
