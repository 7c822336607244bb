"""What targets knows of people and teams: enough to credit a deal to them and to say which team it was won for; and of
duties and actions, which goals they serve."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from shared.asked_period import AskedPeriod
from shared.consumer import Subscriptions
from shared.events import PEOPLE
from shared.events.duties import DutyAssigned, DutyCancelled, DutyChanged
from shared.events.items import ActionAgreed, ActionChanged
from shared.facts import Fact, Facts
from shared.known import (
    KnownMember,
    KnownTeam,
    away,
    departments,
    groups,
    house,
    members,
    organisation,
    people,
    teams,
)  # fmt: skip
from shared.membership import covers, overlaps
from shared.period import Period
from shared.store import Snapshot
from shared.store.sql import naming

MEETINGS = "concert.meetings"


class GoalDuty(Fact, table=True):
    """A duty: since when, and for which goal."""

    __tablename__ = "goal_duty"
    kind: ClassVar[str] = "duty"

    goal: str | None = None
    on: date | None = Field(default=None, index=True)
    cancelled: bool = False


class GoalAction(Fact, table=True):
    """An action: since when, and for which goal."""

    __tablename__ = "goal_action"
    kind: ClassVar[str] = "action"

    goal: str | None = None
    on: date | None = Field(default=None, index=True)


duties, actions = Facts(GoalDuty), Facts(GoalAction)
# Of meetings only actions: nothing here is about the others.
subscriptions = Subscriptions("concert.teams", MEETINGS, PEOPLE, only={MEETINGS: frozenset({"action"})})
subscriptions.keep(organisation, departments, members, teams, groups, people, away, duties, actions)


@duties.on(DutyAssigned)
def assign(duty: GoalDuty, event: DutyAssigned) -> None:
    duty.on, duty.goal = event.on, event.goal


@duties.on(DutyChanged)
def change(duty: GoalDuty, event: DutyChanged) -> None:
    duty.goal = event.goal


@duties.on(DutyCancelled)
def call_off(duty: GoalDuty, event: DutyCancelled) -> None:
    duty.cancelled = True


@actions.on(ActionAgreed)
@actions.on(ActionChanged)
def agree(action: GoalAction, event: ActionAgreed | ActionChanged) -> None:
    action.on, action.goal = event.on, event.goal


async def period_of(snapshot: Snapshot, asked: AskedPeriod) -> Period:
    """The days of a period that a body names, in the organisation's year."""
    return asked.resolve((await house(snapshot)).first_month)


async def team_mates(snapshot: Snapshot, team: KnownTeam, period: Period, day: date) -> set[str]:
    """Who is in a team in a period or on a day, but for who leads it."""
    member = KnownMember.__table__.c  # type: ignore[attr-defined]
    rows = await snapshot.rows(sa.select(member.id, member.memberships).where(naming(member.memberships, team.id)))
    there = {
        str(key) for key, stays in rows for each in stays
        if each["of"] == team.id and (overlaps(each, period.start, period.end) or covers(each, day))
    }  # fmt: skip
    return there - {team.leader}
