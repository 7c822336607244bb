"""What targets knows of people and teams: enough to credit a deal to them and to say which team it was won for."""

from __future__ import annotations

from shared.consumer import Subscriptions
from shared.events import PEOPLE
from shared.known import (
    KnownDepartment,
    KnownGroup,
    KnownMember,
    KnownOrganisation,
    KnownPerson,
    KnownTeam,
    departments,
    fiscal_year,
    groups,
    known,
    members,
    organisation,
    people,
    teams,
)  # fmt: skip

subscriptions = Subscriptions("concert.teams", PEOPLE)
subscriptions.keep(organisation, departments, members, teams, groups, people)

__all__ = [
    "KnownDepartment",
    "KnownGroup",
    "KnownMember",
    "KnownOrganisation",
    "KnownPerson",
    "KnownTeam",
    "fiscal_year",
    "known",
    "subscriptions",
]
