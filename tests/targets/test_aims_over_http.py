"""Goals, metrics, readings and targets that belong together, through the routes; the crucial ones on both engines."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.targets.bodies import eur, target_body
from tests.targets.conftest import House
from tests.world import client_of, token_headers

Shown = dict[str, Any]
TODAY = str(date.today())  # noqa: DTZ011


async def goal(house: House, period: str = "2026", **fields: Any) -> Shown:
    return await house.made("goals", {"title": "Grow", "period": period, **fields})


async def test_trap_11_a_part_that_is_not_known_is_left_out_and_said_and_not_counted_as_zero(each_house: House) -> None:
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


async def test_a_target_with_parts_shows_what_it_achieved_itself_and_the_gap_to_its_parts(lone_house: House) -> None:
    parent = await lone_house.made("targets", target_body("organisation", None, eur("100.00")))
    await lone_house.made("targets", target_body("team", lone_house.north, eur("70.00"), parent=parent["id"]))
    await lone_house.won("100.00", team=lone_house.north)
    shown = await lone_house.get(f"targets/{parent['id']}")
    assert shown["parts"] == {"targets": 1, "sum": eur("70.00"), "gap": eur("-30.00")}
    assert (await lone_house.attained(parent))["attainment"]["rate"] == "1.000000"


async def test_a_part_is_in_the_unit_and_the_days_of_its_target_and_stays_there(each_house: House) -> None:
    parent = await each_house.made("targets", target_body("team", each_house.north, eur("100.00")))

    def part(**fields: Any) -> Shown:
        body = target_body("member", each_house.ada, eur("50.00"), parent=parent["id"])
        return body | fields

    dollars = {"amount": "50.00", "currency": "USD"}
    for wrong, says in (
        ({"value": dollars}, "in EUR, this part of it in USD"),
        ({"period": "2026"}, "does not lie within"),
    ):
        refused = await each_house.refused("targets", part(**wrong), 422)
        assert refused["errors"][0]["pointer"] == "/parent"
        assert says in refused["detail"]
    made = await each_house.made("targets", part())
    for target in (parent, made):
        answer = await each_house.world.admin.patch(
            f"/v1/targets/{target['id']}", json={"value": dollars}, headers={"If-Match": "*"}
        )
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/value")
    assert (await each_house.get(f"targets/{parent['id']}"))["parts"]["gap"] == eur("-50.00")
    await each_house.made(f"targets/{parent['id']}/close", {})
    later = part(scope={"level": "member", "ref": each_house.ben})
    assert "was closed on" in (await each_house.refused("targets", later, 409))["detail"]


async def test_a_cascade_is_stored_as_a_whole_or_not_at_all(lone_house: House) -> None:
    children = [{"scope": {"level": "member", "ref": lone_house.ada}, "value": eur("40.00")}]
    cascade = {"parent": target_body("team", lone_house.north, eur("100.00")), "children": children}
    problem = await lone_house.refused("targets/cascade", cascade, 422)
    assert "40.00 EUR" in problem["detail"]
    assert "-60.00 EUR" in problem["detail"]
    assert (await lone_house.get("targets"))["items"] == []


async def test_a_list_says_how_each_target_goes_apart_from_whether_it_is_agreed_on(lone_house: House) -> None:
    aims = (("2025", "100.00"), ("2025-Q1", "110.00"), ("2025-Q2", "200.00"), ("2099", "1.00"))
    for period, value in aims:
        await lone_house.made("targets", target_body("organisation", None, eur(value), period))
    for on in ("2025-02-01", "2025-05-01"):
        await lone_house.won("100.00", on=on, opened_on="2025-01-02")
    shown = {each["period"]["label"]: each for each in (await lone_house.get("targets"))["items"]}
    health = {label: each["health"] for label, each in shown.items()}
    assert health == {"2025": "on_track", "2025-Q1": "at_risk", "2025-Q2": "behind", "2099": None}
    assert {each["lifecycle"] for each in shown.values()} == {"draft"}
    for label, each in shown.items():
        assert (await lone_house.get(f"targets/{each['id']}"))["health"] == health[label]
        assert (await lone_house.attained(each, TODAY))["health"] == health[label]


async def test_targets_that_there_are_become_parts_and_count_with_those_there_were(lone_house: House) -> None:
    house = lone_house
    whole = await house.made("targets", target_body("team", house.north, eur("100.00")))
    ada = await house.made(
        "targets", target_body("member", house.ada, eur("60.00"), external={"source": "x", "id": "1"})
    )
    other = await house.made("targets", target_body("organisation", None, eur("500.00")))
    ben = {"scope": {"level": "member", "ref": house.ben}, "value": eur("50.00")}
    short = {"parent": whole["id"], "children": [{"target": "ext:x:1"}, ben]}
    problem = await house.refused("targets/cascade", short, 422)
    assert "110.00 EUR" in problem["detail"]
    assert (await house.get(f"targets/{ada['id']}"))["parent"] is None
    made = await house.made("targets/cascade", short | {"over_assignment": "0.1"})
    assert made["parent"]["parts"] == {"targets": 2, "sum": eur("110.00"), "gap": eur("10.00")}
    assert made["children"][0]["parent"] == whole["id"]
    # What it has already counts: named again it changes nothing, and another one more is too much.
    again = {"parent": whole["id"], "children": [{"target": ada["id"]}], "over_assignment": "0.1"}
    assert (await house.made("targets/cascade", again))["children"][0]["version"] == made["children"][0]["version"]
    late = await house.made("targets", target_body("member", house.ben, eur("10.00"), "2026-02"))
    more = {"parent": whole["id"], "children": [{"target": late["id"]}]}
    assert "120.00 EUR" in (await house.refused("targets/cascade", more, 422))["detail"]
    deals = await house.made("targets", target_body("member", house.ada, "5", metric="deals_won"))
    for parent, child, status, words in (
        (other["id"], ada["id"], 409, f"is a part of {whole['id']} already"),
        (ada["id"], whole["id"], 409, "it cannot be a part of it"),
        (whole["id"], whole["id"], 409, "it cannot be a part of it"),
        (whole["id"], deals["id"], 422, "another metric than revenue"),
        (whole["id"], "tgt_none", 422, "there is no target tgt_none"),
    ):
        refused = await house.refused("targets/cascade", {"parent": parent, "children": [{"target": child}]}, status)
        assert words in str(refused), refused
    for child in ({"target": ada["id"], "value": eur("1.00")}, {"value": eur("1.00")}, {}):
        refused = await house.refused("targets/cascade", {"parent": whole["id"], "children": [child]}, 422)
        assert "either a target that there is" in str(refused)


async def test_a_part_that_was_given_up_leaves_a_gap_and_another_one_can_fill_it(each_house: House) -> None:
    house = each_house
    parts = [{"scope": {"level": "member", "ref": who}, "value": eur("50.00")} for who in (house.ada, house.ben)]
    cascade = {"parent": target_body("team", house.north, eur("100.00")), "children": parts}
    made = await house.made("targets/cascade", cascade)
    await house.made(f"targets/{made['children'][1]['id']}/close", {"on": "2026-02-01"})
    whole = made["parent"]["id"]
    assert (await house.get(f"targets/{whole}"))["parts"]["gap"] == eur("-50.00")
    rest = {"scope": {"level": "member", "ref": house.ben}, "value": eur("50.00"), "period": "2026-03"}
    filled = await house.made("targets/cascade", {"parent": whole, "children": [rest]})
    assert filled["parent"]["parts"] == {"targets": 2, "sum": eur("100.00"), "gap": eur("0.00")}


async def test_what_was_a_part_of_a_target_that_was_closed_becomes_a_part_of_another(each_house: House) -> None:
    house = each_house
    part = {"scope": {"level": "member", "ref": house.ada}, "value": eur("100.00")}
    whole = target_body("team", house.north, eur("100.00"))
    old = await house.made("targets/cascade", {"parent": whole, "children": [part]})
    there = {"target": old["children"][0]["id"]}
    year = await house.made("targets", target_body("team", house.north, eur("100.00"), "2026"))
    held = await house.refused("targets/cascade", {"parent": year["id"], "children": [there]})
    assert held["rule"] == "part-of-another"
    await house.made(f"targets/{old['parent']['id']}/close", {"on": "2026-02-01"})
    new = await house.made("targets/cascade", {"parent": whole, "children": [there]})
    assert (new["children"][0]["parent"], new["parent"]["parts"]["gap"]) == (new["parent"]["id"], eur("0.00"))


async def test_a_target_that_overlaps_another_by_halves_is_refused_with_both_periods_and_its_id(
    each_house: House,
) -> None:
    quarter = await each_house.made("targets", target_body("team", each_house.north, eur("100.00")))
    window = {"from": "2026-03-01", "to": "2026-05-01"}
    problem = await each_house.refused(
        "targets", target_body("team", each_house.north, eur("1.00")) | {"period": window}
    )
    assert (problem["rule"], problem["errors"][0]["pointer"]) == ("targets-overlap", "/period")
    assert "2026-03-01/2026-05-01 lies partly in 2026-Q1" in problem["detail"]
    assert quarter["id"] in problem["detail"]
    twice = await each_house.refused("targets", target_body("team", each_house.north, eur("1.00")))
    assert (twice["rule"], quarter["id"] in twice["detail"]) == ("target-exists", True)


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


async def test_who_has_set_a_target_does_not_approve_it_nor_does_anybody_whose_it_is(each_house: House) -> None:
    house, world = each_house, each_house.world
    inner = await house.made("groups", {"name": "Inner", "team": house.north})
    department = await house.department()
    joined = await house.post(f"members/{house.ada}/join", {"group": inner["id"], "from": "2025-01-01"})
    await world.settled("/v1/targets", joined)
    led = await world.admin.patch(
        f"/v1/teams/{house.north}", json={"leader": house.ben, "department": department}, headers={"If-Match": "*"}
    )
    await world.settled("/v1/targets", led)

    async def approved(level: str, ref: str | None, member: str | None) -> int:
        target = await house.made("targets", target_body(level, ref, eur("10.00"), f"2026-{next(months):02d}"))
        path = f"/v1/targets/{target['id']}/approve"
        if member is None:
            return (await world.post(path, {})).status_code
        headers = token_headers(world.settings, "targets:write", member=member)
        async with client_of(world.origin, headers) as client:
            return (await client.post(path, json={})).status_code

    months = iter(range(1, 13))
    ada, ben = house.ada, house.ben
    for level, ref, member, status in (
        ("organisation", None, None, 409), ("team", house.north, None, 409), ("team", house.north, ada, 409),
        ("team", house.north, ben, 409), ("group", inner["id"], ada, 409), ("group", inner["id"], ben, 200),
        ("department", department, ben, 409), ("department", department, ada, 200),
    ):  # fmt: skip
        assert await approved(level, ref, member) == status, (level, member)


async def test_a_target_shows_why_it_moved_and_what_it_was_on_a_day(each_house: House) -> None:
    house, world = each_house, each_house.world
    target = await house.made("targets", target_body("team", house.north, eur("100.00"), "2099-Q1"))
    path = f"/v1/targets/{target['id']}"
    assert (await world.agreed(f"{path}/approve", {})).status_code == 200
    for value, fields in (("90.00", {"reason": "A customer left"}), ("110.00", {})):
        changed = await world.admin.patch(path, json={"value": eur(value), **fields}, headers={"If-Match": "*"})
        assert changed.status_code == 200, changed.text
    shown = changed.json()
    names = ("before", "after", "reason", "by", "approved_by")
    assert [tuple(each[name] for name in names) for each in shown["changes"]] == [
        (eur("100.00"), eur("90.00"), "A customer left", "tester", "finance"),
        (eur("90.00"), eur("110.00"), None, "tester", None),
    ]
    assert (shown["lifecycle"], shown["set_after_start"]) == ("draft", False)
    assert "A customer left" not in str(await house.get(f"targets/{target['id']}/history"))


async def test_another_target_takes_the_place_of_one_that_was_closed(each_house: House) -> None:
    house, world = each_house, each_house.world
    body = target_body("team", house.north, eur("200.00"))
    closed = await house.made("targets", body)
    assert closed["set_after_start"]
    assert (await house.refused("targets", body))["rule"] == "target-exists"
    await house.made(f"targets/{closed['id']}/close", {"on": "2026-02-01"})
    made = await house.post("targets", body | {"value": eur("50.00")})
    assert made.status_code == 201, made.text
    for period, aimed in (("2026-Q1", "50.00"), ("2026", "50.00"), ("2026-02", "15.56")):
        view = await world.settled("/v1/views/sales", made, period=period, team=house.north)
        assert view["figures"]["target"] == eur(aimed)
    rows = await world.settled("/v1/views/sales/rows", made, period="2026-Q1", figure="target", team=house.north)
    assert [(row["ref"], row["set_after_start"]) for row in rows["items"]] == [(made.json()["id"], True)]


async def test_trap_8_what_is_exactly_at_a_target_of_which_less_is_better_is_reached_and_wholly_attained(
    each_house: House,
) -> None:
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


async def test_assigning_says_first_what_it_would_make_and_skips_those_who_have_one(lone_house: House) -> None:
    had = await lone_house.made("targets", target_body("member", lone_house.ada, eur("5.00")))
    template = {"metric": "revenue", "period": "2026-Q1", "value": eur("100.00")}
    ask = {"template": template, "to": {"level": "team", "ref": lone_house.north, "on": "2026-01-01"}}
    dry = await lone_house.made("targets/assign", ask | {"dry_run": True})
    assert {row["member"]: row["status"] for row in dry["rows"]} == {
        lone_house.ada: "skipped", lone_house.ben: "would be made"
    }  # fmt: skip
    assert {row["member"]: row["target"] for row in dry["rows"]} == {lone_house.ada: had["id"], lone_house.ben: None}
    assert len((await lone_house.get("targets"))["items"]) == 1
    done = await lone_house.made("targets/assign", ask)
    assert (done["made"], done["skipped"], done["refused"], done["total"]) == (1, 1, 0, eur("100.00"))
    assert len((await lone_house.get("targets"))["items"]) == 2
    again = await lone_house.made("targets/assign", ask)
    assert (again["made"], again["skipped"], again["refused"]) == (0, 2, 0)
    halves = ask | {"template": template | {"period": {"from": "2026-02-01", "to": "2026-05-01"}}}
    refused = await lone_house.made("targets/assign", halves)
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


async def test_trap_13_weights_of_goals_sum_to_one_or_are_refused_with_the_actual_sum(lone_house: House) -> None:
    parts = [{"title": name, "period": "2026", "weight": weight} for name, weight in (("One", "0.7"), ("Two", "0.2"))]
    cascade = {"parent": {"title": "Grow", "period": "2026"}, "children": parts}
    problem = await lone_house.refused("goals/cascade", cascade, 422)
    assert "sum to 0.9" in problem["detail"]
    assert (await lone_house.get("goals"))["items"] == []
    parts[1]["weight"] = "0.3"
    made = await lone_house.made("goals/cascade", cascade)
    assert made["parent"]["parts_weight"] == "1"
    assert [part["line_of_sight"] for part in made["children"]] == [[made["parent"]["id"]]] * 2
