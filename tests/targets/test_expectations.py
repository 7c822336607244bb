"""A newcomer's quota and that of whoever is away: raw and adjusted stand side by side, the same everywhere."""

from __future__ import annotations

from typing import Any

import httpx

from shared.identity.scopes import member_scopes, tool_scopes
from tests.targets.bodies import eur, target_body
from tests.targets.conftest import House
from tests.world import token_headers


async def newcomer(house: House, **fields: Any) -> httpx.Response:
    """Somebody who begins with the quarter, and of whom less is expected at first."""
    body = {"name": "Cleo Diaz", "department": "sales", "starts_on": "2026-01-01"} | fields
    return await house.post("members", body)


async def seen(house: House, member: str, last: httpx.Response, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = await house.world.settled("/v1/views/sales", last, period="2026-Q1", member=member, **query)
    return found


async def test_raw_and_adjusted_attainment_are_the_same_by_both_routes(each_house: House) -> None:
    house = each_house
    hired = await newcomer(house, ramp=["0.2", "0.50"])
    cleo = hired.json()["id"]
    assert hired.json()["ramp"] == ["0.2", "0.5"]
    away = {"from": "2026-02-01", "to": "2026-02-15", "kind": "sick"}
    noted = await house.post(f"members/{cleo}/absences", away)
    assert noted.status_code == 201, noted.text
    await house.world.settled("/v1/deals", noted)
    target = await house.made("targets", target_body("member", cleo, eur("9000.00")))
    deal = await house.deal(owner=cleo)
    won = await house.post(f"deals/{deal['id']}/win", {"on": "2026-03-05", "value": eur("2210.00")})
    found = await house.attained(target)
    # 31 days of 100 at a fifth, 14 of 28 days at a half, 31 days in full.
    assert found["adjusted"]["target"] == eur("4420.00")
    assert found["adjusted"]["attainment"] == {
        "rate": "0.500000", "numerator": eur("2210.00"), "denominator": eur("4420.00"),
    }  # fmt: skip
    assert found["attainment"]["rate"] == "0.245556"
    assert found["adjusted"]["active"] == "0.844444"
    figures = (await seen(house, cleo, won))["figures"]
    assert figures["target_adjusted"] == found["adjusted"]["target"]
    assert figures["attainment_adjusted"] == found["adjusted"]["attainment"]
    rows = (await seen(house, cleo, won, breakdown="month"))["breakdown"]["rows"]
    assert [row["figures"]["target_adjusted"] for row in rows] == [eur("620.00"), eur("700.00"), eur("3100.00")]
    by_member = await house.world.settled("/v1/views/sales", won, period="2026-Q1", breakdown="member")
    (row,) = (each for each in by_member["breakdown"]["rows"] if each["ref"] == cleo)
    assert row["figures"]["attainment_adjusted"] == figures["attainment_adjusted"]


async def test_an_absence_never_lowers_what_somebody_attained(each_house: House) -> None:
    house = each_house
    target = await house.made("targets", target_body("member", house.ada, eur("900.00")))
    last = await house.post(f"members/{house.ada}/absences", {"from": "2026-01-01", "to": "2026-04-01"})
    await house.world.settled("/v1/deals", last)
    found = (await house.attained(target))["adjusted"]
    assert (found["target"], found["attainment"], found["ramp"], found["active"]) == (
        eur("0.00"), None, None, "0.000000",
    )  # fmt: skip
    view = await seen(house, house.ada, last)
    assert view["figures"]["attainment_adjusted"] is None
    assert "attainment_adjusted" in str(view["notes"])


async def test_an_absence_that_is_cancelled_or_entered_for_later_days_leaves_the_past_as_it_was(
    each_house: House,
) -> None:
    house = each_house
    target = await house.made("targets", target_body("member", house.ada, eur("900.00")))
    last = await house.post(f"members/{house.ada}/absences", {"from": "2026-04-01", "kind": "parental"})
    await house.world.settled("/v1/deals", last)
    assert (await house.attained(target))["adjusted"]["target"] == eur("900.00")
    noted = last.json()
    moved = await house.world.admin.patch(f"/v1/members/{house.ada}/absences/{noted['id']}",
                                          json={"from": "2026-03-02", "to": "2026-04-01"},
                                          headers={"If-Match": '"1"'})  # fmt: skip
    assert (moved.json()["from"], moved.json()["kind"]) == ("2026-03-02", "parental"), moved.text
    await house.world.settled("/v1/deals", moved)
    assert (await house.attained(target))["adjusted"]["target"] == eur("600.00")
    cancelled = await house.post(f"members/{house.ada}/absences/{noted['id']}/cancel", {})
    await house.world.settled("/v1/deals", cancelled)
    assert (await house.attained(target))["adjusted"]["target"] == eur("900.00")


async def test_of_a_team_a_group_and_all_that_is_expected_which_is_of_their_members_on_their_days(
    lone_house: House,
) -> None:
    house = lone_house
    south = (await house.made("teams", {"name": "South"}))["id"]
    inner = (await house.made("groups", {"name": "Inner circle", "team": house.north}))["id"]
    await house.post(f"members/{house.ada}/join", {"group": inner, "from": "2026-03-01"})
    # Ben is in the South from the 1st of March on, and away for its last half.
    await house.post(f"members/{house.ben}/move", {"from_team": house.north, "to_team": south, "on": "2026-03-01"})
    last = await house.post(f"members/{house.ben}/absences", {"from": "2026-03-16", "to": "2026-04-01"})
    await house.world.settled("/v1/deals", last)
    for who in (house.ada, house.ben):
        await house.made("targets", target_body("member", who, eur("900.00")))
    # The quarter has 90 days: 10.00 a day of each; other days, other metrics and other currencies are none of it.
    await house.made("targets", target_body("member", house.ada, eur("999.00"), "2026-Q2"))
    await house.made("targets", target_body("member", house.ada, "5", metric="deals_won"))
    for level, ref, query, quota, expected in (
        ("team", house.north, {"team": house.north}, "1490.00", "1490.00"),
        ("team", south, {"team": south}, "310.00", "150.00"),
        ("group", inner, {"group": inner}, "310.00", "310.00"),
        ("department", "sales", {"department": "sales"}, "1800.00", "1640.00"),
        ("organisation", None, {}, "1800.00", "1640.00"),
    ):
        made = await house.post("targets", target_body(level, ref, eur("2000.00")))
        found = (await house.attained(made.json()))["adjusted"]
        assert (found["quota"], found["target"]) == (eur(quota), eur(expected)), level
        view = await house.world.settled("/v1/views/sales", made, period="2026-Q1", **query)
        assert view["figures"]["target_adjusted"] == found["target"], level
        assert view["figures"]["attainment_adjusted"] == found["attainment"], level
    assert (await house.attained(made.json(), "2026-03-15"))["adjusted"]["pace"]["denominator"] == eur("1480.00")


async def test_only_targets_of_members_that_add_up_and_grow_are_adjusted(house: House) -> None:
    for level, ref in (("organisation", None), ("team", house.north)):
        target = await house.made("targets", target_body(level, ref, eur("900.00"), period="2024-Q1"))
        assert (await house.attained(target))["adjusted"] is None
    csat = await house.made("targets", target_body("member", house.ada, "0.9", period="2024-Q1", metric="csat"))
    assert (await house.attained(csat))["adjusted"] is None


async def test_what_cannot_be_an_absence_is_refused_with_the_days(house: House) -> None:
    path = f"members/{house.ben}/absences"
    assert (await house.post(path, {"from": "2026-05-01", "to": "2026-05-10"})).status_code == 201
    for body, status, words in [
        ({"from": "2026-05-09", "to": "2026-05-12"}, 409, "from 2026-05-01 until 2026-05-10 already"),
        ({"from": "2026-06-02", "to": "2026-06-01"}, 422, "begins on 2026-06-02 cannot end on 2026-06-01"),
        ({"from": "2024-12-31", "to": "2025-01-02"}, 409, "starts on 2025-01-01"),
        ({"from": "2026-06-01", "share": "0"}, 422, "an absence of nothing"),
        ({"from": "2026-06-01", "share": "1.5"}, 422, "/share"),
        ({"from": "2026-06-01", "kind": "Very Ill"}, 422, "/kind"),
        ({"to": "2026-06-01"}, 422, "/from"),
    ]:
        problem = await house.refused(path, body, status)
        assert words in str(problem), problem
    assert len((await house.get(path))["items"]) == 1
    assert (await house.refused("members", {"name": "X", "department": "sales", "starts_on": "2026-01-01",
                                            "ramp": ["1.2"]}, 422))["errors"][0]["pointer"] == "/ramp/0"  # fmt: skip
    assert (await house.post("members/mbr_nobody/absences", {"from": "2026-06-01"})).status_code == 404


async def test_trap_14_why_and_when_others_are_away_is_shown_to_nobody_whom_a_list_hides_it_from(
    each_house: House,
) -> None:
    house, admin = each_house, each_house.world.admin
    noted = await house.post(
        f"members/{house.ada}/absences", {"from": "2026-05-01", "to": "2026-06-01", "kind": "sick"}
    )
    await house.world.settled("/v1/views/sales", noted, period="2026")
    patched = await admin.patch(f"/v1/teams/{house.north}", json={"leader": house.ben}, headers={"If-Match": "*"})
    assert patched.status_code == 200, patched.text
    path = f"/v1/members/{house.ada}/absences"

    async def asks(member: str | None, scopes: frozenset[str], where: str = path) -> httpx.Response:
        return await admin.get(where, headers=token_headers(each_house.world.settings, *scopes, member=member))

    own = await asks(house.ada, member_scopes("sales"))
    leader = await asks(house.ben, member_scopes("sales", leader=True))
    office = await asks(None, tool_scopes("hr"))
    assert [answer.json()["items"][0]["kind"] for answer in (own, leader, office)] == ["sick", None, "sick"]
    colleague = await newcomer(house)
    for answer in (
        await asks(house.ben, member_scopes("sales")),
        await asks(colleague.json()["id"], member_scopes("it", leader=True)),
        await asks(None, tool_scopes("sales")),
    ):
        assert answer.status_code == 403
        assert "2026-05" not in answer.text
    for where in (f"/v1/members/{house.ada}", f"/v1/members/{house.ada}/history", "/v1/events?limit=200"):
        answer = await asks(house.ben, member_scopes("sales"), where)
        assert answer.status_code == 200, where
        assert "2026-05-01" not in answer.text
        assert "sick" not in answer.text
    told = await admin.get("/v1/events?limit=200&types=concert.teams.absence-noted.v1")
    assert "2026-05-01" in told.text
    assert "sick" not in told.text


async def test_erasing_somebody_forgets_why_they_were_away_and_changes_no_figure(each_house: House) -> None:
    house = each_house
    target = await house.made("targets", target_body("member", house.ada, eur("900.00")))
    noted = await house.post(f"members/{house.ada}/absences", {"from": "2026-03-02", "kind": "sick"},
                             Idempotency_Key="away")  # fmt: skip
    await house.world.settled("/v1/deals", noted)
    before = await house.attained(target)
    erased = await house.world.admin.delete(f"/v1/members/{house.ada}/personal-data")
    await house.world.settled("/v1/deals", erased)
    (absence,) = (await house.get(f"members/{house.ada}/absences"))["items"]
    assert (absence["from"], absence["kind"]) == ("2026-03-02", None)
    again = await house.post(f"members/{house.ada}/absences", {"from": "2026-03-02", "kind": "sick"},
                             Idempotency_Key="away")  # fmt: skip
    assert "sick" not in again.text
    assert await house.attained(target) == before
    await house.refused(f"members/{house.ada}/absences/{absence['id']}/cancel", {"why": "x"}, 422)
