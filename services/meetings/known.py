"""What meetings knows of departments, teams and members: enough to invite them and to let them ask each other; also of
goals, which actions serve, of duties, of which overdue ones come on the table, and the figures that were frozen for a
joint meeting; and of days on which members are away."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from shared.consumer import Subscriptions
from shared.events import PEOPLE
from shared.events.duties import DutyAssigned, DutyCancelled, DutyChanged, DutyDone, DutyReturned
from shared.events.packs import PackFrozen
from shared.facts import Fact, Facts
from shared.known import away, departments, goals, members, organisation, people, teams
from shared.store.types import Json

TARGETS, METRICS = "concert.targets", "concert.metrics"


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


class KnownPack(Fact, table=True):
    """What a joint meeting began with: each department's figures of one moment, and in what they differ."""

    __tablename__ = "known_pack"
    kind: ClassVar[str] = "pack"
    told_by: ClassVar[str] = "metrics"

    meeting: str = Field(default="", index=True)
    on: date | None = None
    period: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    as_of: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    currency: str = ""
    views: dict[str, dict[str, Any]] = Field(default_factory=dict, sa_type=Json)
    differences: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    sums: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """Which figures add up members' quotas, and whose."""


duties, packs = Facts(KnownDuty), Facts(KnownPack)
# Of targets only goals: deals are many, and nothing here is about them. Of metrics only what is frozen for meetings
# and decided on reviews.
subscriptions = Subscriptions(
    "concert.teams",
    TARGETS,
    METRICS,
    PEOPLE,
    only={TARGETS: frozenset({"goal"}), METRICS: frozenset({"pack", "review"})},
)
subscriptions.keep(organisation, departments, members, away, teams, people, goals, duties, packs)


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


@packs.on(PackFrozen)
def keep(pack: KnownPack, event: PackFrozen) -> None:
    pack.meeting, pack.on, pack.period, pack.as_of = event.meeting, event.on, event.period, event.as_of
    pack.currency, pack.views, pack.differences = event.currency, event.views, list(event.differences)
    pack.sums = list(event.sums)
