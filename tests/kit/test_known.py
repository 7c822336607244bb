"""What services know of members, teams and departments they do not own, folded from what teams tells."""

from __future__ import annotations

from datetime import date
from typing import Any

from shared import known
from shared.events import Event
from shared.events.common import TeamsExternalLinked
from shared.events.teams import (
    DepartmentOpened,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    MemberMoved,
    MemberRecruited,
    OrganisationDescribed,
    TeamChanged,
    TeamFormed,
)
from shared.facts import Facts


def folded(facts: Facts[Any], *events: Event) -> Any:
    """A fact after some events."""
    fact = facts.model.make(id="it")
    for event in events:
        facts.fold(fact, event)
    return fact


def june(day: int) -> date:
    return date(2026, 6, day)


def test_a_member_is_in_the_department_and_team_of_the_day() -> None:
    member = folded(
        known.members,
        MemberRecruited(department="sales", starts_on=june(1)),
        MemberJoined(team="team_a", group="grp_a", on=june(3)),
        MemberMoved(from_team="team_a", to_team="team_b", on=june(10)),
        MemberChanged(department="it", on=june(15)),
        MemberChanged(department="it", job="Engineer", on=june(16)),
        MemberLeft(on=june(20)),
    )
    departments = {day: member.department_on(june(day)) for day in (1, 14, 15, 19, 20)}
    assert departments == {1: "sales", 14: "sales", 15: "it", 19: "it", 20: None}
    teams = {day: member.team_on(june(day)) for day in (2, 3, 9, 10, 19, 20)}
    assert teams == {2: None, 3: "team_a", 9: "team_a", 10: "team_b", 19: "team_b", 20: None}
    assert member.department_on(date(2026, 5, 31)) is None
    assert (member.starts_on, member.left_on) == (june(1), june(20))
    assert len(member.departments) == 2


def test_departments_teams_and_the_organisation_are_known_by_what_teams_tells() -> None:
    linked = TeamsExternalLinked(source="hrm", id="7")
    department = folded(known.departments, DepartmentOpened(name="Legal", externals={"sap": "L"}), linked)
    assert department.externals == {"sap": "L", "hrm": "7"}
    team = folded(known.teams, TeamFormed(name="North", department="sales"), TeamChanged(name="N", department="it"))
    assert (team.department, team.externals) == ("it", {})
    said = OrganisationDescribed(name="Us", zone="Asia/Tokyo", currency="EUR", first_month=4)
    organisation = folded(known.organisation, said)
    assert (organisation.zone, organisation.first_month) == ("Asia/Tokyo", 4)


def test_a_link_told_without_its_id_names_nothing() -> None:
    group = folded(known.groups, TeamsExternalLinked(source="hrm", id=None))
    assert group.externals == {}
