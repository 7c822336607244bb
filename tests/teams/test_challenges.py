"""How far a team or a group has come with what it set itself, wherever challenges are read; and nobody is ranked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.teams.conftest import Staff, problem
from tests.world import client_of, token_headers

SPRING = {"from": "2026-03-01", "to": "2026-06-01"}


async def read(staff: Staff, member: str, number: str, on: str) -> Any:
    scope = {"level": "member", "ref": member}
    return await staff.made("readings", {"metric": "activities", "scope": scope, "on": on, "value": number})


async def test_a_challenge_is_measured_by_what_the_team_aims_at_under_its_goal(each_staff: Staff) -> None:
    staff = each_staff
    ada, ben, eve = [await staff.recruited() for _ in range(3)]
    for member, team, group in ((ada, staff.north, staff.group), (ben, staff.north, None), (eve, staff.south, None)):
        last = await staff.does(member, "join", since="2026-01-01", **({"group": group} if group else {"team": team}))
        await staff.get("goals", after=f"member/{member}@{last['version']}")
    goal = await staff.made("goals", {"title": "Visit them", "period": "2026", "metric": "activities", "value": "730"})
    await staff.get("openings", after=f"goal/{goal['id']}@1")
    own = {"name": "Visits", "goal": goal["id"], **SPRING}
    of_team = await staff.made("challenges", own | {"team": staff.north})
    of_group = await staff.made("challenges", own | {"group": staff.group})
    bare = await staff.made("challenges", {"name": "Smile", "team": staff.south, **SPRING})
    await read(staff, ada, "46", "2026-03-02")
    await read(staff, ben, "46", "2026-05-31")
    await read(staff, eve, "500", "2026-04-01")
    await read(staff, ada, "999", "2026-06-01")
    last = await read(staff, ada, "999", "2026-02-28")
    await staff.get("views/sales", period="2026", after=f"reading/{last['id']}@1")
    # Of the year's goal 184 are due in these 92 days; what others achieve, and on other days, is not theirs.
    told = await staff.get(f"challenges/{of_team['id']}/progress")
    assert (told["progress"], told["reached"]) == ("0.500000", None)
    assert told["by"] == [{"goal": goal["id"], "metric": "activities", "value": "184", "achieved": "92",
                           "progress": "0.500000"}]  # fmt: skip
    assert (await staff.get(f"challenges/{of_group['id']}/progress"))["progress"] == "0.250000"
    nothing = await staff.get(f"challenges/{bare['id']}/progress")
    assert (nothing["progress"], nothing["by"]) == (None, [])
    # What the team itself aims at under the goal comes before it, and all of that is due on these days.
    target = await staff.made("targets", {"metric": "activities", "scope": {"level": "team", "ref": staff.north},
                                          "period": "2026-03-01/2026-06-01",
                                          "value": "115", "goal": goal["id"]})  # fmt: skip
    await staff.get("views/sales", period="2026", after=f"target/{target['id']}@{target['version']}")
    told = await staff.get(f"challenges/{of_team['id']}/progress")
    assert (told["progress"], told["by"][0]["target"]) == ("0.800000", target["id"])
    assert (await staff.get(f"challenges/{of_group['id']}/progress"))["progress"] == "0.250000"
    # In the views by their beginning, without amounts; and never of one member.
    for view in ("sales", "hr"):
        shown = await staff.get(f"views/{view}", period="2026-Q2", breakdown="team")
        assert {each["challenge"]: each["progress"] for each in shown["figures"]["challenges"]} == {
            of_team["id"]: "0.800000", of_group["id"]: "0.250000", bare["id"]: None,
        }  # fmt: skip
        rows = {row["ref"]: row["figures"]["challenges"] for row in shown["breakdown"]["rows"]}
        assert [each["challenge"] for each in rows[staff.south]] == [bare["id"]]
        assert "115" not in str(shown["figures"]["challenges"])
        assert (await staff.get(f"views/{view}", period="2026-Q2", member=ada))["figures"]["challenges"] is None
        opened = (await staff.get(f"views/{view}/rows", figure="challenges", period="2026-Q2"))["items"]
        assert {row["ref"] for row in opened} == {of_team["id"], of_group["id"], bare["id"]}
    # By the end of March it had come less far; before it began there is nothing to tell.
    march = (await staff.get("views/hr", period="2026-03", group=staff.group))["figures"]["challenges"]
    assert [each["challenge"] for each in march] == [of_group["id"]]
    assert (await staff.get("views/hr", period="2026-02"))["figures"]["challenges"] == []
    # Once it is over, what comes later plays no part.
    ended = await staff.made(f"challenges/{of_team['id']}/end", {"reached": False, "on": "2026-05-30"})
    told = await staff.get(f"challenges/{ended['id']}/progress")
    assert (told["progress"], told["reached"], told["over_on"]) == ("0.400000", False, "2026-05-30")


async def test_amounts_are_for_who_sees_targets_and_progress_for_who_reads_challenges(
    staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    goal = await staff.made("goals", {"title": "Call them", "period": "2026", "metric": "activities", "value": "365"})
    await staff.get("openings", after=f"goal/{goal['id']}@1")
    challenge = await staff.made("challenges", {"name": "Calls", "goal": goal["id"], "team": staff.south, **SPRING})
    path, settings = f"/v1/challenges/{challenge['id']}/progress", staff.world.settings
    await staff.get("views/sales", period="2026", after=f"goal/{goal['id']}@1")
    async with client_of(staff.world.origin, token_headers(settings, "challenges:read")) as client:
        told = (await client.get(path)).json()
        assert (told["progress"], told["by"][0]["value"], told["by"][0]["achieved"]) == ("0.000000", None, None)
        problem(await client.get("/v1/challenges/chl_none/progress"), 404)
    async with client_of(staff.world.origin, token_headers(settings, "challenges:read", "targets:read")) as client:
        assert (await client.get(path)).json()["by"][0]["value"] == "92"
    async with client_of(staff.world.origin, token_headers(settings, "duties:read")) as client:
        problem(await client.get(path), 403)
    neighbours = staff.world.services["teams"].runtime.extras["neighbours"]
    monkeypatch.setattr(neighbours, "_apps", {})
    monkeypatch.setattr(neighbours, "_clients", {})
    assert "metrics does not answer" in problem(await staff.world.admin.get(path), 503)
