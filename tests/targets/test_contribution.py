"""Who filled which role in a deal is said and shown beside whose revenue it is, and changes no revenue."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from shared.instant import now
from tests.targets.bodies import eur
from tests.targets.conftest import House


async def four(house: House) -> dict[str, str]:
    """Four who sell together."""
    team = {"A": house.ada, "B": house.ben}
    for name in ("C", "E"):
        hired = await house.post("members", {"name": name, "department": "sales", "starts_on": "2025-01-01"})
        await house.world.settled("/v1/deals", hired)
        team[name] = hired.json()["id"]
    return team


def in_roles(team: dict[str, str], text: str) -> list[dict[str, str]]:
    """`close B` for each."""
    return [{"role": role, "member": team[who]} for role, who in (each.split() for each in text.split(", "))]


async def test_contributions_by_roles_stand_beside_the_credits_and_sum_to_the_value(each_house: House) -> None:
    house, team = each_house, await four(each_house)
    deal = await house.deal(owner=team["B"])
    roles = in_roles(team, "source B, discovery B, demo A, demo C, close B, handover E")
    won = await house.post(f"deals/{deal['id']}/win", {"on": "2026-02-01", "value": eur("40000.00"), "roles": roles})
    assert won.status_code == 200, won.text
    found = await house.get(f"deals/{deal['id']}/contribution")
    assert {each["member"]: (each["share"], each["amount"]) for each in found["members"]} == {
        team["A"]: ("0.1", eur("4000.00")), team["B"]: ("0.7", eur("28000.00")),
        team["C"]: ("0.1", eur("4000.00")), team["E"]: ("0.1", eur("4000.00")),
    }  # fmt: skip
    assert (found["unstaffed"], found["nobodys"]) == ([], eur("0.00"))
    view = await house.world.settled("/v1/views/sales", won, period="2026-Q1", member=team["B"])
    assert view["figures"]["revenue"] == eur("40000.00")
    history = await house.get(f"deals/{deal['id']}/history")
    assert history["items"][-1]["type"] == "concert.targets.deal-staffed.v1"


async def test_a_role_that_nobody_filled_is_shown_and_paid_to_nobody(house: House) -> None:
    team = {"A": house.ada, "B": house.ben}
    deal = await house.won("100.01")
    roles = {"roles": in_roles(team, "close A, demo A, demo B")}
    staffed = await house.made(f"deals/{deal['id']}/roles", roles)
    assert staffed["version"] == 3
    assert (await house.made(f"deals/{deal['id']}/roles", roles))["version"] == 3
    found = await house.get(f"deals/{deal['id']}/contribution")
    assert [each["role"] for each in found["unstaffed"]] == ["source", "discovery", "handover"]
    amounts = {each["member"]: each["amount"]["amount"] for each in found["members"]}
    assert (amounts, found["nobodys"]) == ({house.ada: "40.00", house.ben: "10.00"}, eur("50.01"))


async def test_other_weights_hold_from_a_day_on_and_never_for_deals_closed_before(house: House) -> None:
    today = now().date()
    before = await house.won("1000.00")
    await house.made(f"deals/{before['id']}/roles", {"roles": in_roles({"A": house.ada}, "close A")})
    later = str(today + timedelta(days=30))
    agreed = await house.made("role-weights", {"weights": {"close": "0.75", "support": "0.25"}, "from": later})
    assert (agreed["from"], agreed["weights"]) == (later, {"close": "0.75", "support": "0.25"})
    deal = await house.deal()
    won = {"on": later, "value": eur("1000.00"), "roles": in_roles({"A": house.ada}, "support A")}
    assert (await house.post(f"deals/{deal['id']}/win", won)).status_code == 200
    by_deal = {each["id"]: await house.get(f"deals/{each['id']}/contribution") for each in (before, deal)}
    amounts = [each["members"][0]["amount"] for each in by_deal.values()]
    assert amounts == [eur("300.00"), eur("250.00")]
    problem = await house.refused("role-weights", {"weights": {"close": "1"}, "from": later})
    assert f"from {later} on are set already" in problem["detail"]


async def test_roles_and_weights_that_make_no_sense_are_refused(house: House) -> None:
    deal = await house.won()
    path, today = f"deals/{deal['id']}/roles", now().date()
    twice = in_roles({"A": house.ada}, "close A, close A")
    wrong: list[tuple[str, Any, str]] = [
        (path, {"roles": [{"role": "singing", "member": house.ada}]}, "there are source, discovery, demo, close"),
        (path, {"roles": [{"role": "close", "member": "mbr_nobody"}]}, "/roles/0/member"),
        (path, {"roles": twice}, "more than once"),
        ("role-weights", {"weights": {"close": "0.5", "demo": "0.4"}}, "sum to 0.9; they must sum to 1"),
        ("role-weights", {"weights": {"close": "1"}, "from": str(today - timedelta(days=9))}, "or later, not from"),
        ("role-weights", {"weights": {}}, "/weights"),
    ]
    for where, body, words in wrong:
        assert words in str(await house.refused(where, body, 422)), body
    lost = await house.deal()
    await house.made(f"deals/{lost['id']}/lose", {"on": "2026-02-01", "reason": "price"})
    assert "lost on 2026-02-01" in (await house.refused(f"deals/{lost['id']}/roles", {"roles": []}))["detail"]
    open_one = await house.deal()
    found = await house.get(f"deals/{open_one['id']}/contribution")
    assert (found["value"], found["members"], found["nobodys"]) == (None, [], None)
