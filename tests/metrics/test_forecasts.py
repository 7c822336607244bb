"""One forecast by both routes, which ends with the revenue, looks at nothing later, and is never overwritten."""

from __future__ import annotations

import asyncio
import random
from datetime import date, timedelta
from typing import Any

import pytest

from shared.instant import now
from shared.period import Period
from tests.metrics.test_pipeline_figures import Shop
from tests.targets.bodies import eur
from tests.world import World, importing

TODAY = now().date()
PERIOD = {"from": str(TODAY - timedelta(days=40)), "to": str(TODAY + timedelta(days=50))}


@pytest.fixture
async def shop(world: World) -> Shop:
    """A shop on each kind of engines that has been selling for 120 days."""
    shop = Shop(world)
    await shop.settle_in()
    await sell(shop)
    return shop


async def sell(shop: Shop) -> None:
    """Deals of three sellers, with and without estimates and products, won, lost, open and shared."""
    chance, rows = random.Random(7), []
    for number in range(180):
        opened = TODAY - timedelta(days=chance.randrange(0, 130))
        owner, other = chance.sample(["ada", "ben", "cem"], 2)
        body: dict[str, Any] = {"external": {"source": "t", "id": str(number)}, "owner": shop.refs[owner],
                                "opened_on": str(opened)}  # fmt: skip
        body |= {"value": eur(f"{chance.randrange(50, 300)}.50")} if number % 3 else {}
        body |= {"customer": shop.refs["acme"]} if number % 2 else {}
        body |= {"product": shop.refs["gadget"]} if number % 4 else {}
        rows.append(body)
        closed = opened + timedelta(days=chance.randrange(0, 60))
        # Some of what is dated later is recorded already, and is not known before its day.
        if (closed > TODAY and number % 3) or number % 5 == 4:
            continue
        verb: dict[str, Any] = {"deal": f"ext:t:{number}", "on": str(closed)}
        if number % 5 == 3:
            rows.append(verb | {"do": "lose", "reason": "price"})
            continue
        shares = [{"member": shop.refs[owner], "share": "0.7"}, {"member": shop.refs[other], "share": "0.3"}]
        won = {"do": "win", "value": eur(f"{chance.randrange(40, 310)}.25")}
        rows.append(verb | won | ({"credits": shares} if number % 7 == 0 else {}))
        amended = closed + timedelta(days=25)
        if number % 6 == 0 and amended <= TODAY:
            more = {
                "do": "amend",
                "on": str(amended),
                "value": eur(f"{chance.randrange(40, 310)}.75"),
                "reason": "more",
            }
            rows.append(verb | more | ({"credits": [*shares[:1], {"member": shop.refs["cem"], "share": "0.3"}]}
                                       if shop.refs["cem"] != shares[0]["member"] else {}))  # fmt: skip
    answer = await shop.world.post("/v1/deals/bulk", rows, **importing(shop.world.settings))
    assert answer.status_code == 200, answer.text
    assert "problem" not in answer.text, answer.text
    shop.tokens.append(answer.headers["concert-version"])


async def computed(shop: Shop, **query: str) -> dict[str, Any]:
    """What targets computes."""
    answer = await shop.world.admin.get("/v1/forecasts", params=PERIOD | query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_targets_and_the_sales_view_say_the_same_forecast(shop: Shop) -> None:
    asked = [("organisation", ""), ("team", "north"), ("department", "sales"), ("member", "ada"), ("member", "ben"),
             ("group", "inner"), ("customer", "acme"), ("product", "gadget")]  # fmt: skip
    foreseen = 0
    for level, name in asked:
        ref = shop.refs.get(name, name)
        of_targets = await computed(shop, level=level, **({"ref": ref} if ref else {}))
        query = PERIOD | ({level: ref} if ref else {}) | {"after": shop.tokens}
        answer = await shop.world.admin.get("/v1/views/sales", params=query, headers={"Prefer": "wait=20"})
        figures = answer.json()["figures"]
        assert figures["forecast"] == of_targets["forecast"], (level, name)
        assert figures["forecast_range"] == of_targets["forecast_range"], (level, name)
        foreseen += figures["forecast"] is not None
    assert foreseen == len(asked)


async def test_a_row_of_a_breakdown_has_the_forecast_of_its_filter(shop: Shop) -> None:
    for by in ("team", "member", "customer", "product", "group"):
        query: dict[str, Any] = PERIOD | {"breakdown": by, "after": shop.tokens}
        view = (await shop.world.admin.get("/v1/views/sales", params=query, headers={"Prefer": "wait=20"})).json()
        for row in view["breakdown"]["rows"]:
            if row["ref"]:
                alone = await shop.world.admin.get("/v1/views/sales", params=PERIOD | {by: row["ref"]})
                for key in ("forecast", "forecast_range", "sales_cycle_median", "pipeline", "weighted_pipeline"):
                    assert row["figures"][key] == alone.json()["figures"][key], (by, key)


async def test_a_region_has_the_forecast_of_its_teams_by_both_routes(shop: Shop) -> None:
    query: dict[str, Any] = PERIOD | {"breakdown": "region", "after": shop.tokens}
    view = (await shop.world.admin.get("/v1/views/sales", params=query, headers={"Prefer": "wait=20"})).json()
    rows = {row["ref"]: row["figures"] for row in view["breakdown"]["rows"]}
    for region in ("EU", "US"):
        of_targets = await computed(shop, level="region", ref=region)
        assert of_targets["forecast"] is not None
        for key in ("forecast", "forecast_range"):
            assert rows[region][key] == of_targets[key], (region, key)
    said = {
        "period": PERIOD,
        "scope": {"level": "region", "ref": "EU"},
        "value": eur("777.00"),
        "note": "A fair in May",
    }
    await shop.made("forecasts", said)
    query["after"] = shop.tokens
    view = (await shop.world.admin.get("/v1/views/sales", params=query, headers={"Prefer": "wait=20"})).json()
    overridden = {row["ref"]: row["figures"]["forecast_override"] for row in view["breakdown"]["rows"]}
    assert (overridden["EU"], overridden["US"]) == (eur("777.00"), None)
    whole = await computed(shop)
    assert whole["won"]["amount"] > (await computed(shop, level="region", ref="EU"))["won"]["amount"]
    unknown = await shop.world.admin.get("/v1/forecasts", params=PERIOD | {"level": "region", "ref": "Moon"})
    assert unknown.status_code == 422
    assert "there is no team in a region 'Moon'; there are 'EU', 'US'" in unknown.json()["detail"]


async def test_a_forecast_of_a_past_day_knows_nothing_of_what_came_after(shop: Shop) -> None:
    as_of = str(TODAY - timedelta(days=20))
    before = await computed(shop, as_of=as_of)
    assert before["forecast"] is not None
    for days, value in ((19, "9000.00"), (5, "70000.00")):
        deal = await shop.deal("ada", "1.00", str(TODAY - timedelta(days=days)), product=shop.refs["gadget"])
        await shop.made(f"deals/{deal['id']}/win", {"on": str(TODAY - timedelta(days=days)), "value": eur(value)})
    assert await computed(shop, as_of=as_of) == before
    assert (await computed(shop))["forecast"] != before["forecast"]


async def test_a_period_that_is_over_brings_what_it_brought(shop: Shop) -> None:
    over = {"from": str(TODAY - timedelta(days=80)), "to": str(TODAY - timedelta(days=20))}
    found = (await shop.world.admin.get("/v1/forecasts", params=over)).json()
    query: dict[str, Any] = over | {"after": shop.tokens}
    view = (await shop.world.admin.get("/v1/views/sales", params=query, headers={"Prefer": "wait=20"})).json()
    assert found["forecast"] == view["figures"]["forecast"] == view["figures"]["revenue"]
    assert found["forecast_range"] == {"low": found["forecast"], "high": found["forecast"]}


async def test_an_override_stands_beside_the_computed_value_and_never_in_its_place(shop: Shop) -> None:
    plain = await computed(shop)
    body = {"period": PERIOD, "value": eur("12345.00"), "note": "Ada has the big tender"}
    said = await shop.made("forecasts", body)
    assert (said["forecast"], said["override"]["value"]) == (plain["forecast"], eur("12345.00"))
    await shop.made("forecasts", body | {"value": eur("11000.00"), "note": "Smaller than thought"})
    later = await computed(shop)
    assert [each["note"] for each in later["history"]] == ["Ada has the big tender", "Smaller than thought"]
    assert later["override"]["by"] == "tester"
    assert later["override"]["on"] == str(TODAY)
    query: dict[str, Any] = PERIOD | {"after": shop.tokens}
    view = (await shop.world.admin.get("/v1/views/sales", params=query, headers={"Prefer": "wait=20"})).json()
    assert view["figures"]["forecast_override"] == eur("11000.00")
    assert view["figures"]["forecast"] == plain["forecast"]
    taken_back = await shop.made("forecasts", body | {"value": None, "note": "As computed after all"})
    assert taken_back["override"] is None
    assert len(taken_back["history"]) == 3
    events = (await shop.world.admin.get("/v1/events", params={"types": "concert.targets.forecast-overridden.v1"})).text
    assert "11000.00" in events
    assert "tender" not in events


async def test_what_is_said_of_a_forecast_must_make_sense(shop: Shop) -> None:
    good = {"period": PERIOD, "value": eur("10.00"), "note": "because"}
    over = str(TODAY - timedelta(days=3))
    wrong: list[tuple[dict[str, Any], int, str]] = [
        ({key: good[key] for key in ("period", "value")}, 422, "/note"),
        (good | {"note": "  "}, 422, "/note"),
        ({key: good[key] for key in ("period", "note")}, 422, "/value"),
        (good | {"value": None}, 409, "/value"),
        (good | {"value": {"amount": "-1.00", "currency": "EUR"}}, 422, "/value"),
        (good | {"scope": {"level": "team"}}, 422, "/scope/ref"),
        (good | {"scope": {"level": "team", "ref": "team_none"}}, 422, "/scope/ref"),
        (good | {"scope": {"level": "customer", "ref": "cust_none"}}, 422, "/scope/ref"),
        (good | {"scope": {"level": "organisation", "ref": "x"}}, 422, "/scope/ref"),
        (good | {"scope": {"level": "planet", "ref": "x"}}, 422, "/scope/level"),
        (good | {"period": {"from": "2020-01-01", "to": str(TODAY)}}, 409, "/period"),
        (good | {"period": "2020-Q9"}, 422, "/period"),
    ]
    for body, status, pointer in wrong:
        answer = await shop.world.admin.post("/v1/forecasts", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (status, pointer), answer.text
    assert (await computed(shop))["history"] == []
    tomorrow = await shop.world.admin.get("/v1/forecasts", params=PERIOD | {"as_of": str(TODAY + timedelta(days=1))})
    assert tomorrow.status_code == 422
    assert str(TODAY) in tomorrow.json()["detail"]
    assert over < str(TODAY)


async def test_two_who_override_at_once_are_both_in_the_history(shop: Shop) -> None:
    bodies = [{"period": PERIOD, "value": eur(f"{number}.00"), "note": f"number {number}"} for number in (1, 2)]
    answers = await asyncio.gather(*(shop.world.admin.post("/v1/forecasts", json=body) for body in bodies))
    assert [answer.status_code for answer in answers] == [201, 201]
    history = (await computed(shop))["history"]
    assert {each["note"] for each in history} == {"number 1", "number 2"}


async def test_too_little_history_is_said_with_its_numbers(world: World) -> None:
    answer = await world.admin.get("/v1/forecasts", params=PERIOD)
    assert answer.json()["forecast"] is None
    assert answer.json()["notes"][0].startswith("0 deals were won in the 0 whole weeks of history")
    view = (await world.admin.get("/v1/views/sales", params=PERIOD)).json()
    assert view["figures"]["forecast"] is None
    assert {note["figure"]: note["why"] for note in view["notes"]}["forecast"] == answer.json()["notes"][0]


def test_the_tests_period_is_neither_over_nor_to_come() -> None:
    period = Period.between(date.fromisoformat(PERIOD["from"]), date.fromisoformat(PERIOD["to"]))
    assert period.contains(TODAY)
