"""A target for each of many members: the same, or a whole dealt out by weights, by the last actual or by ramp."""

from __future__ import annotations

from typing import Any

from tests.targets.bodies import eur, target_body
from tests.targets.conftest import House

Shown = dict[str, Any]


def template(value: Any = None, **fields: Any) -> Shown:
    return {"metric": "revenue", "period": "2026-Q2", "value": value or eur("100.00"), **fields}


async def assigned(house: House, **fields: Any) -> Shown:
    asked = {"template": template(), "to": {"members": [house.ada, house.ben]}, **fields}
    return await house.made("targets/assign", asked)


def values(answer: Shown) -> dict[str, Any]:
    return {row["member"]: row["value"] for row in answer["rows"]}


async def test_a_whole_is_dealt_out_by_weights_to_the_cent_with_a_dry_run_first(each_house: House) -> None:
    house = each_house
    weights = [{"member": house.ada, "weight": "0.333"}, {"member": house.ben, "weight": "0.667"}]
    wanted = {"by": "weights", "weights": weights, "template": template(eur("100.01"), stretch=eur("110.01"))}
    dry = await assigned(house, **wanted, dry_run=True)
    assert (await house.get("targets"))["items"] == []
    done = await assigned(house, **wanted)
    for answer, status in ((dry, "would be made"), (done, "made")):
        assert values(answer) == {house.ada: eur("33.30"), house.ben: eur("66.71")}
        assert {row["status"] for row in answer["rows"]} == {status}
        assert (answer["made"], answer["total"], answer["gap"]) == (2, eur("100.01"), eur("0.00"))
    stored = (await house.get("targets"))["items"]
    assert {each["scope"]["ref"]: each["stretch"] for each in stored} == {
        house.ada: eur("36.63"), house.ben: eur("73.38")
    }  # fmt: skip


async def test_what_is_skipped_is_not_dealt_to_the_others_and_the_sum_shows_it(each_house: House) -> None:
    house = each_house
    await house.made("targets", target_body("member", house.ada, eur("1.00"), "2026-Q2"))
    weights = [{"member": house.ada, "weight": "0.4"}, {"member": house.ben, "weight": "0.6"}]
    answer = await assigned(house, by="weights", weights=weights)
    assert (answer["made"], answer["skipped"], answer["total"]) == (1, 1, eur("60.00"))


async def test_a_whole_is_dealt_out_by_what_each_achieved_before(each_house: House) -> None:
    house = each_house
    await house.won("300.00", on="2026-02-01", owner=house.ada)
    await house.won("100.00", on="2026-03-31", owner=house.ben)
    await house.won("999.00", on="2026-04-01", owner=house.ben)
    await house.won("500.00", on="2025-11-01", owner=house.ben, opened_on="2025-10-01")
    answer = await assigned(house, by="last_actual", dry_run=True)
    assert values(answer) == {house.ada: eur("75.00"), house.ben: eur("25.00")}
    alone = await assigned(house, by="last_actual", base="2025-Q4")
    assert values(alone) == {house.ada: None, house.ben: eur("100.00")}
    assert [row["status"] for row in alone["rows"]] == ["refused", "made"]
    assert "nothing was achieved in 2025-Q4" in alone["rows"][0]["detail"]
    numbers = await assigned(house, template=template("10", metric="deals_won"), by="last_actual")
    assert values(numbers) == {house.ada: "5", house.ben: "5"}


async def test_by_ramp_each_gets_the_same_and_what_may_be_expected_of_all_sums_to_the_whole(each_house: House) -> None:
    house = each_house
    ramp = {"department": "sales", "starts_on": "2026-04-01", "ramp": ["0.5", "0.5", "0.5"]}
    hired = await house.post("members", {"name": "Cleo", **ramp})
    await house.world.settled("/v1/deals", hired)
    cleo = hired.json()["id"]
    to = {"members": [house.ada, house.ben, cleo]}
    answer = await assigned(house, to=to, by="ramp", template=template(eur("500.00")))
    assert values(answer) == dict.fromkeys([house.ada, house.ben, cleo], eur("200.00"))
    assert {row["member"]: row["expected"] for row in answer["rows"]} == {
        house.ada: eur("200.00"), house.ben: eur("200.00"), cleo: eur("100.00")
    }  # fmt: skip
    assert (answer["total"], answer["expected"]) == (eur("600.00"), eur("500.00"))
    # What was expected when it was assigned is what attainment adjusts it to: the ramp is not applied twice.
    own = {"id": answer["rows"][2]["target"]}
    assert (await house.attained(own))["adjusted"]["target"] == eur("100.00")


async def test_what_cannot_be_dealt_out_is_refused_with_the_numbers(house: House) -> None:
    half = [{"member": house.ada, "weight": "0.5"}]
    both = [*half, {"member": house.ben, "weight": "0.4"}]
    amounts = [{"on": "2026-04-01", "value": eur("100.00")}]
    refusals: list[tuple[Shown, str]] = [
        ({"by": "weights", "weights": both}, "sum to 0.9; they must sum to 1"),
        ({"by": "weights", "weights": half}, "1 of them have no weight"),
        ({"by": "weights", "weights": half + half}, "is named twice"),
        ({"by": "weights"}, "/weights"),
        ({"weights": both}, "/weights"),
        ({"base": "2026-Q1"}, "/base"),
        ({"by": "last_actual", "base": "2019"}, "nothing to share 100.00 EUR by"),
        ({"by": "ramp", "template": template(period="2019-Q1")}, "expected of any of them in 2019-Q1"),
        ({"by": "ramp", "template": template(distribution=amounts)}, "so its rows are shares"),
        ({"by": "weights", "weights": both, "template": template("0.9", metric="csat")}, "csat does not add up"),
        ({"by": "luck"}, "/by"),
    ]
    for fields, words in refusals:
        asked = {"template": template(), "to": {"members": [house.ada, house.ben]}, **fields}
        problem = await house.refused("targets/assign", asked, 422)
        assert words in str(problem), problem
    assert (await house.get("targets"))["items"] == []


async def test_shares_of_a_template_hold_for_whatever_each_gets(house: House) -> None:
    rows = [{"on": "2027-01-01", "share": "0.75"}, {"on": "2027-03-01", "share": "0.25"}]
    weights = [{"member": house.ada, "weight": "0.9"}, {"member": house.ben, "weight": "0.1"}]
    await assigned(house, by="weights", weights=weights, template=template(period="2027-Q1", distribution=rows))
    found = (await house.get("targets", ref=house.ben))["items"]
    assert [row["value"] for row in found[0]["distribution"]] == [eur("7.50"), eur("2.50")]
