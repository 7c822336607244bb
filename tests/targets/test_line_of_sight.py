"""Goals with a value of their own, goals that become parts, and how much of what is done serves a goal."""

from __future__ import annotations

from typing import Any

from tests.targets.bodies import eur, target_body
from tests.targets.conftest import House

Shown = dict[str, Any]


async def goal(house: House, **fields: Any) -> Shown:
    return await house.made("goals", {"title": "Grow", "period": "2026", **fields})


async def test_a_goal_shows_its_own_value_against_the_sum_of_its_targets_and_the_gap(each_house: House) -> None:
    house = each_house
    whole = await goal(house, metric="revenue", value=eur("1000.00"))
    part = await goal(house, metric="revenue", parent=whole["id"])
    year = await house.made("targets", target_body("team", house.north, eur("600.00"), "2026", goal=whole["id"]))
    # What is a part of another target, or a quarter of its year, is in the sum already.
    await house.made("targets", target_body("member", house.ada, eur("300.00"), "2026", goal=whole["id"],
                                            parent=year["id"]))  # fmt: skip
    await house.made("targets", target_body("team", house.north, eur("150.00"), "2026-Q1", goal=part["id"]))
    await house.made("targets", target_body("member", house.ben, eur("250.00"), "2026", goal=part["id"]))
    shown = await house.get(f"goals/{whole['id']}")
    assert (shown["value"], shown["depth"]) == (eur("1000.00"), 1)
    assert shown["targets"] == {"targets": 4, "sum": eur("850.00"), "gap": eur("-150.00")}
    path, admin = f"/v1/goals/{whole['id']}", house.world.admin
    changed = await admin.patch(path, json={"value": eur("850.00")}, headers={"If-Match": "*"})
    assert changed.json()["targets"]["gap"] == eur("0.00")
    none = await admin.patch(path, json={"value": None}, headers={"If-Match": "*"})
    assert (none.json()["value"], none.json()["targets"]["gap"]) == (None, None)
    history = (await house.get(f"goals/{whole['id']}/history"))["items"]
    assert [each["data"]["value"] for each in history] == [eur("1000.00"), eur("850.00"), None]


async def test_a_goal_with_a_value_is_attained_as_its_owner_achieves_that_and_not_only_its_targets(
    each_house: House,
) -> None:
    house = each_house
    wanted = await goal(house, metric="revenue", value=eur("200.00"))
    await house.made("targets", target_body("member", house.ada, eur("50.00"), "2026", goal=wanted["id"]))
    await house.won("50.00", owner=house.ada)
    await house.won("50.00", owner=house.ben)
    found = await house.get(f"goals/{wanted['id']}/attainment", as_of="2026-12-31")
    assert (found["attainment"], found["own"]["variance"]) == ("0.500000", eur("-100.00"))


async def test_values_that_cannot_be_measured_are_refused(house: House) -> None:
    for fields, words in (
        ({"value": eur("1.00")}, "A goal with a value names its metric"),
        ({"value": "5", "metric": "revenue"}, "revenue is measured in money"),
        ({"value": eur("1.00"), "metric": "deals_won"}, "deals_won is measured in a number"),
    ):
        assert words in str(await house.refused("goals", {"title": "Grow", "period": "2026", **fields}, 422))


async def test_goals_that_there_are_become_weighted_parts_of_another(each_house: House) -> None:
    house = each_house
    whole, old, loose, under = [await goal(house) for _ in range(4)]
    await house.made("goals/cascade", {"parent": whole["id"], "children": [{"goal": old["id"], "weight": "1"}]})
    await house.made("goals/cascade", {"parent": loose["id"], "children": [{"goal": under["id"], "weight": "1"}]})
    new = {"title": "New", "period": "2026-Q1", "weight": "0.2"}
    parts = {"parent": whole["id"], "children": [{"goal": loose["id"], "weight": "0.3"}, new]}
    problem = await house.refused("goals/cascade", parts, 422)
    assert "sum to 1.5; they must sum to 1" in problem["detail"]
    assert (await house.get(f"goals/{loose['id']}"))["parent"] is None
    parts["children"].append({"goal": old["id"], "weight": "0.5"})
    made = await house.made("goals/cascade", parts)
    assert [each["weight"] for each in made["children"]] == ["0.3", "0.2", "0.5"]
    shown = await house.get(f"goals/{under['id']}")
    assert (shown["line_of_sight"], shown["depth"]) == ([loose["id"], whole["id"]], 3)
    other = await goal(house)
    for parent, child, status, words in (
        (other["id"], loose["id"], 409, f"is a part of {whole['id']} already"),
        (under["id"], whole["id"], 409, "it cannot be a part of it"),
        (other["id"], "goal_none", 422, "there is no goal goal_none"),
    ):
        cascade = {"parent": parent, "children": [{"goal": child, "weight": "1"}]}
        assert words in str(await house.refused("goals/cascade", cascade, status))
    mixed = {"parent": other["id"], "children": [{"goal": loose["id"], "title": "x"}]}
    assert "either a goal that there is" in str(await house.refused("goals/cascade", mixed, 422))


async def at_work(house: House) -> tuple[str, list[str]]:
    """A goal, and what serves it: one target of two, one duty of three, one action of one; and what counts nowhere."""
    tokens: list[str] = []

    async def kept(path: str, body: Any) -> str:
        answer = await house.post(path, body)
        assert answer.status_code in (200, 201), answer.text
        tokens.append(answer.headers["concert-version"])
        return str(answer.json()["id"])

    goal = await kept("goals", {"title": "Grow", "period": "2026"})
    serves = {"goal": goal}
    await seen(house, "/v1/duties", tokens)
    await seen(house, "/v1/actions", tokens)
    await kept("targets", target_body("team", house.north, eur("1.00"), "2026-Q1", **serves))
    await kept("targets", target_body("organisation", None, eur("1.00"), "2026-Q1"))
    await kept("targets", target_body("organisation", None, eur("1.00"), "2027"))
    for title, fields in (("One", serves), ("Two", {}), ("Three", {})):
        await kept("duties", {"title": title, "assigned_to": {"member": house.ada}, "on": "2026-02-01", **fields})
    gone = await kept("duties", {"title": "Gone", "assigned_to": {"member": house.ada}, "on": "2025-06-01"})
    await kept(f"duties/{gone}/cancel", {"on": "2025-07-01"})
    await kept("actions", {"title": "Call them", "owner": house.ben, "due": "2026-03-20", "on": "2026-03-01", **serves})
    return goal, tokens


async def seen(house: House, path: str, tokens: list[str], **query: Any) -> Any:
    """What a path shows once it holds all these writes, which come from several services in any order."""
    answer = await house.world.admin.get(path, params={"after": tokens, **query}, headers={"Prefer": "wait=20"})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_line_of_sight_is_the_share_of_targets_duties_and_actions_that_carry_a_goal(
    lone_house: House,
) -> None:
    house = lone_house
    wanted, tokens = await at_work(house)
    await seen(house, "/v1/goals", [each for each in tokens if not each.startswith("target/")])
    for department in ("sales", "hr"):
        view = await seen(house, f"/v1/views/{department}", tokens, period="2026-Q1")
        assert view["figures"]["line_of_sight"] == {"rate": "0.500000", "numerator": 3, "denominator": 6}
    found = {key: view["figures"][f"{key}_with_goal"] for key in ("targets", "duties", "actions")}
    assert {key: (each["numerator"], each["denominator"]) for key, each in found.items()} == {
        "targets": (1, 2), "duties": (1, 3), "actions": (1, 1)
    }  # fmt: skip
    team = await seen(house, "/v1/views/sales", tokens, period="2026-Q1", team=house.north)
    assert team["figures"]["line_of_sight"] == {"rate": "0.600000", "numerator": 3, "denominator": 5}
    for figure, count in (("targets_with_goal", 2), ("duties_with_goal", 3), ("actions_with_goal", 1)):
        rows = await house.get("views/hr/rows", figure=figure, period="2026-Q1")
        assert sum(row["goal"] == wanted for row in rows["items"]) == 1
        assert len(rows["items"]) == count
    served = (await house.get(f"goals/{wanted}"))["served_by"]
    assert {key: (each["numerator"], each["denominator"]) for key, each in served.items()} == {
        "targets": (1, 2), "duties": (1, 3), "actions": (1, 1), "line_of_sight": (3, 6)
    }  # fmt: skip


async def test_of_a_year_in_which_nothing_was_to_be_done_the_line_of_sight_is_not_known(house: House) -> None:
    view = await house.get("views/sales", period="2019")
    assert view["figures"]["line_of_sight"] is None
    assert "could have served a goal" in str(view["notes"])
