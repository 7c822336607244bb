"""`/v1/teams` and `/v1/groups`."""

from __future__ import annotations

from pydantic import Field

from services.teams.api.organisation import today
from services.teams.api.references import member_id, sought
from services.teams.domain.members import Member
from services.teams.domain.teams import Department, Group, Team
from shared.errors import Conflict, Fault
from shared.http.bodies import Name, Named, Ref
from shared.http.collection import Collection, fresh
from shared.store import Tx

teams = Collection(
    Team, "teams", filters={"department": "department", "region": "region"}, refs={"department": Department}
)
groups = Collection(Group, "groups", filters={"team": "team"}, refs={"team": Team})


class FormTeam(Named):
    """A team to be formed."""

    name: Name = Field(examples=["North"])
    department: Ref = "sales"
    region: Name | None = None
    leader: Ref | None = None


class ChangeTeam(Named):
    """What to change about a team; what is not sent stays, null clears."""

    name: Name = ""
    department: Ref = "sales"
    region: Name | None = None
    leader: Ref | None = None


class FormGroup(Named):
    """A group to be formed inside a team."""

    name: Name
    team: Ref


class ChangeGroup(Named):
    """Another name for a group; it stays a part of its team."""

    name: Name = ""
    team: Ref = Field(default="", description="the team it is a part of, which does not change")


@teams.create
async def form_team(tx: Tx, body: FormTeam) -> Team:
    """Bring a team into being."""
    team, formed = Team.form(
        name=body.name,
        department=(await sought(tx, Department, body.department, "/department")).id,
        region=body.region,
        leader=await _leader(tx, body.leader) if body.leader else None,
        **fresh(Team, body),
    )
    return tx.save(team, formed)


@teams.amend
async def change_team(tx: Tx, team: Team, body: ChangeTeam) -> Team:
    """Describe a team differently."""
    sent = body.sent()
    if "department" in sent:
        sent["department"] = (await sought(tx, Department, body.department, "/department")).id
    if sent.get("leader"):
        leader = await member_id(tx, sent["leader"], "/leader")
        sent["leader"] = leader if leader == team.leader else await _leader(tx, leader)
    return tx.save(team, team.change(**sent))


async def _leader(tx: Tx, ref: str) -> str:
    """Who leads a team from today on works here today."""
    leader: Member = await sought(tx, Member, ref, "/leader")
    leader.employment(await today(tx), "/leader")
    return leader.id


@groups.create
async def form_group(tx: Tx, body: FormGroup) -> Group:
    """Bring a group into being inside a team."""
    team = await sought(tx, Team, body.team, "/team")
    group, formed = Group.form(name=body.name, team=team.id, **fresh(Group, body))
    return tx.save(group, formed)


@groups.amend
async def change_group(tx: Tx, group: Group, body: ChangeGroup) -> Group:
    """Give a group another name."""
    if "team" in body.model_fields_set:
        team = (await sought(tx, Team, body.team, "/team")).id
        if team != group.team:
            raise Conflict(f"This group is a part of the team {group.team}; that does not become {team}.",
                           [Fault("/team", "differs from what is stored")])  # fmt: skip
    return tx.save(group, group.change(name=body.name or group.name))
