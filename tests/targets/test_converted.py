"""What is aimed at is shown in another currency beside its own, at dated rates; what has no rate is refused."""

from __future__ import annotations

from typing import Any

from tests.targets.bodies import eur, target_body
from tests.targets.conftest import House
from tests.world import token_headers

ROWS = (("2026-01-01", "100.05"), ("2026-02-01", "100.05"), ("2026-03-01", "99.90"))


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


async def rated(house: House) -> None:
    """A dollar is worth 0.90 EUR from January on, and 0.80 from the middle of February."""
    for on, rate in (("2026-01-01", "0.90"), ("2026-02-15", "0.80")):
        await house.made("rates", {"from": "USD", "to": "EUR", "on": on, "rate": rate})


async def dollars(house: House) -> dict[str, Any]:
    """A target of a team in dollars, due row by row, with a part."""
    rows = [{"on": on, "value": usd(value)} for on, value in ROWS]
    body = target_body("team", house.north, usd("300.00"), distribution=rows, stretch=usd("400.00"))
    whole = await house.made("targets", body)
    await house.made("targets", target_body("member", house.ada, usd("200.00"), parent=whole["id"]))
    return whole


async def refused(house: House, path: str, **query: str) -> str:
    answer = await house.world.admin.get(f"/v1/{path}", params=query)
    assert answer.status_code == 422, answer.text
    detail: str = answer.json()["detail"]
    return detail


async def test_a_list_of_targets_shows_each_in_the_currency_asked_for_beside_its_own(each_house: House) -> None:
    house = each_house
    await rated(house)
    whole = await dollars(house)
    await house.made("targets", target_body("team", house.north, "12", metric="deals_won"))
    plain = (await house.get("targets"))["items"]
    listed = (await house.get("targets", currency="EUR"))["items"]
    assert [{name: each[name] for name in each if name != "converted"} for each in listed] == plain
    assert "converted" not in plain[0]
    (found,) = [each["converted"] for each in listed if each["id"] == whole["id"]]
    # 90.045 + 90.045 + 79.92: the rows sum to what all of them are rounded to.
    assert (found["value"], found["stretch"]) == (eur("260.01"), eur("360.00"))
    assert [row["value"]["amount"] for row in found["distribution"]] == ["90.04", "90.05", "79.92"]
    assert found["parts"] == {"sum": eur("180.00"), "gap": eur("-80.01")}
    assert [each["converted"] for each in listed if each["metric"] == "deals_won"] == [None]
    alone = await house.get(f"targets/{whole['id']}", currency="EUR")
    assert alone["converted"] == found
    # A rate that changes changes no version, so what is converted is always sent.
    known = {"If-None-Match": f'"{whole["version"]}"'}
    for query, status in (({}, 304), ({"currency": "EUR"}, 200)):
        answer = await house.world.admin.get(f"/v1/targets/{whole['id']}", params=query, headers=known)
        assert answer.status_code == status
    attained = await house.get(f"targets/{whole['id']}/attainment", currency="EUR")
    assert attained["target"] == found["value"]


async def test_a_rate_that_is_missing_for_a_day_is_refused_with_the_day_and_the_pair(lone_house: House) -> None:
    house = lone_house
    await rated(house)
    whole = await dollars(house)
    body = {"title": "Grow", "metric": "revenue", "value": usd("1000.00"), "period": "2026"}
    goal = await house.made("goals", body)
    words = "No rate from USD to JPY is known for 2026-01-01, nor for any day before it; set one at /v1/rates."
    for path in ("targets", f"targets/{whole['id']}", "goals", f"goals/{goal['id']}", f"goals/{goal['id']}/attainment"):
        assert words in await refused(house, path, currency="JPY"), path
    assert "XYZ" in await refused(house, "targets", currency="XYZ")
    # Of February the rate is known, of the first row it is not.
    await house.made("rates", {"from": "USD", "to": "JPY", "on": "2026-02-01", "rate": "150"})
    assert words in await refused(house, "targets", currency="JPY")


async def test_a_goal_is_shown_in_the_currency_asked_for_with_targets_of_several_currencies(lone_house: House) -> None:
    house = lone_house
    await rated(house)
    body = {"title": "Grow", "metric": "revenue", "value": usd("1000.00"), "period": "2026"}
    goal = await house.made("goals", body)
    await house.made("goals", {"title": "Win", "metric": "deals_won", "value": "12", "period": "2026"})
    await house.made("targets", target_body("team", house.north, eur("100.00"), goal=goal["id"]))
    await house.made("targets", target_body("organisation", None, usd("300.00"), goal=goal["id"]))
    await house.won("90.00")
    listed = (await house.get("goals", currency="EUR"))["items"]
    found = {each["title"]: each["converted"] for each in listed}
    assert found == {
        "Grow": {"value": eur("900.00"), "targets": {"sum": eur("370.00"), "gap": eur("-530.00")}},
        "Win": None,
    }
    assert next(each["targets"] for each in listed if each["title"] == "Grow")["sum"] is None
    own = (await house.get(f"goals/{goal['id']}/attainment", currency="EUR"))["own"]
    assert (own["target"], own["actual"], own["attainment"]["rate"]) == (eur("900.00"), eur("90.00"), "0.100000")
    blind = token_headers(house.world.settings, "goals:read")
    hidden = await house.world.admin.get("/v1/goals", params={"currency": "EUR"}, headers=blind)
    assert hidden.json()["items"][0]["converted"] == {"value": eur("900.00"), "targets": {"sum": None, "gap": None}}
