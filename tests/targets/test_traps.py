"""Mistakes that other products made with targets, each kept out on both engines, of targets or views or both."""

from __future__ import annotations

from typing import Any

from tests.targets.bodies import eur, target_body
from tests.targets.conftest import House

Shown = dict[str, Any]
SPLIT = [("0.6", "ada"), ("0.4", "ben")]


async def shared_deal(house: House, value: str = "100.00") -> Any:
    """A deal of Ada's that she shares with Ben; answers what winning it answered."""
    deal = await house.deal(customer=house.cancity, product=house.gadget)
    credits = [{"member": getattr(house, who), "share": share} for share, who in SPLIT]
    won = await house.post(f"deals/{deal['id']}/win", {"on": "2026-02-01", "value": eur(value), "credits": credits})
    assert won.status_code == 200, won.text
    return won


async def aimed(house: House, level: str, ref: str | None, value: str = "100.00") -> Shown:
    return await house.made("targets", target_body(level, ref, eur(value)))


async def seen(house: House, after: Any, **query: str) -> Shown:
    """The sales view of the quarter."""
    found: Shown = await house.world.settled("/v1/views/sales", after, period="2026-Q1", **query)
    return found


async def test_trap_1_whoever_shares_a_deal_has_the_own_part_of_it_and_not_the_whole(each_house: House) -> None:
    targets = {who: await aimed(each_house, "member", getattr(each_house, who)) for _, who in SPLIT}
    last = await shared_deal(each_house)
    for who, part in (("ada", "60.00"), ("ben", "40.00")):
        assert (await each_house.attained(targets[who]))["actual"] == eur(part)
        assert (await seen(each_house, last, member=getattr(each_house, who)))["figures"]["revenue"] == eur(part)


async def test_trap_2_no_sales_leave_the_whole_target_missing(each_house: House) -> None:
    target = await aimed(each_house, "member", each_house.ada)
    found = await each_house.attained(target)
    assert (found["actual"], found["variance"]) == (eur("0.00"), eur("-100.00"))
    assert found["attainment"]["rate"] == "0.000000"


async def test_trap_3_a_target_of_the_whole_counts_what_its_parts_and_what_no_part_has(each_house: House) -> None:
    whole = await aimed(each_house, "organisation", None)
    department = await aimed(each_house, "department", "sales")
    last = await shared_deal(each_house)
    for target in (whole, department):
        assert (await each_house.attained(target))["actual"] == eur("100.00")
    assert (await seen(each_house, last))["figures"]["revenue"] == eur("100.00")


async def test_traps_4_and_19_a_deal_shared_in_a_team_and_its_territory_counts_once_for_it(each_house: House) -> None:
    target = await aimed(each_house, "team", each_house.north)
    last = await shared_deal(each_house)
    assert (await each_house.attained(target))["actual"] == eur("100.00")
    figures = (await seen(each_house, last, team=each_house.north))["figures"]
    assert (figures["revenue"], figures["deals_won"]) == (eur("100.00"), 1)
    by_member = await seen(each_house, last, team=each_house.north, breakdown="member")
    parts = {row["ref"]: row["figures"]["revenue"] for row in by_member["breakdown"]["rows"]}
    assert parts == {each_house.ada: eur("60.00"), each_house.ben: eur("40.00")}


async def test_trap_6_who_achieves_more_than_the_target_is_not_cut_down_to_it(each_house: House) -> None:
    targets = {who: await aimed(each_house, "member", getattr(each_house, who), "10.00") for _, who in SPLIT}
    last = await shared_deal(each_house)
    for who, rate in (("ada", "6.000000"), ("ben", "4.000000")):
        assert (await each_house.attained(targets[who]))["attainment"]["rate"] == rate
        figures = (await seen(each_house, last, member=getattr(each_house, who)))["figures"]
        assert figures["attainment"]["rate"] == rate


async def test_trap_7_what_a_team_won_stays_with_it_when_people_move(each_house: House) -> None:
    target = await aimed(each_house, "team", each_house.north)
    before = await seen(each_house, await shared_deal(each_house), team=each_house.north)
    south = await each_house.made("teams", {"name": "South"})
    move = {"from_team": each_house.north, "to_team": south["id"], "on": "2026-01-15"}
    moved = await each_house.post(f"members/{each_house.ada}/move", move)
    assert moved.status_code == 200, moved.text
    await each_house.world.settled("/v1/deals", moved)
    assert (await each_house.attained(target))["actual"] == eur("100.00")
    after = await seen(each_house, moved, team=each_house.north)
    for key in ("revenue", "deals_won"):
        assert after["figures"][key] == before["figures"][key]


async def test_trap_16_what_names_no_product_or_customer_that_is_known_stays_in_the_sums(each_house: House) -> None:
    await shared_deal(each_house)
    bare = await each_house.deal()
    last = await each_house.post(f"deals/{bare['id']}/win", {"on": "2026-02-02", "value": eur("11.00")})
    whole = (await seen(each_house, last))["figures"]["revenue"]
    assert whole == eur("111.00")
    for dim, known in (("product", each_house.gadget), ("customer", each_house.cancity)):
        rows = (await seen(each_house, last, breakdown=dim))["breakdown"]["rows"]
        assert {row["ref"]: row["figures"]["revenue"] for row in rows} == {known: eur("100.00"), None: eur("11.00")}
