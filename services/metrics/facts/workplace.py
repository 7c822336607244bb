"""Openings, onboardings and equipment as the views see them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from services.metrics.sums import ALL, Tally, cells
from shared.events.workplace import (
    EquipmentAdded,
    EquipmentChanged,
    EquipmentIssued,
    EquipmentReturned,
    OnboardingBegun,
    OnboardingCancelled,
    OnboardingChanged,
    OnboardingStepDone,
    OpeningChanged,
    OpeningFilled,
    OpeningReopened,
    OpeningRequested,
    OpeningWithdrawn,
    Step,
)
from shared.facts import Cell, Fact, Facts
from shared.store.types import Json


class OpeningFact(Fact, table=True):
    """A position that is to be filled."""

    __tablename__ = "opening_fact"
    __table_args__ = (sa.Index("opening_fact_requested", "requested_on"),)
    kind: ClassVar[str] = "opening"

    department: str = ""
    team: str | None = None
    requested_on: date | None = None
    needed_on: date | None = None
    filled_by: str | None = None
    ended_on: date | None = None
    """The day it was filled or withdrawn, unless it has been reopened."""
    ends: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """Each time it was filled or withdrawn: `{"on", "how", "days"}`."""
    reopenings: list[str] = Field(default_factory=list, sa_type=Json)


class OnboardingFact(Fact, table=True):
    """What a joiner needs, and since when they have all the equipment of it."""

    __tablename__ = "onboarding_fact"
    __table_args__ = (sa.Index("onboarding_fact_start", "starts_on"),)
    kind: ClassVar[str] = "onboarding"

    member: str = ""
    starts_on: date | None = None
    buddy: str | None = None
    steps: dict[str, list[Any]] = Field(default_factory=dict, sa_type=Json)
    """By step its kind and the day it was done."""
    waits: bool = False
    """Whether there is equipment among what they need."""
    equipped_on: date | None = None
    """The day from which on none of it is missing."""
    cancelled_on: date | None = None


class EquipmentFact(Fact, table=True):
    """A piece of equipment: who has it since when, and who had it before."""

    __tablename__ = "equipment_fact"
    __table_args__ = (sa.Index("equipment_fact_holder", "holder"),)
    kind: ClassVar[str] = "equipment"

    sort: str = ""
    holder: str | None = None
    issued_on: date | None = None
    issues: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """Each time it was issued: `{"member", "department", "team", "on", "back"}`."""

    def out_before(self, day: date) -> dict[str, Any] | None:
        """With whom it was when a day began; none when nobody had it."""
        text = day.isoformat()
        return next((each for each in self.issues if each["on"] < text and (each["back"] or text) >= text), None)


def opening_cells(opening: OpeningFact) -> Iterator[Cell]:
    """An opening adds its request, each filling with the days it took, each withdrawal and each reopening."""
    if opening.requested_on is None:
        return
    along: dict[str, str | None] = {ALL: "", "department": opening.department, "team": opening.team}
    yield from cells("sought", opening.requested_on, along)
    for each in opening.ends:
        yield from cells(each["how"], date.fromisoformat(each["on"]), along, took=each["days"])
    for day in opening.reopenings:
        yield from cells("sought_again", date.fromisoformat(day), along)


def equipment_cells(equipment: EquipmentFact) -> Iterator[Cell]:
    """A piece of equipment adds each issue and each return, for the department and team it was issued in."""
    for each in equipment.issues:
        along: dict[str, str | None] = {ALL: "", "department": each["department"], "team": each["team"]}
        yield from cells("issued", date.fromisoformat(each["on"]), along)
        if each["back"] is not None:
            yield from cells("returned", date.fromisoformat(each["back"]), along)


openings = Facts(OpeningFact, sums=Tally, cells=opening_cells)
onboardings = Facts(OnboardingFact)
equipment = Facts(EquipmentFact, sums=Tally, cells=equipment_cells)


@openings.on(OpeningRequested)
def seek(opening: OpeningFact, event: OpeningRequested) -> None:
    opening.department, opening.requested_on = event.department, event.on
    opening.team, opening.needed_on = event.team, event.needed_on


@openings.on(OpeningChanged)
def change_opening(opening: OpeningFact, event: OpeningChanged) -> None:
    opening.team, opening.needed_on = event.team, event.needed_on


@openings.on(OpeningFilled)
def fill(opening: OpeningFact, event: OpeningFilled) -> None:
    opening.filled_by, opening.ended_on = event.member, event.on
    opening.ends = [*opening.ends, {"on": event.on.isoformat(), "how": "filled", "days": event.days}]


@openings.on(OpeningWithdrawn)
def withdraw(opening: OpeningFact, event: OpeningWithdrawn) -> None:
    opening.ended_on = event.on
    opening.ends = [*opening.ends, {"on": event.on.isoformat(), "how": "withdrawn", "days": 0}]


@openings.on(OpeningReopened)
def seek_again(opening: OpeningFact, event: OpeningReopened) -> None:
    opening.filled_by = opening.ended_on = None
    opening.reopenings = [*opening.reopenings, event.on.isoformat()]


@onboardings.on(OnboardingBegun)
def begin(onboarding: OnboardingFact, event: OnboardingBegun) -> None:
    onboarding.member, onboarding.starts_on, onboarding.buddy = event.member, event.starts_on, event.buddy
    _list(onboarding, event.steps)


@onboardings.on(OnboardingChanged)
def change_onboarding(onboarding: OnboardingFact, event: OnboardingChanged) -> None:
    onboarding.buddy = event.buddy
    _list(onboarding, event.steps)


@onboardings.on(OnboardingStepDone)
def tick(onboarding: OnboardingFact, event: OnboardingStepDone) -> None:
    kind, _ = onboarding.steps[event.step]
    onboarding.steps = onboarding.steps | {event.step: [kind, event.on.isoformat()]}
    _weigh(onboarding)


@onboardings.on(OnboardingCancelled)
def cancel(onboarding: OnboardingFact, event: OnboardingCancelled) -> None:
    onboarding.cancelled_on = event.on


def _list(onboarding: OnboardingFact, steps: tuple[Step, ...]) -> None:
    onboarding.steps = {each.step: [each.kind, each.done_on.isoformat() if each.done_on else None] for each in steps}
    _weigh(onboarding)


def _weigh(onboarding: OnboardingFact) -> None:
    days = [day for kind, day in onboarding.steps.values() if kind == "equipment"]
    onboarding.waits = bool(days)
    onboarding.equipped_on = date.fromisoformat(max(days)) if days and None not in days else None


@equipment.on(EquipmentAdded)
@equipment.on(EquipmentChanged)
def describe(piece: EquipmentFact, event: EquipmentAdded | EquipmentChanged) -> None:
    piece.sort = event.kind


@equipment.on(EquipmentIssued)
def issue(piece: EquipmentFact, event: EquipmentIssued) -> None:
    piece.holder, piece.issued_on = event.member, event.on
    issued = {"member": event.member, "department": event.department, "team": event.team}
    piece.issues = [*piece.issues, issued | {"on": event.on.isoformat(), "back": None}]


@equipment.on(EquipmentReturned)
def give_back(piece: EquipmentFact, event: EquipmentReturned) -> None:
    piece.holder = piece.issued_on = None
    piece.issues = [*piece.issues[:-1], piece.issues[-1] | {"back": event.on.isoformat()}]
