"""What meetings knows of departments, teams and members: enough to invite them and to let them ask each other; also of
goals, which actions serve, and of duties, of which overdue ones come on the table."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import sqlalchemy as sa

from shared.consumer import Subscriptions
from shared.events import PEOPLE
from shared.events.duties import DutyAssigned, DutyCancelled, DutyChanged, DutyDone, DutyReturned
from shared.facts import Fact, Facts
from shared.known import departments, goals, members, organisation, people, teams

TARGETS = "concert.targets"


class KnownDuty(Fact, table=True):
    """A duty: of which team, due when, and whether it is still to be done."""

    __tablename__ = "known_duty"
    __table_args__ = (sa.Index("known_duty_due", "to_do", "due"),)
    kind: ClassVar[str] = "duty"

    member: str | None = None
    group: str | None = None
    team: str | None = None
    department: str = ""
    due: date | None = None
    to_do: bool = False


duties = Facts(KnownDuty)
# Of targets only goals: deals are many, and nothing here is about them.
subscriptions = Subscriptions("concert.teams", TARGETS, PEOPLE, only={TARGETS: frozenset({"goal"})})
subscriptions.keep(organisation, departments, members, teams, people, goals, duties)


@duties.on(DutyAssigned)
def assign(duty: KnownDuty, event: DutyAssigned) -> None:
    duty.member, duty.group, duty.team = event.member, event.group, event.team
    duty.department, duty.due, duty.to_do = event.department, event.due, True


@duties.on(DutyChanged)
def change(duty: KnownDuty, event: DutyChanged) -> None:
    duty.due = event.due


@duties.on(DutyDone)
@duties.on(DutyCancelled)
def finish(duty: KnownDuty, event: DutyDone | DutyCancelled) -> None:
    duty.to_do = False


@duties.on(DutyReturned)
def give_back(duty: KnownDuty, event: DutyReturned) -> None:
    duty.to_do = True
