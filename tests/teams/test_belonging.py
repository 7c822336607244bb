"""Departments, teams and groups over HTTP, and who belonged to them on which day."""

from __future__ import annotations

import json
from typing import Any

from tests.teams.conftest import Staff, problem


async def bulk(staff: Staff, collection: str, rows: list[Any]) -> list[dict[str, Any]]:
    """What became of each row."""
    answer = await staff.post(f"{collection}/bulk", rows)
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_the_departments_everybody_has_are_there_from_the_beginning(staff: Staff) -> None:
    names = {each["id"]: each["name"] for each in (await staff.get("departments"))["items"]}
    built_in = {"sales": "Sales", "finance": "Finance", "accounting": "Accounting", "hr": "HR", "it": "IT"}
    assert built_in.items() <= names.items()


async def test_a_department_is_added_and_named_by_another_system(staff: Staff) -> None:
    legal = {"name": "Legal"}
    first, second = [await staff.put("departments/ext:erp:40", legal) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert "'Legal' and cannot become 'Law'" in problem(
        await staff.put("departments/ext:erp:40", {"name": "Law"}), 409, "/name"
    )
    ada = await staff.recruited(department="ext:erp:40")
    assert await staff.ids("members", department="ext:erp:40") == {ada}
    assert (await staff.get(f"members/{ada}"))["department"] == first.json()["id"]


async def test_a_team_is_formed_changed_and_listed(staff: Staff) -> None:
    ada = await staff.recruited()
    body = {"name": "East", "department": "hr", "region": "East", "leader": ada}
    first, second = [await staff.put("teams/ext:crm:east", body) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    team = first.json()["id"]
    assert await staff.ids("teams", department="hr", region="East") == {team}
    changed = await staff.patch(f"teams/{team}", {"region": None, "department": "it"})
    assert (changed.json()["region"], changed.json()["department"], changed.json()["leader"]) == (None, "it", ada)
    assert changed.json()["version"] == 2
    assert await staff.ids("teams", department="hr") == set()
    same = await staff.patch(f"teams/{team}", {"department": "it", "name": "East"})
    assert same.json()["version"] == 2
    kinds = [each["type"] for each in (await staff.get(f"teams/{team}/history"))["items"]]
    assert kinds == ["concert.teams.team-formed.v1", "concert.teams.team-changed.v1"]


async def test_a_group_is_formed_in_a_team_and_stays_in_it(staff: Staff) -> None:
    group = await staff.made("groups", {"name": "Key accounts", "team": staff.south})
    assert group["id"] in await staff.ids("groups", team=staff.south)
    assert group["id"] not in await staff.ids("groups", team=staff.north)
    renamed = await staff.patch(f"groups/{group['id']}", {"name": "Largest accounts"})
    assert (renamed.json()["name"], renamed.json()["team"]) == ("Largest accounts", staff.south)
    elsewhere = await staff.patch(f"groups/{group['id']}", {"name": "X", "team": staff.north})
    assert f"{staff.south}; that does not become {staff.north}" in problem(elsewhere, 409, "/team")
    nowhere = await staff.patch(f"groups/{group['id']}", {"team": "team_nowhere"})
    assert "there is no team team_nowhere" in problem(nowhere, 422, "/team")
    assert (await staff.patch(f"groups/{group['id']}", {"team": staff.south})).json()["version"] == 2
    body = {"name": "Outbound", "team": staff.south}
    first, second = [await staff.put("groups/ext:crm:out", body) for _ in range(2)]
    assert (first.status_code, second.status_code, second.json()) == (201, 200, first.json())


async def test_a_group_is_not_another_teams_because_an_update_says_so(staff: Staff) -> None:
    body = {"name": "Renewals", "team": staff.north}
    made = await staff.put("groups/ext:crm:renewals", body)
    moved = await staff.put("groups/ext:crm:renewals", body | {"team": staff.south})
    assert staff.north in problem(moved, 409, "/team")
    assert (await staff.get("groups/ext:crm:renewals")) == made.json()


async def test_a_team_has_the_members_of_a_day(staff: Staff) -> None:
    team = (await staff.made("teams", {"name": "West"}))["id"]
    ada, ben, cy = [await staff.recruited() for _ in range(3)]
    await staff.does(ada, "join", team=team, since="2026-02-01")
    await staff.does(ben, "join", team=team, since="2026-02-10", to="2026-02-20")
    await staff.does(cy, "join", team=team, since="2026-02-01")
    await staff.does(cy, "move", from_team=team, to_team=staff.south, on="2026-02-15")
    await staff.does(ada, "leave", on="2026-03-01")
    for on, there in {
        "2026-01-31": set(),
        "2026-02-01": {ada, cy},
        "2026-02-10": {ada, ben, cy},
        "2026-02-14": {ada, ben, cy},
        "2026-02-15": {ada, ben},
        "2026-02-20": {ada},
        "2026-02-28": {ada},
        "2026-03-01": set(),
    }.items():
        assert await staff.ids(f"teams/{team}/members", on=on) == there, on
        assert await staff.ids("members", team=team, on=on) == there, on
        for member in (ada, ben, cy):
            stays = (await staff.get(f"members/{member}/memberships", on=on))["items"]
            assert (team in [each["team"] for each in stays]) is (member in there), on
    assert await staff.ids(f"teams/{team}/members") == set()
    assert await staff.ids("members", team=team) == set()


async def test_a_group_has_the_members_of_a_day_and_its_team_has_them_longer(staff: Staff) -> None:
    ada = await staff.recruited()
    joined = await staff.does(ada, "join", group=staff.group, since="2026-02-01", to="2026-06-01")
    assert joined["memberships"] == [{"team": staff.north, "from": "2026-02-01", "to": "2026-06-01"}]
    await staff.does(ada, "leave", group=staff.group, on="2026-03-01")
    for on, groups in (("2026-02-28", [staff.group]), ("2026-03-01", [])):
        assert (ada in await staff.ids(f"groups/{staff.group}/members", on=on, limit=200)) is bool(groups)
        assert (ada in await staff.ids("members", group=staff.group, on=on)) is bool(groups)
        seen = await staff.get(f"members/{ada}", on=on)
        assert [each["group"] for each in seen["groups"]] == groups
        assert [each["team"] for each in seen["memberships"]] == [staff.north]
    assert (await staff.get(f"members/{ada}/memberships"))["items"] == [
        {"team": staff.north, "group": None, "from": "2026-02-01", "to": "2026-06-01"},
        {"team": staff.north, "group": staff.group, "from": "2026-02-01", "to": "2026-03-01"},
    ]


async def test_a_long_team_is_read_page_by_page_each_member_once(staff: Staff) -> None:
    team = (await staff.made("teams", {"name": "Long"}))["id"]
    there = set()
    for number in range(7):
        member = await staff.recruited()
        await staff.does(member, "join", team=team, since="2026-02-01", to="2026-03-01" if number % 3 == 2 else None)
        if number % 3 != 2:
            there.add(member)
    seen: list[str] = []
    query: dict[str, Any] = {"on": "2026-04-01", "limit": 2}
    while True:
        page = await staff.get(f"teams/{team}/members", **query)
        assert len(page["items"]) <= 2
        seen += [each["id"] for each in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert len(seen) == len(there)
    assert set(seen) == there


async def test_a_stay_begins_today_or_on_the_first_day_if_that_is_still_to_come(staff: Staff) -> None:
    ada, ben = await staff.recruited(starts_on="2999-01-01"), await staff.recruited()
    joined = await staff.does(ada, "join", team=staff.north)
    assert joined["memberships"] == [{"team": staff.north, "from": "2999-01-01", "to": None}]
    (stay,) = (await staff.does(ben, "join", team=staff.north))["memberships"]
    assert stay["from"] > "2026-01-01"
    assert ada not in await staff.ids(f"teams/{staff.north}/members", limit=200)


async def test_joining_twice_or_leaving_what_one_is_not_in_is_refused_with_the_days(staff: Staff) -> None:
    ada = await staff.recruited()
    await staff.does(ada, "join", team=staff.north, since="2026-02-01", to="2026-03-01")
    path = f"members/{ada}"
    twice = await staff.post(f"{path}/join", {"team": staff.north, "from": "2026-02-28"})
    assert "from 2026-02-01 until 2026-03-01" in problem(twice, 409)
    assert twice.json()["rule"] == "already-in-team"
    nowhere = await staff.post(f"{path}/leave", {"team": staff.north, "on": "2026-03-01"})
    assert "2026-03-01" in problem(nowhere, 409, "/on")
    moved = await staff.post(f"{path}/move", {"from_team": staff.south, "to_team": staff.north, "on": "2026-02-10"})
    assert "not in that team on 2026-02-10" in problem(moved, 409, "/on")
    early = await staff.post(f"{path}/join", {"team": staff.south, "from": "2025-12-31"})
    assert "starts on 2026-01-01; 2025-12-31" in problem(early, 409, "/from")
    assert (await staff.get(path))["version"] == 2


async def test_a_group_is_joined_by_its_own_team_only(staff: Staff) -> None:
    ada = await staff.recruited()
    other = await staff.post(f"members/{ada}/join", {"team": staff.south, "group": staff.group, "from": "2026-02-01"})
    assert staff.north in problem(other, 422, "/group")
    both = await staff.does(ada, "join", team=staff.north, group=staff.group, since="2026-02-01")
    assert both["groups"] == [{"team": staff.north, "group": staff.group, "from": "2026-02-01", "to": None}]


async def test_rows_of_a_bulk_that_are_wrong_say_so_and_the_others_are_stored(staff: Staff) -> None:
    good = {"name": "Bulk", "department": "sales", "starts_on": "2026-01-01"}
    rows = [
        good | {"external": {"source": "bulk", "id": "1"}},
        good | {"external": {"source": "bulk", "id": "2"}, "department": "nowhere"},
        good | {"external": {"source": "bulk", "id": "3"}, "starts_on": "2026-02-30"},
        good | {"external": {"source": "bulk", "id": "4"}, "manager": "ext:bulk:1"},
    ]
    before = await staff.events()
    results = await bulk(staff, "members", rows)
    assert [each["status"] for each in results] == [201, 422, 422, 201]
    assert results[1]["problem"]["errors"][0]["pointer"] == "/department"
    assert results[2]["problem"]["errors"][0]["pointer"] == "/starts_on"
    assert await staff.events() == before + 2
    first, fourth = await staff.get("members/ext:bulk:1"), await staff.get("members/ext:bulk:4")
    assert fourth["manager"] == first["id"]
    again = await bulk(staff, "members", [rows[0], rows[3]])
    assert [each["status"] for each in again] == [200, 200]
    assert await staff.events() == before + 2


async def test_careers_come_in_bulk_verb_by_verb_and_again_without_a_change(staff: Staff) -> None:
    name = {"source": "bulk", "id": "career"}
    to_south = {"from_team": staff.north, "to_team": staff.south, "on": "2026-02-01"}
    rows: list[Any] = [
        {"name": "Career", "department": "sales", "starts_on": "2026-01-01", "external": name},
        {"do": "join", "member": "ext:bulk:career", "team": staff.north, "from": "2026-01-10"},
        {"do": "move", "member": "ext:bulk:career", **to_south},
        {"do": "leave", "member": "ext:bulk:career", "team": staff.north, "on": "2026-02-10"},
        {"do": "leave", "member": "ext:bulk:career", "on": "2026-01-01"},
        {"do": "leave", "member": "ext:bulk:career", "on": "2026-03-01", "reason": "moved away"},
        {"do": "recruit", "member": "ext:bulk:career", "starts_on": "2026-04-01"},
    ]
    first = await bulk(staff, "members", rows)
    assert [each["status"] for each in first] == [201, 200, 200, 409, 422, 200, 200]
    career = await staff.get("members/ext:bulk:career")
    assert career["employments"] == [{"from": "2026-01-01", "to": "2026-03-01"}, {"from": "2026-04-01", "to": None}]
    assert [(each["team"], each["to"]) for each in career["memberships"]] == [
        (staff.north, "2026-02-01"), (staff.south, "2026-03-01"),
    ]  # fmt: skip
    await bulk(staff, "members", [row for row, each in zip(rows, first, strict=True) if each["status"] < 300])
    assert await staff.get("members/ext:bulk:career") == career
