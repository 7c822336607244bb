"""What bad input gets: a problem that says what is wrong and where; and nothing is stored."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.teams.conftest import Staff, problem

ADA = {"name": "Ada Berg", "department": "sales", "starts_on": "2026-01-01"}


@pytest.fixture
async def unchanged(staff: Staff) -> AsyncIterator[None]:
    """Nothing is stored meanwhile."""
    before = await staff.events()
    yield
    assert await staff.events() == before


@pytest.fixture(scope="module")
async def ada(staff: Staff) -> str:
    """Somebody in the team North since February 2026."""
    member = await staff.recruited()
    await staff.does(member, "join", team=staff.north, since="2026-02-01")
    return member


WRONG_MEMBERS: list[tuple[dict[str, Any], str, str]] = [
    ({"name": ""}, "/name", "at least 1"),
    ({"name": None}, "/name", "string"),
    ({"name": "x" * 3000}, "/name", "at most"),
    ({"department": "nowhere"}, "/department", "there is no department nowhere"),
    ({"department": "ext:erp:nowhere"}, "/department", "there is no department ext:erp:nowhere"),
    ({"department": None}, "/department", "string"),
    ({"starts_on": "2026-02-30"}, "/starts_on", "2026-02-30"),
    ({"starts_on": "1st of May"}, "/starts_on", "2026-"),
    ({"starts_on": 20260101}, "/starts_on", "2026-"),
    ({"starts_on": "0001-01-01"}, "/starts_on", "1900"),
    ({"starts_on": "3000-01-01"}, "/starts_on", "2999"),
    ({"starts_on": None}, "/starts_on", ""),
    ({"email": "ada"}, "/email", ""),
    ({"email": "a b@example.org"}, "/email", ""),
    ({"email": f"{'a' * 300}@example.org"}, "/email", ""),
    ({"manager": "mbr_nobody"}, "/manager", "there is no member mbr_nobody"),
    ({"working_share": 0.5}, "/working_share", ""),
    ({"working_share": "-0.5"}, "/working_share", ""),
    ({"working_share": "1.5"}, "/working_share", ""),
    ({"working_share": "half"}, "/working_share", ""),
    ({"on": "2026-02-01"}, "/on", "2026-01-01"),
    ({"leaver": True}, "/leaver", "not known"),
    ({"external": {"source": "crm"}}, "/external/id", ""),
    ({"external": {"source": "", "id": "1"}}, "/external/source", ""),
]


@pytest.mark.parametrize(("wrong", "at", "says"), WRONG_MEMBERS, ids=lambda each: str(each)[:40])
@pytest.mark.usefixtures("unchanged")
async def test_a_member_is_not_recruited_with(staff: Staff, wrong: dict[str, Any], at: str, says: str) -> None:
    assert says in problem(await staff.post("members", ADA | wrong), 422, at)


@pytest.mark.parametrize("missing", ["name", "department", "starts_on"])
@pytest.mark.usefixtures("unchanged")
async def test_a_member_is_not_recruited_without(staff: Staff, missing: str) -> None:
    body = {name: value for name, value in ADA.items() if name != missing}
    problem(await staff.post("members", body), 422, f"/{missing}")


WRONG_VERBS: list[tuple[str, dict[str, Any], str]] = [
    ("join", {}, ""),
    ("join", {"team": None}, ""),
    ("join", {"team": "team_nowhere"}, "/team"),
    ("join", {"group": "grp_nowhere"}, "/group"),
    ("join", {"team": "NORTH", "from": "yesterday"}, "/from"),
    ("join", {"team": "NORTH", "since": "2026-03-01"}, "/since"),
    ("join", {"team": "NORTH", "from": "2026-01-10", "to": "2026-01-10"}, "/to"),
    ("join", {"team": "NORTH", "from": "2026-01-10", "to": "2026-01-09"}, "/to"),
    ("move", {"from_team": "NORTH"}, "/to_team"),
    ("move", {"from_team": "NORTH", "to_team": "team_nowhere"}, "/to_team"),
    ("move", {"from_team": "team_nowhere", "to_team": "NORTH"}, "/from_team"),
    ("leave", {}, "/on"),
    ("leave", {"on": "2026-01-01"}, "/on"),
    ("leave", {"on": "2026-05-01", "reason": 7}, "/reason"),
    ("leave", {"on": "2026-05-01", "team": "NORTH", "reason": "words"}, ""),
    ("leave", {"on": "2026-05-01", "team": "team_nowhere"}, "/team"),
    ("recruit", {}, "/starts_on"),
    ("recruit", {"starts_on": "2026-05-01", "department": "nowhere"}, "/department"),
    ("recruit", {"starts_on": "2026-05-01", "name": "Ada"}, "/name"),
]


@pytest.mark.parametrize(("verb", "body", "at"), WRONG_VERBS, ids=lambda each: str(each)[:60])
@pytest.mark.usefixtures("unchanged")
async def test_nothing_is_done_by(staff: Staff, ada: str, verb: str, body: dict[str, Any], at: str) -> None:
    sent = {name: staff.north if value == "NORTH" else value for name, value in body.items()}
    answer = await staff.post(f"members/{ada}/{verb}", sent)
    problem(answer, 422, at)


@pytest.mark.usefixtures("unchanged")
async def test_verbs_are_done_to_members_there_are(staff: Staff) -> None:
    for ref in ("mbr_nobody", "ext:crm:nobody"):
        problem(await staff.post(f"members/{ref}/leave", {"on": "2026-05-01"}), 404)
    problem(await staff.world.admin.get("/v1/teams/team_nowhere/members"), 404)
    problem(await staff.world.admin.get("/v1/groups/grp_nowhere/members"), 404)
    problem(await staff.world.admin.get("/v1/members/mbr_nobody/memberships"), 404)


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "0", "1767225600", "2026-02-01T00:00:00", ""])
@pytest.mark.parametrize("path", ["members", "members/ADA", "members/ADA/memberships", "teams/NORTH/members"])
async def test_a_day_that_is_asked_about_is_a_day(staff: Staff, ada: str, path: str, day: str) -> None:
    address = "/v1/" + path.replace("ADA", ada).replace("NORTH", staff.north)
    problem(await staff.world.admin.get(address, params={"on": day}), 422, "/on")


async def test_a_read_says_what_it_cannot_be_asked(staff: Staff, ada: str) -> None:
    get = staff.world.admin.get
    assert "department" in problem(await get("/v1/members", params={"colour": "red"}), 422, "/colour")
    for path in (f"/v1/teams/{staff.north}/members", f"/v1/groups/{staff.group}/members"):
        assert "colour" in problem(await get(path, params={"colour": "red"}), 422, "/colour")
    for path in ("departments", "teams", f"teams/{staff.north}", f"groups/{staff.group}"):
        # Names and regions are not dated; an answer that looked dated would be wrong.
        assert "on is not known here" in problem(await get(f"/v1/{path}", params={"on": "2026-01-01"}), 422, "/on")
    problem(await get(f"/v1/members/{ada}", params={"onn": "2026-01-01"}), 422, "/onn")
    twice = await get("/v1/members", params={"on": ["2026-01-01", "2026-02-01"]})
    assert "given 2 times" in problem(twice, 422, "/on")
    assert await staff.ids("members", team="team_nowhere") == set()
    assert await staff.ids("members", team='" OR 1=1 --%_') == set()


TEAMS: list[tuple[str, dict[str, Any], str]] = [
    ("departments", {}, "/name"),
    ("departments", {"name": " "}, "/name"),
    ("teams", {"name": "X", "department": "nowhere"}, "/department"),
    ("teams", {"name": "X", "leader": "mbr_nobody"}, "/leader"),
    ("teams", {"name": "X", "region": ""}, "/region"),
    ("groups", {"name": "X"}, "/team"),
    ("groups", {"name": "X", "team": "team_nowhere"}, "/team"),
    ("groups", {"name": 7, "team": "NORTH"}, "/name"),
]


@pytest.mark.parametrize(("path", "body", "at"), TEAMS, ids=lambda each: str(each)[:50])
@pytest.mark.usefixtures("unchanged")
async def test_no_place_is_made_of(staff: Staff, path: str, body: dict[str, Any], at: str) -> None:
    sent = {name: staff.north if value == "NORTH" else value for name, value in body.items()}
    problem(await staff.post(path, sent), 422, at)


@pytest.mark.usefixtures("unchanged")
async def test_a_team_keeps_what_it_must_have(staff: Staff) -> None:
    for body, at in (({"name": None}, "/name"), ({"department": None}, "/department"), ({"leader": "x"}, "/leader")):
        problem(await staff.patch(f"teams/{staff.north}", body), 422, at)
    problem(await staff.patch(f"groups/{staff.group}", {"name": ""}), 422, "/name")
    problem(await staff.patch(f"groups/{staff.group}", {"team": None}), 422, "/team")
