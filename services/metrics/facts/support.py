"""Duties, recognitions, challenges, setbacks and the public picture as the views see them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from services.metrics.sums import ALL, Tally, cells
from shared.events.duties import (
    ChallengeChanged,
    ChallengeEnded,
    ChallengeSet,
    DutyAccepted,
    DutyAssigned,
    DutyCancelled,
    DutyChanged,
    DutyDone,
    DutyReturned,
    RecognitionGiven,
    RecognitionWithdrawn,
)  # fmt: skip
from shared.events.support import (
    ReputationHeard,
    ReputationWithdrawn,
    SetbackChanged,
    SetbackClosed,
    SetbackReported,
)  # fmt: skip
from shared.facts import Cell, Fact, Facts
from shared.store.types import Json


class DutyFact(Fact, table=True):
    """A duty: whose, for which goal, due when, and done when."""

    __tablename__ = "duty_fact"
    __table_args__ = (sa.Index("duty_fact_due", "due"), sa.Index("duty_fact_member", "member"))
    kind: ClassVar[str] = "duty"

    member: str | None = None
    group: str | None = None
    department: str = ""
    team: str | None = None
    goal: str | None = None
    review: str | None = Field(default=None, index=True)
    """The review on which it was decided."""
    option: str | None = None
    assigned_on: date | None = None
    due: date | None = None
    cancelled_on: date | None = None
    accepted_on: date | None = None
    received_by: str | None = None
    """Who accepted it or gave it back last."""
    done: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """Each time it was done: `{"on", "by", "on_time"}`."""
    returned: list[str] = Field(default_factory=list, sa_type=Json)

    def to_do_before(self, day: date) -> bool:
        """Whether it was still, or again, to be done when a day began."""
        text = day.isoformat()
        if self.assigned_on is None or self.assigned_on >= day:
            return False
        if self.cancelled_on is not None and self.cancelled_on < day:
            return False
        return 1 + sum(on < text for on in self.returned) > sum(str(each["on"]) < text for each in self.done)


class RecognitionFact(Fact, table=True):
    """Thanks to members for something they did."""

    __tablename__ = "recognition_fact"
    __table_args__ = (sa.Index("recognition_fact_on", "given_on"),)
    kind: ClassVar[str] = "recognition"

    given_on: date | None = None
    given_by: str | None = None
    done: str = ""
    ref: str | None = None
    to: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """`{"member", "department", "team"}` of that day."""
    withdrawn: bool = False


class ChallengeFact(Fact, table=True):
    """Something that a team or a group wants to reach together: for which goal, on which days, and what came of it."""

    __tablename__ = "challenge_fact"
    kind: ClassVar[str] = "challenge"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    team: str = ""
    group: str | None = None
    goal: str | None = None
    start: date | None = None
    end: date | None = None
    over_on: date | None = None
    reached: bool | None = None


class SetbackFact(Fact, table=True):
    """That something happened to somebody; whose it is, is known here by a token only."""

    __tablename__ = "setback_fact"
    __table_args__ = (sa.Index("setback_fact_on", "happened_on"),)
    kind: ClassVar[str] = "setback"

    person: str = ""
    sort: str = ""
    severity: int = 0
    happened_on: date | None = None
    department: str = ""
    team: str | None = None
    customer: str | None = None
    closed_on: date | None = None


class ReputationFact(Fact, table=True):
    """Something said of the organisation in public."""

    __tablename__ = "reputation_fact"
    __table_args__ = (sa.Index("reputation_fact_on", "heard_on"),)
    kind: ClassVar[str] = "reputation"

    sort: str = ""
    source: str = ""
    heard_on: date | None = None
    score: int | None = None
    """Hundredths, of 500."""
    customer: str | None = None
    withdrawn: bool = False


def duty_cells(duty: DutyFact) -> Iterator[Cell]:
    """A duty adds its assignment, each time it was done, on time or late, each return, and that it was cancelled."""
    if duty.assigned_on is None:
        return
    along: dict[str, str | None] = {ALL: "", "department": duty.department, "team": duty.team}
    yield from cells("charged", duty.assigned_on, along)
    for each in duty.done:
        on = date.fromisoformat(each["on"])
        yield from cells("discharged", on, along)
        if each["on_time"] is not None:
            yield from cells("discharged_in_time" if each["on_time"] else "discharged_late", on, along)
    for day in duty.returned:
        yield from cells("handed_back", date.fromisoformat(day), along)
    if duty.cancelled_on is not None:
        yield from cells("called_off", duty.cancelled_on, along)


def recognition_cells(recognition: RecognitionFact) -> Iterator[Cell]:
    """A recognition adds itself once, and once for each department and team that it went to."""
    if recognition.given_on is None or recognition.withdrawn:
        return
    yield from cells("recognised", recognition.given_on, {ALL: ""})
    for dim in ("department", "team"):
        for key in sorted({each[dim] or "" for each in recognition.to}):
            yield from cells("recognised", recognition.given_on, {dim: key})


def reputation_cells(opinion: ReputationFact) -> Iterator[Cell]:
    """An opinion adds its score, or that it was a complaint; for the whole and for the customer whose it is."""
    if opinion.heard_on is None or opinion.withdrawn:
        return
    along: dict[str, str | None] = {ALL: "", "customer": opinion.customer}
    if opinion.score is not None:
        yield from cells("rated", opinion.heard_on, along, took=opinion.score)
    if opinion.sort == "complaint":
        yield from cells("complained", opinion.heard_on, along)


duties = Facts(DutyFact, sums=Tally, cells=duty_cells)
recognitions = Facts(RecognitionFact, sums=Tally, cells=recognition_cells)
challenges = Facts(ChallengeFact)
# Setbacks are not summed: whether a sum may be shown depends on how many people are behind it.
setbacks = Facts(SetbackFact)
reputation = Facts(ReputationFact, sums=Tally, cells=reputation_cells)


@duties.on(DutyAssigned)
def assign(duty: DutyFact, event: DutyAssigned) -> None:
    duty.member, duty.group, duty.department, duty.team = event.member, event.group, event.department, event.team
    duty.assigned_on, duty.due, duty.goal = event.on, event.due, event.goal
    duty.review, duty.option = event.review, event.option


@duties.on(DutyChanged)
def change_duty(duty: DutyFact, event: DutyChanged) -> None:
    duty.due, duty.goal = event.due, event.goal


@duties.on(DutyDone)
def do(duty: DutyFact, event: DutyDone) -> None:
    duty.done = [*duty.done, {"on": event.on.isoformat(), "by": event.by, "on_time": event.on_time}]


@duties.on(DutyAccepted)
def accept(duty: DutyFact, event: DutyAccepted) -> None:
    duty.accepted_on, duty.received_by = event.on, event.by or duty.received_by


@duties.on(DutyReturned)
def give_back(duty: DutyFact, event: DutyReturned) -> None:
    duty.returned, duty.received_by = [*duty.returned, event.on.isoformat()], event.by or duty.received_by


@duties.on(DutyCancelled)
def call_off(duty: DutyFact, event: DutyCancelled) -> None:
    duty.cancelled_on = event.on


@recognitions.on(RecognitionGiven)
def thank(recognition: RecognitionFact, event: RecognitionGiven) -> None:
    recognition.given_on, recognition.given_by = event.on, event.by
    recognition.done, recognition.ref = event.done, event.ref
    recognition.to = [{"member": each.member, "department": each.department, "team": each.team} for each in event.to]


@recognitions.on(RecognitionWithdrawn)
def withdraw_thanks(recognition: RecognitionFact, event: RecognitionWithdrawn) -> None:
    recognition.withdrawn = True


@challenges.on(ChallengeSet)
def set_challenge(challenge: ChallengeFact, event: ChallengeSet) -> None:
    challenge.team, challenge.group, challenge.externals = event.team, event.group, event.externals
    change_challenge(challenge, event)


@challenges.on(ChallengeChanged)
def change_challenge(challenge: ChallengeFact, event: ChallengeSet | ChallengeChanged) -> None:
    challenge.start, challenge.end, challenge.goal = event.start, event.end, event.goal


@challenges.on(ChallengeEnded)
def end_challenge(challenge: ChallengeFact, event: ChallengeEnded) -> None:
    challenge.over_on, challenge.reached = event.on, event.reached


@setbacks.on(SetbackReported)
def report(setback: SetbackFact, event: SetbackReported) -> None:
    setback.person, setback.department, setback.team = event.person, event.department, event.team
    change_setback(setback, event)


@setbacks.on(SetbackChanged)
def change_setback(setback: SetbackFact, event: SetbackReported | SetbackChanged) -> None:
    setback.sort, setback.severity, setback.happened_on = event.kind, event.severity, event.on
    setback.customer = event.customer


@setbacks.on(SetbackClosed)
def close(setback: SetbackFact, event: SetbackClosed) -> None:
    setback.closed_on = event.on


@reputation.on(ReputationHeard)
def hear(opinion: ReputationFact, event: ReputationHeard) -> None:
    opinion.sort, opinion.source, opinion.heard_on, opinion.customer = (
        event.kind,
        event.source,
        event.on,
        event.customer,
    )
    opinion.score = int(Decimal(event.score) * 100) if event.score is not None else None


@reputation.on(ReputationWithdrawn)
def withdraw_opinion(opinion: ReputationFact, event: ReputationWithdrawn) -> None:
    opinion.withdrawn = True
