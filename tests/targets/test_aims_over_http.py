"""Goals, metrics, readings and targets that belong together, through the routes; the crucial ones on both engines."""

from __future__ import annotations

from typing import Any

from tests.targets.bodies import eur, target_body
from tests.targets.conftest import House
from tests.world import client_of, token_headers

Shown = dict[str, Any]


async def goal(house: House, period: str = "2026", **fields: Any) -> Shown:
    return await house.made("goals", {"title": "Grow", "period": period, **fields})


async def test_a_part_that_is_not_known_is_left_out_and_said_and_not_counted_as_zero(each_house: House) -> None:
    whole = await goal(each_house)
    sold, unknown = [await goal(each_house, parent=whole["id"], weight="0.5") for _ in range(2)]
    await each_house.made("targets", target_body("organisation", None, eur("100.00"), goal=sold["id"]))
    await each_house.won("80.00")
    found = await each_house.get(f"goals/{whole['id']}/attainment", as_of="2026-12-31")
    assert (found["attainment"], found["known_weight"]) == ("0.800000", "0.500000")
    assert found["notes"] == [f"{unknown['id']} is not known and weighs nothing"]


async def test_a_goal_is_not_attained_twice_through_a_cascade(each_house: House) -> None:
    wanted = await goal(each_house)
    parent = target_body("team", each_house.north, eur("100.00"), goal=wanted["id"])
    children = [{"scope": {"level": "member", "ref": who}, "value": eur("50.00")}
                for who in (each_house.ada, each_house.ben)]  # fmt: skip
    made = await each_house.made("targets/cascade", {"parent": parent, "children": children})
    await each_house.won("50.00", owner=each_house.ada)
    found = await each_house.get(f"goals/{wanted['id']}/attainment", as_of="2026-12-31")
    assert (found["attainment"], found["targets"]) == ("0.500000", [made["parent"]["id"]])


async def test_a_target_with_parts_shows_what_it_achieved_itself_and_the_gap_to_its_parts(each_house: House) -> None:
    parent = await each_house.made("targets", target_body("organisation", None, eur("100.00")))
    await each_house.made("targets", target_body("team", each_house.north, eur("70.00"), parent=parent["id"]))
    await each_house.won("100.00", team=each_house.north)
    shown = await each_house.get(f"targets/{parent['id']}")
    assert shown["parts"] == {"targets": 1, "sum": eur("70.00"), "gap": eur("-30.00")}
    assert (await each_house.attained(parent))["attainment"]["rate"] == "1.000000"


async def test_a_cascade_is_stored_as_a_whole_or_not_at_all(each_house: House) -> None:
    children = [{"scope": {"level": "member", "ref": each_house.ada}, "value": eur("40.00")}]
    cascade = {"parent": target_body("team", each_house.north, eur("100.00")), "children": children}
    problem = await each_house.refused("targets/cascade", cascade, 422)
    assert "40.00 EUR" in problem["detail"]
    assert "-60.00 EUR" in problem["detail"]
    assert (await each_house.get("targets"))["items"] == []


async def test_a_member_cannot_approve_what_is_theirs_and_somebody_else_can(each_house: House) -> None:
    world = each_house.world
    target = await each_house.made("targets", target_body("member", each_house.ada, eur("100.00")))
    path = f"/v1/targets/{target['id']}/approve"
    await world.admin.patch(f"/v1/teams/{each_house.north}", json={"leader": each_house.ben}, headers={"If-Match": "*"})
    last = await world.admin.get(f"/v1/teams/{each_house.north}")
    await world.settled("/v1/targets", last)
    answers = []
    for member in (each_house.ada, each_house.ben):
        headers = token_headers(world.settings, "targets:write", "targets:read", member=member)
        async with client_of(world.origin, headers) as client:
            answers.append(await client.post(path, json={"on": "2026-01-02"}))
    assert [answer.status_code for answer in answers] == [409, 200]
    assert each_house.ada in answers[0].json()["detail"]
    assert (answers[1].json()["lifecycle"], answers[1].json()["approved_by"]) == ("approved", each_house.ben)
    problem = await each_house.world.admin.patch(f"/v1/targets/{target['id']}", json={"value": eur("1.00")},
                                                   headers={"If-Match": "*"})  # fmt: skip
    assert problem.status_code == 422
    assert "approved on 2026-01-02; say in `reason` why 100.00 EUR" in problem.json()["detail"]


async def test_less_is_better_for_a_metric_of_ones_own_and_the_last_reading_counts(each_house: House) -> None:
    metric = {"key": "tickets", "name": "Open tickets", "direction": "lower", "aggregation": "last"}
    await each_house.made("metrics", metric)
    scope = {"level": "member", "ref": each_house.ada}
    aimed = await each_house.made("targets", target_body("member", each_house.ada, "10", metric="tickets"))
    empty = await each_house.attained(aimed)
    assert (empty["actual"], empty["attainment"], empty["reached"]) == (None, None, None)
    for on, value in (("2026-01-10", "40"), ("2026-03-01", "10")):
        reading = {"metric": "tickets", "scope": scope, "on": on, "value": value}
        taken = await each_house.made("readings", reading)
    found = await each_house.attained(aimed)
    assert (found["attainment"]["rate"], found["reached"], found["variance"]) == ("1.000000", True, "0")
    await each_house.made(f"readings/{taken['id']}/withdraw", {"on": "2026-03-02"})
    found = await each_house.attained(aimed)
    assert (found["attainment"]["rate"], found["reached"], found["variance"]) == ("-2.000000", False, "-30")


async def test_readings_of_what_is_computed_and_metrics_nobody_knows_are_refused(house: House) -> None:
    scope = {"level": "organisation", "ref": None}
    problem = await house.refused("readings", {"metric": "revenue", "scope": scope, "value": eur("1.00")}, 422)
    assert "revenue is computed from the facts" in problem["detail"]
    problem = await house.refused("targets", target_body("organisation", None, "1", metric="smiles"), 422)
    assert "there is no metric 'smiles'" in problem["detail"]
    assert "'activities'" in problem["detail"]


async def test_assigning_says_first_what_it_would_make_and_skips_those_who_have_one(each_house: House) -> None:
    had = await each_house.made("targets", target_body("member", each_house.ada, eur("5.00")))
    template = {"metric": "revenue", "period": "2026-Q1", "value": eur("100.00")}
    ask = {"template": template, "to": {"level": "team", "ref": each_house.north, "on": "2026-01-01"}}
    dry = await each_house.made("targets/assign", ask | {"dry_run": True})
    assert {row["member"]: row["status"] for row in dry["rows"]} == {
        each_house.ada: "skipped", each_house.ben: "would be made"
    }  # fmt: skip
    assert {row["member"]: row["target"] for row in dry["rows"]} == {each_house.ada: had["id"], each_house.ben: None}
    assert len((await each_house.get("targets"))["items"]) == 1
    done = await each_house.made("targets/assign", ask)
    assert (done["made"], done["skipped"], done["refused"], done["total"]) == (1, 1, 0, eur("100.00"))
    assert len((await each_house.get("targets"))["items"]) == 2
    again = await each_house.made("targets/assign", ask)
    assert (again["made"], again["skipped"], again["refused"]) == (0, 2, 0)
    halves = ask | {"template": template | {"period": {"from": "2026-02-01", "to": "2026-05-01"}}}
    refused = await each_house.made("targets/assign", halves)
    assert (refused["made"], refused["skipped"], refused["refused"]) == (0, 0, 2)


async def test_past_attainment_stays_when_somebody_moves_to_another_team(each_house: House) -> None:
    aimed = await each_house.made("targets", target_body("team", each_house.north, eur("100.00")))
    await each_house.won("60.00", owner=each_house.ada)
    before = await each_house.attained(aimed, "2026-02-28")
    south = await each_house.made("teams", {"name": "South"})
    move = {"from_team": each_house.north, "to_team": south["id"], "on": "2026-03-01"}
    moved = await each_house.post(f"members/{each_house.ada}/move", move)
    assert moved.status_code == 200, moved.text
    await each_house.world.settled("/v1/targets", moved)
    assert await each_house.attained(aimed, "2026-02-28") == before
    assert before["actual"] == eur("60.00")


async def test_a_goal_cascade_sums_to_one_and_is_refused_with_the_actual_sum(each_house: House) -> None:
    parts = [{"title": name, "period": "2026", "weight": weight} for name, weight in (("One", "0.7"), ("Two", "0.2"))]
    cascade = {"parent": {"title": "Grow", "period": "2026"}, "children": parts}
    problem = await each_house.refused("goals/cascade", cascade, 422)
    assert "sum to 0.9" in problem["detail"]
    assert (await each_house.get("goals"))["items"] == []
    parts[1]["weight"] = "0.3"
    made = await each_house.made("goals/cascade", cascade)
    assert made["parent"]["parts_weight"] == "1"
    assert [part["line_of_sight"] for part in made["children"]] == [[made["parent"]["id"]]] * 2
