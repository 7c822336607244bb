"""Stages over HTTP: there from the beginning, with chances that are dated, and nothing that makes no sense."""

from __future__ import annotations

from typing import Any

import pytest

from tests.targets.conftest import House
from tests.world import World


def chances(stage: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row["from"], row["chance"]) for row in stage["chances"]]


async def test_the_first_stages_and_their_chances_are_there_at_once(world: World) -> None:
    items = (await world.admin.get("/v1/stages")).json()["items"]
    found = {(each["key"], each["name"], each["chance"], each["position"]) for each in items}
    assert found == {("prospecting", "Prospecting", "0.1", 1), ("engaging", "Engaging", "0.25", 2)}


async def test_a_chance_holds_from_its_day_on_and_earlier_days_keep_theirs(world: World) -> None:
    await world.made("/v1/stages", {"key": "offer", "name": "Offer", "chance": "0.5", "position": 3})
    stage = await world.made("/v1/stages/offer/chances", {"chance": "0.6", "from": "2025-06-01"})
    assert chances(stage) == [("1900-01-01", "0.5"), ("2025-06-01", "0.6")]
    on = {"on": "2025-05-31"}
    assert (await world.admin.get("/v1/stages/offer", params=on)).json()["chance"] == "0.5"
    again = await world.made("/v1/stages/offer/chances", {"chance": "0.6", "from": "2025-06-01"})
    assert again["version"] == stage["version"]
    tag = {"If-Match": f'"{again["version"]}"'}
    renamed = await world.admin.patch("/v1/stages/offer", json={"name": "Offered"}, headers=tag)
    assert (renamed.json()["name"], chances(renamed.json())) == ("Offered", chances(stage))


async def test_another_system_describes_a_stage_again_and_nothing_changes(house: House) -> None:
    body = {"key": "demo", "name": "Demo", "chance": "0.3", "position": 4}
    first = await house.put("stages/ext:hubspot:demo", body)
    second = await house.put("stages/ext:hubspot:demo", body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["version"] == second.json()["version"]
    changed = await house.put("stages/ext:hubspot:demo", {"chance": "0.4", "from": "2026-02-01"})
    assert chances(changed.json()) == [("1900-01-01", "0.3"), ("2026-02-01", "0.4")]


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"key": "engaging", "name": "Again", "chance": "0.3"}, 409, "/key"),
        ({"key": "won", "name": "Won", "chance": "1"}, 422, "/key"),
        ({"key": "Ünfug", "name": "No", "chance": "0.3"}, 422, "/key"),
        ({"key": "sure", "name": "Sure", "chance": "1.1"}, 422, "/chance"),
        ({"key": "less", "name": "Less", "chance": "-0.1"}, 422, "/chance"),
        ({"key": "float", "name": "Float", "chance": 0.5}, 422, "/chance"),
        ({"key": "nameless", "name": " ", "chance": "0.5"}, 422, "/name"),
        ({"key": "place", "name": "Place", "chance": "0.5", "position": 0}, 422, "/position"),
        ({"key": "nochance", "name": "None"}, 422, "/chance"),
    ],
)
async def test_a_stage_that_makes_no_sense_is_refused_with_what_is_wrong(
    house: House, body: dict[str, Any], status: int, pointer: str
) -> None:
    before = await house.get("stages")
    problem = await house.refused("stages", body, status)
    assert problem["errors"][0]["pointer"] == pointer
    assert await house.get("stages") == before


async def test_the_key_of_a_stage_stays_and_a_day_needs_its_chance(house: House) -> None:
    await house.put("stages/ext:hubspot:poc", {"key": "poc", "name": "Proof", "chance": "0.7"})
    for body, pointer in (({"key": "proof"}, "/key"), ({"from": "2026-01-01"}, "/from")):
        answer = await house.put("stages/ext:hubspot:poc", body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
