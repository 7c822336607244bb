"""Mistakes that other products made with targets, each kept out on both engines, of targets or views or both.

Here: 1 shared credit, 2 no sales, 3 targets of the whole, 4 and 19 shared deals and territories counted once, 6 no cap,
7 people who move, 9 weeks of seven days, 14 what is private in a list, 16 unknown names, 18 windows and calendar.
Elsewhere, by the same name `test_trap_<number>_...`: 5 currencies (`metrics/test_currencies.py`), 8 less is better and
11 missing parts (`test_aims_over_http.py`), 10 goals left open and progress nobody looks at (`test_goal_rules.py`,
`test_progress.py`), 12 lost deals (`metrics/test_pipeline_figures.py`, `backtest/test_forecast.py`), 13 sums that are
not 1 (`test_aims_over_http.py`, `test_distributions.py`), 15 grievances (`teams/test_setbacks.py`), 17 closing days
(`metrics/test_pipeline_figures.py`). A test reads these names.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from shared.identity.scopes import tool_scopes
from tests.targets.bodies import eur, target_body
from tests.targets.conftest import House
from tests.world import token_headers

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


async def test_trap_3_a_target_of_the_whole_counts_what_its_parts_and_what_no_part_has(lone_house: House) -> None:
    whole = await aimed(lone_house, "organisation", None)
    department = await aimed(lone_house, "department", "sales")
    last = await shared_deal(lone_house)
    for target in (whole, department):
        assert (await lone_house.attained(target))["actual"] == eur("100.00")
    assert (await seen(lone_house, last))["figures"]["revenue"] == eur("100.00")


async def test_traps_4_and_19_a_deal_shared_in_a_team_and_its_territory_counts_once_for_it(lone_house: House) -> None:
    target = await aimed(lone_house, "team", lone_house.north)
    last = await shared_deal(lone_house)
    assert (await lone_house.attained(target))["actual"] == eur("100.00")
    figures = (await seen(lone_house, last, team=lone_house.north))["figures"]
    assert (figures["revenue"], figures["deals_won"]) == (eur("100.00"), 1)
    by_member = await seen(lone_house, last, team=lone_house.north, breakdown="member")
    parts = {row["ref"]: row["figures"]["revenue"] for row in by_member["breakdown"]["rows"]}
    assert parts == {lone_house.ada: eur("60.00"), lone_house.ben: eur("40.00")}


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


async def test_trap_16_what_names_no_product_or_customer_that_is_known_stays_in_the_sums(lone_house: House) -> None:
    await shared_deal(lone_house)
    bare = await lone_house.deal()
    last = await lone_house.post(f"deals/{bare['id']}/win", {"on": "2026-02-02", "value": eur("11.00")})
    whole = (await seen(lone_house, last))["figures"]["revenue"]
    assert whole == eur("111.00")
    for dim, known in (("product", lone_house.gadget), ("customer", lone_house.cancity)):
        rows = (await seen(lone_house, last, breakdown=dim))["breakdown"]["rows"]
        assert {row["ref"]: row["figures"]["revenue"] for row in rows} == {known: eur("100.00"), None: eur("11.00")}


async def test_trap_9_a_week_counts_seven_days_of_sales_in_targets_and_views(each_house: House) -> None:
    house = each_house
    target = await house.made("targets", target_body("organisation", None, eur("70.00"), "2026-W10"))
    # The week is from Monday the 2nd to Sunday the 8th of March.
    for on, value in (("2026-03-01", "1.00"), ("2026-03-02", "20.00"), ("2026-03-08", "30.00"), ("2026-03-09", "4.00")):
        deal = await house.deal()
        last = await house.post(f"deals/{deal['id']}/win", {"on": on, "value": eur(value)})
    view = await house.world.settled("/v1/views/sales", last, period="2026-W10")
    found = await house.attained(target)
    assert view["figures"]["revenue"] == found["actual"] == eur("50.00")
    assert view["figures"]["attainment"] == found["attainment"]
    first_day = await house.attained(target, "2026-03-02")
    assert first_day["pace"]["denominator"] == eur("10.00")
    weeks = await house.world.settled("/v1/views/sales", last, **{"from": "2026-03-01", "to": "2026-03-10"},
                                      breakdown="week")  # fmt: skip
    assert [row["figures"]["revenue"]["amount"] for row in weeks["breakdown"]["rows"]] == ["1.00", "50.00", "4.00"]


async def test_trap_14_whoever_may_not_read_targets_finds_them_in_no_ranking_chart_or_event(each_house: House) -> None:
    house = each_house
    seller = {"name": "Eva", "department": "sales", "starts_on": "2025-01-01", "email": "eva@example.com"}
    hired = await house.post("members", seller)
    await house.world.settled("/v1/deals", hired)
    target = await aimed(house, "member", hired.json()["id"], "123456.78")
    await seen(house, await shared_deal(house))
    other, hr = [token_headers(house.world.settings, *tool_scopes(name)) for name in ("legal", "hr")]
    paths = ["targets", f"targets/{target['id']}", f"targets/{target['id']}/attainment", "progress", "goals",
             f"targets/{target['id']}/history", "views/sales?period=2026-Q1&breakdown=member",
             "views/sales/rows?period=2026-Q1&figure=target", "views?period=2026-Q1", "events?limit=200",
             "forecasts?period=2026"]  # fmt: skip
    for path in paths:
        answer = await house.world.admin.get(f"/v1/{path}", headers=other)
        for private in ("123456.78", "eva@example.com"):
            assert private not in answer.text, path
    rows = await house.world.admin.get("/v1/views/hr/rows?period=2026-Q1&figure=targets_with_goal", headers=hr)
    assert target["id"] in rows.text
    assert "123456.78" not in rows.text
    everything = [(await house.world.admin.get(f"/v1/{path}")).text for path in ("targets", "members")]
    assert "123456.78" in everything[0]
    assert "eva@example.com" in everything[1]


async def test_trap_18_a_quota_window_and_the_calendar_are_two_figures(lone_house: House) -> None:
    house = lone_house
    window = {"from": "2025-12-01", "to": "2026-03-01"}
    await house.made("targets", target_body("member", house.ada, eur("90.00")) | {"period": window})
    for on, opened, value in (("2025-12-15", "2025-12-01", "50.00"), ("2026-02-01", "2026-01-05", "40.00")):
        deal = await house.deal(opened_on=opened)
        last = await house.post(f"deals/{deal['id']}/win", {"on": on, "value": eur(value)})
    figures = (await seen(house, last))["figures"]
    assert figures["quota_window_attainment"]["rate"] == "1.000000"
    # Of 90 days 59 lie in the quarter: 59.00 are due on them.
    calendar = figures["quota_calendar_attainment"]
    assert (calendar["numerator"], calendar["denominator"]) == (eur("40.00"), eur("59.00"))


def test_each_of_the_nineteen_traps_has_a_test_of_its_name() -> None:
    named = set()
    for file in (Path(__file__).parent.parent).rglob("test_*.py"):
        for numbers in re.findall(r"def test_traps?_((?:\d+_)(?:and_\d+_)?)", file.read_text()):
            named |= {int(number) for number in re.findall(r"\d+", numbers)}
    assert named == set(range(1, 20))
