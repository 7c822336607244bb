"""What targets knows of people and teams: enough to credit a deal to them and to say which team it was won for."""

from __future__ import annotations

from shared.asked_period import AskedPeriod
from shared.consumer import Subscriptions
from shared.events import PEOPLE
from shared.known import away, departments, groups, house, members, organisation, people, teams
from shared.period import Period
from shared.store import Snapshot

subscriptions = Subscriptions("concert.teams", PEOPLE)
subscriptions.keep(organisation, departments, members, teams, groups, people, away)


async def period_of(snapshot: Snapshot, asked: AskedPeriod) -> Period:
    """The days of a period that a body names, in the organisation's year."""
    return asked.resolve((await house(snapshot)).first_month)
