"""The teams service: who we are."""

from __future__ import annotations

from services.teams.api import members, organisation, teams
from services.teams.domain.members import Person
from services.teams.domain.organisation import Organisation
from shared.application import Service

service = Service(
    name="teams",
    description="Who we are: the organisation, its departments, people, teams and groups.",
    collections=(organisation.departments, members.members, teams.teams, teams.groups),
    routers=(organisation.router, members.router, teams.router),
    tables=(Organisation, Person),
    prepare=(organisation.found,),
)
