"""Money of several currencies is summed only at dated rates, and what has none stands apart."""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import World


def money(amount: str, currency: str = "USD") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


async def sold(world: World) -> dict[str, Any]:
    """A deal in euros and two in dollars, in two months; one in yen in the second."""
    team = await world.made("/v1/teams", {"name": "North"})
    hired = await world.post("/v1/members", {"name": "Ada Berg", "department": "sales", "starts_on": "2026-01-01"})
    member = hired.json()["id"]
    group = (await world.made("/v1/groups", {"name": "Inner", "team": team["id"]}))["id"]
    place = {"team": team["id"], "group": group, "from": "2026-01-01"}
    joined = await world.post(f"/v1/members/{member}/join", place)
    await world.settled("/v1/deals", joined)
    customer = (await world.made("/v1/customers", {"name": "Cancity"}))["id"]
    last: Any = None
    for on, value in (("2026-01-10", money("100.00", "EUR")), ("2026-01-20", money("50.00", "USD")),
                      ("2026-02-10", money("10.01", "USD")), ("2026-02-11", money("1000", "JPY"))):  # fmt: skip
        deal = await world.made("/v1/deals", {"owner": member, "customer": customer, "opened_on": "2026-01-02"})
        last = await world.post(f"/v1/deals/{deal['id']}/win", {"on": on, "value": value})
        assert last.status_code == 200, last.text
    return {"last": last, "team": team["id"], "member": member, "customer": customer, "group": group}


async def rate(world: World, base: str, quote: str, on: str, rate: str) -> Any:
    answer = await world.post("/v1/rates", {"from": base, "to": quote, "on": on, "rate": rate})
    assert answer.status_code == 201, answer.text
    return answer


async def test_trap_5_sums_across_currencies_are_made_at_the_rate_of_each_day_or_not_at_all(world: World) -> None:
    company = await sold(world)
    mixed = await world.settled("/v1/views/sales", company["last"], period="2026-Q1")
    assert mixed["figures"]["revenue"]["mixed"] is True
    await rate(world, "USD", "EUR", "2026-01-15", "0.9")
    last = await rate(world, "EUR", "USD", "2026-02-01", "1.25")
    apart = await world.settled("/v1/views/sales", last, period="2026-Q1", currency="EUR")
    # 50.00 at 0.9, and 10.01 at 1 ÷ 1.25: 45.00 + 8.008, rounded once.
    assert apart["figures"]["revenue"] == {
        "mixed": True, "amounts": [money("153.01", "EUR"), money("1000", "JPY")],
    }  # fmt: skip
    assert {
        "figure": "currency",
        "why": "no rate into EUR is known for JPY (first on 2026-02-11); it stands apart",
    } in (apart["notes"])
    last = await rate(world, "USD", "JPY", "2026-01-01", "150")
    both = {"team": company["team"], "customer": company["customer"]}
    for query in ({}, *({dim: company[dim]} for dim in ("team", "member", "group", "customer")), both):
        whole = await world.settled("/v1/views/sales", last, period="2026-Q1", currency="EUR", **query)
        # 1000 yen are 6.666… dollars, and those at 0.8: 5.333…; the sum is rounded once.
        assert whole["figures"]["revenue"] == money("158.34", "EUR"), query
        assert whole["currency"] == "EUR"
    yen = await world.settled("/v1/views/sales", last, period="2026-02", currency="JPY")
    assert yen["figures"]["revenue"] == money("2502", "JPY")
    months = await world.settled("/v1/views/sales", last, period="2026-Q1", currency="EUR", breakdown="month")
    assert [row["figures"]["revenue"] for row in months["breakdown"]["rows"]] == [
        money("145.00", "EUR"), money("13.34", "EUR"), money("0.00", "EUR"),
    ]  # fmt: skip


async def test_what_budgets_plan_is_converted_row_by_row_at_the_rate_of_the_day_it_begins(world: World) -> None:
    rows = [{"on": "2026-01-01", "amount": money("100.00")}, {"on": "2026-02-01", "amount": money("200.00")}]
    budget = {"department": "sales", "period": {"from": "2026-01-01", "to": "2026-03-01"}, "rows": rows}
    answer = await world.post("/v1/budgets", budget | {"amount": money("300.00")})
    assert answer.status_code == 201, answer.text
    euros = {"department": "hr", "period": "2026-01", "amount": money("10.00", "EUR")}
    last = await world.post("/v1/budgets", euros)
    asked = {"period": "2026-Q1", "currency": "EUR"}
    mixed = (await world.settled("/v1/views/accounting", last, **asked))["figures"]["planned"]
    assert mixed == {"mixed": True, "amounts": [money("10.00", "EUR"), money("300.00")]}
    await rate(world, "USD", "EUR", "2026-01-01", "0.5")
    spent = {"department": "sales", "kind": "travel", "amount": money("40.00"), "on": "2026-01-20"}
    assert (await world.post("/v1/expenses", spent)).status_code == 201
    last = await rate(world, "USD", "EUR", "2026-02-01", "0.9")
    figures = (await world.settled("/v1/views/accounting", last, **asked))["figures"]
    # 100.00 at 0.5, 200.00 at 0.9, and 10.00 that are euros already.
    assert (figures["planned"], figures["left"]) == (money("240.00", "EUR"), money("220.00", "EUR"))
    assert figures["unallocated"] == money("-240.00", "EUR")
    half = {"from": "2026-01-01", "to": "2026-02-15", "currency": "EUR"}
    found = (await world.settled("/v1/views/accounting", last, **half))["figures"]["planned"]
    assert found == money("150.00", "EUR")
    parts = await world.settled("/v1/views/accounting", last, **asked, breakdown="department")
    by = {row["ref"]: row["figures"]["planned"]["amount"] for row in parts["breakdown"]["rows"]}
    assert (by["sales"], by["hr"]) == ("230.00", "10.00")


async def test_a_target_counts_other_currencies_at_the_rate_of_their_day_and_at_that_of_its_plan(world: World) -> None:
    company = await sold(world)
    await rate(world, "USD", "EUR", "2026-01-01", "0.9")
    await rate(world, "USD", "EUR", "2026-02-01", "0.8")
    scope = {"level": "team", "ref": company["team"]}
    target = await world.made("/v1/targets", {"metric": "revenue", "scope": scope, "period": "2026-Q1",
                                              "value": money("200.00", "EUR")})  # fmt: skip
    path = f"/v1/targets/{target['id']}"
    shown = (await world.admin.get(f"{path}/attainment", params={"as_of": "2026-02-10"})).json()
    assert shown["actual"] == money("153.01", "EUR")
    assert shown["at_plan_rate"] is None
    approved = await world.agreed(f"{path}/approve", {"on": "2026-01-01"})
    assert approved.json()["plan_rates"] == {"USD": "0.9"}
    shown = (await world.admin.get(f"{path}/attainment", params={"as_of": "2026-02-10"})).json()
    assert shown["at_plan_rate"]["actual"] == money("154.01", "EUR")
    view = await world.settled("/v1/views/sales", approved, period="2026-Q1", team=scope["ref"])
    whole = (await world.admin.get(f"{path}/attainment", params={"as_of": "2026-03-31"})).json()
    assert view["figures"]["variance"] == whole["variance"]
    assert any("1000 JPY is not counted" in note for note in whole["notes"])


async def test_a_target_is_shown_in_another_currency_row_by_row_the_same_by_both_routes(world: World) -> None:
    company = await sold(world)
    for base, quote, on, number in (("USD", "EUR", "2026-01-01", "0.9"), ("USD", "EUR", "2026-02-01", "0.8"),
                                    ("USD", "JPY", "2026-01-01", "150")):  # fmt: skip
        await rate(world, base, quote, on, number)
    scope = {"level": "team", "ref": company["team"]}
    rows = [{"on": on, "value": money("100.00")} for on in ("2026-01-01", "2026-02-01")]
    body = {"metric": "revenue", "scope": scope, "period": "2026-Q1", "value": money("200.00"), "distribution": rows}
    made = await world.post("/v1/targets", body | {"stretch": money("300.00")})
    path, asked = f"/v1/targets/{made.json()['id']}", {"as_of": "2026-03-31", "currency": "EUR"}
    own = (await world.admin.get(f"{path}/attainment", params={"as_of": "2026-03-31"})).json()
    assert own["target"] == money("200.00")
    shown = (await world.admin.get(f"{path}/attainment", params=asked)).json()
    # 100.00 at 0.9 and 100.00 at 0.8; won are 100.00 EUR, 50.00 at 0.9, 10.01 at 0.8 and 1000 yen at 0.8 ÷ 150.
    assert (shown["target"], shown["actual"]) == (money("170.00", "EUR"), money("158.34", "EUR"))
    assert shown["stretch"]["value"] == money("270.00", "EUR")
    january = (await world.admin.get(f"{path}/attainment", params=asked | {"as_of": "2026-01-31"})).json()
    assert january["pace"]["denominator"] == money("90.00", "EUR")
    view = await world.settled("/v1/views/sales", made, period="2026-Q1", team=scope["ref"], currency="EUR")
    for figure in ("target", "attainment", "variance", "pace"):
        expected = {key: shown[figure][key] for key in view["figures"][figure]}
        assert view["figures"][figure] == expected, figure
    assert (await world.settled("/v1/views/sales", made, period="2026-Q1", team=scope["ref"]))["figures"][
        "target"
    ] == money("200.00")
    approved = await world.agreed(f"{path}/approve", {"on": "2026-01-01"})
    assert approved.status_code == 200, approved.text
    planned = (await world.admin.get(f"{path}/attainment", params=asked)).json()["at_plan_rate"]
    # By the plan a dollar is 0.9 euros all along: 100.00 + 45.00 + 9.009 + 6.00.
    assert (planned["target"], planned["actual"]) == (money("180.00", "EUR"), money("160.01", "EUR"))


async def test_a_rate_missing_for_a_day_is_refused_with_the_day_and_the_pair(world: World) -> None:
    company = await sold(world)
    target = {"metric": "revenue", "scope": {"level": "team", "ref": company["team"]}, "value": money("200.00")}
    set_now = await world.post("/v1/targets", target | {"period": "2026-Q1"})
    made = set_now.json()
    future = await world.made("/v1/targets", target | {"period": "2027-Q1"})
    count = await world.made("/v1/targets", target | {"metric": "deals_won", "value": "2", "period": "2026-Q1"})
    await rate(world, "USD", "EUR", "2026-02-01", "0.8")
    for each, currency, words in (
        (made, "EUR", "No rate from USD to EUR is known for 2026-01-20, nor for any day before it"),
        (made, "GBP", "No rate from EUR to GBP is known for 2026-01-10"),
        (future, "GBP", "No rate from USD to GBP is known for 2027-01-01"),
        (count, "EUR", "deals_won is measured in a number"),
        (made, "XYZ", "XYZ"),
    ):
        asked = {"as_of": "2026-02-10", "currency": currency}
        refused = await world.admin.get(f"/v1/targets/{each['id']}/attainment", params=asked)
        assert refused.status_code == 422, refused.text
        assert words in refused.json()["detail"]
    whole = await world.settled("/v1/views/sales", set_now, period="2026-Q1", currency="EUR")
    whys = [note["why"] for note in whole["notes"] if note["figure"] == "currency"]
    assert any("USD (first on 2026-01-01)" in why for why in whys), whys


async def test_a_target_in_a_currency_that_no_rate_leads_to_is_not_approved(world: World) -> None:
    target = await world.made("/v1/targets", {"metric": "revenue", "scope": {"level": "organisation"},
                                              "period": "2026", "value": money("200.00", "USD")})  # fmt: skip
    refused = await world.agreed(f"/v1/targets/{target['id']}/approve", {"on": "2026-01-05"})
    assert (refused.status_code, refused.json()["rule"]) == (422, "missing-rate")
    assert "EUR to USD is known for 2026-01-05" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"from": "USD", "to": "USD", "rate": "1"}, 422, "/to"),
        ({"from": "USD", "to": "XXX", "rate": "1"}, 422, "/to"),
        ({"from": "USD", "to": "EUR", "rate": 0.9}, 422, "/rate"),
        ({"from": "USD", "to": "EUR", "rate": "0"}, 422, "/rate"),
    ],
)
async def test_a_rate_that_is_none_is_refused(world: World, body: dict[str, Any], status: int, pointer: str) -> None:
    answer = await world.post("/v1/rates", body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (status, pointer), answer.text


async def test_a_day_has_one_rate_of_a_pair(world: World) -> None:
    await rate(world, "USD", "EUR", "2026-01-01", "0.9")
    again = await world.post("/v1/rates", {"from": "USD", "to": "EUR", "on": "2026-01-01", "rate": "0.91"})
    assert (again.status_code, again.json()["rule"]) == (409, "rate-exists")
    assert "is 0.9 already" in again.json()["detail"]


async def test_csat_counts_who_was_content_of_those_who_answered(world: World) -> None:
    company = await sold(world)
    last: Any = None
    for score, on in ((5, "2026-01-05"), (4, "2026-01-06"), (3, "2026-01-07"), (1, "2026-02-01")):
        body = {"customer": company["customer"], "member": company["member"], "score": score, "on": on}
        last = await world.post("/v1/feedback", body | {"comment": "Said to Ada Berg"})
        assert last.status_code == 201, last.text
    for query in ({}, {"team": company["team"]}, {"member": company["member"]}, {"group": company["group"]}):
        view = await world.settled("/v1/views/sales", last, period="2026-01", **query)
        assert view["figures"]["csat"] == {"rate": "0.666667", "numerator": 2, "denominator": 3}, query
    rows = await world.settled("/v1/views/sales/rows", last, period="2026-01", figure="csat")
    assert sorted(row["score"] for row in rows["items"]) == [3, 4, 5]
    withdrawn = await world.post(f"/v1/feedback/{last.json()['id']}/withdraw", {})
    view = await world.settled("/v1/views/sales", withdrawn, period="2026-02")
    assert view["figures"]["csat"] is None
    told = await world.admin.get("/v1/events", params={"types": "concert.targets.customer-answered.v1"})
    assert "Ada Berg" not in told.text
