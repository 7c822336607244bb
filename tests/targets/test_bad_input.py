"""What bad input gets: a problem that says what is wrong and where, with the numbers; and nothing is stored."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.targets.bodies import eur
from tests.targets.conftest import House

FLOAT = {"amount": 12.3, "currency": "EUR"}
MINUS = {"amount": "-1.00", "currency": "EUR"}
MOONS = {"amount": "1.00", "currency": "XYZ"}
FINE = {"amount": "0.001", "currency": "EUR"}


async def how_many(house: House) -> int:
    """How many events targets has written."""
    events: int = (await house.get("books", service="targets"))["events"]
    return events


@pytest.fixture
async def unchanged(house: House) -> AsyncIterator[None]:
    """Nothing is stored meanwhile."""
    before = await how_many(house)
    yield
    assert await how_many(house) == before


def invoice(**fields: Any) -> dict[str, Any]:
    return {"deal": "deal_x", "amount": eur("1.00"), "on": "2026-02-10"} | fields


def expense(**fields: Any) -> dict[str, Any]:
    return {"department": "sales", "kind": "travel", "amount": eur("1.00"), "on": "2026-02-10"} | fields


def budget(**fields: Any) -> dict[str, Any]:
    return {"department": "sales", "period": "2031", "amount": eur("10.00")} | fields


def target(**fields: Any) -> dict[str, Any]:
    return {
        "metric": "revenue", "scope": {"level": "organisation"}, "period": "2031", "value": eur("10.00"),
    } | fields  # fmt: skip


BAD: list[tuple[str, dict[str, Any], str, str]] = [
    ("deals", {}, "/owner", "required"),
    ("deals", {"owner": "mbr_nobody"}, "/owner", "no member mbr_nobody is known here"),
    ("deals", {"owner": 7}, "/owner", "string"),
    ("feedback", {"customer": "cust_x", "score": 4, "recommends": 11}, "/recommends", "less than or equal to 10"),
    ("deals", {"owner": "ADA", "value": FLOAT}, "/value/amount", "a JSON number loses cents"),
    ("deals", {"owner": "ADA", "value": MINUS}, "/value", "not be less than 0; it is -1.00 EUR"),
    ("deals", {"owner": "ADA", "value": MOONS}, "/value/currency", "XYZ"),
    ("deals", {"owner": "ADA", "value": FINE}, "/value/amount", "at most 2 decimals"),
    ("deals", {"owner": "ADA", "value": "12.30"}, "/value", "not as a bare string"),
    ("deals", {"owner": "ADA", "opened_on": "1899-12-31"}, "/opened_on", "between 1900-01-01"),
    ("deals", {"owner": "ADA", "opened_on": "2026-02-30"}, "/opened_on", "not in the calendar"),
    ("deals", {"owner": "ADA", "opened_on": "2026-02-01T00:00:00"}, "/opened_on", "A day is sent as"),
    ("deals", {"owner": "ADA", "stage": "won"}, "/stage", "by its verb"),
    ("deals", {"owner": "ADA", "customer": "cust_nobody"}, "/customer", "there is no customer cust_nobody"),
    ("deals", {"owner": "ADA", "colour": "red"}, "/colour", "not known here"),
    ("deals", {"owner": "ADA", "external": {"source": "No Spaces", "id": "1"}}, "/external/source", "match"),
    ("deals/OPEN/win", {"value": FLOAT}, "/value/amount", "a JSON number loses cents"),
    ("deals/OPEN/win", {"on": "2026-02-01"}, "", "send one of value and lines"),
    (
        "deals/OPEN/win",
        {"lines": [{"product": "GADGET", "quantity": "-1", "unit_price": eur("1.00")}]},
        "/lines/0/quantity",
        "lies between 0.000001",
    ),
    (
        "deals/OPEN/win",
        {"lines": [{"product": "GADGET", "quantity": "1", "unit_price": MINUS}]},
        "/lines/0/unit_price",
        "-1.00",
    ),
    (
        "deals/OPEN/win",
        {"on": "2026-02-01", "value": eur("1.00"), "credits": [{"member": "ADA", "share": 0.5}]},
        "/credits/0/share",
        "a JSON number is not exact",
    ),
    (
        "deals/OPEN/win",
        {"on": "2026-02-01", "value": eur("1.00"),
         "credits": [{"member": "ADA", "share": "0.5"}, {"member": "BEN", "share": "0.6"}]},
        "/credits",
        "sum to 1.1; they must sum to 1",
    ),
    ("deals/OPEN/win", {"on": "2026-01-01", "value": eur("1.00")}, "/on", "opened on 2026-01-05"),
    ("deals/OPEN/lose", {"on": "2026-02-01"}, "/reason", "required"),
    ("invoices", {}, "/deal", "required"),
    ("invoices", invoice(), "/deal", "there is no deal deal_x"),
    ("invoices", invoice(amount=FLOAT), "/amount/amount", "a JSON number loses cents"),
    ("invoices", invoice(amount=eur("0.00")), "/amount", "more than 0; it is 0.00 EUR"),
    ("invoices", invoice(amount=MOONS), "/amount/currency", "XYZ"),
    ("invoices", invoice(deal="WON", due_on="2026-02-09"), "/due_on", "2026-02-10 cannot be due on 2026-02-09"),
    ("invoices", invoice(deal="WON", on="1899-01-01"), "/on", "between 1900-01-01"),
    ("receipts", {"invoice": "inv_x", "amount": eur("1.00")}, "/invoice", "there is no invoice inv_x"),
    ("budgets", budget(department="nowhere"), "/department", "no department nowhere is known here"),
    ("budgets", budget(period="2031-Q5"), "/period", "no quarter Q5"),
    ("budgets", budget(amount=MINUS), "/amount", "-1.00 EUR"),
    ("budgets", budget(on_overrun="shout"), "/on_overrun", "'ignore', 'warn' or 'stop'"),
    ("budgets", budget(rows=[]), "/rows", "at least 1 item"),
    ("budgets", budget(rows=[{"on": "2031-01-01", "amount": FLOAT}]), "/rows/0/amount/amount", "loses cents"),
    ("budgets", budget(rows=[{"on": "2031-01-01", "amount": eur("9.99")}]), "/rows", "sum to 9.99 EUR"),
    ("budgets", budget(rows=[{"on": "2030-12-31", "amount": eur("10.00")}]), "/rows", "2030-12-31 does not lie"),
    ("expenses", expense(kind="Big Lunch"), "/kind", "match"),
    ("expenses", expense(amount=eur("0.00")), "/amount", "more than 0"),
    ("targets", target(metric="happiness"), "/metric", "'revenue'"),
    ("targets", target(value="12"), "/value", "revenue is measured in money"),
    ("targets", target(metric="deals_won"), "/value", "measured in a number"),
    ("targets", target(metric="deals_won", value=1.5), "/value", "a number of things in a string"),
    ("targets", target(value=FLOAT), "/value/amount", "a JSON number loses cents"),
    ("targets", target(scope={"level": "team"}), "/scope", "say in ref which team"),
    ("targets", target(scope={"level": "team", "ref": "team_x"}), "/scope/ref", "no team team_x is known"),
    ("targets", target(scope={"level": "organisation", "ref": "x"}), "/scope", "needs no ref"),
    (
        "targets",
        target(distribution=[{"on": "2031-01-01", "value": eur("9.00")}]),
        "/distribution",
        "sums to 9.00 EUR; the target is 10.00 EUR",
    ),
    ("targets", target(period={"from": "2031-01-01", "to": "2031-01-01"}), "/period", "has no days"),
]  # fmt: skip


def filled(value: Any, names: dict[str, str]) -> Any:
    """A body with the ids of what the house has."""
    if isinstance(value, dict):
        return {key: filled(part, names) for key, part in value.items()}
    if isinstance(value, list):
        return [filled(part, names) for part in value]
    return names.get(value, value) if isinstance(value, str) else value


@pytest.fixture(scope="module")
async def names(house: House) -> dict[str, str]:
    """The ids of what the house has."""
    opened, won = await house.deal(), await house.won()
    return {"ADA": house.ada, "BEN": house.ben, "GADGET": house.gadget, "OPEN": opened["id"], "WON": won["id"]}


@pytest.mark.parametrize(("path", "body", "pointer", "says"), BAD, ids=lambda value: str(value)[:40])
@pytest.mark.usefixtures("unchanged")
async def test_a_wrong_field_is_named_with_what_would_be_right(
    house: House, names: dict[str, str], path: str, body: dict[str, Any], pointer: str, says: str
) -> None:
    path = "/".join(names.get(part, part) for part in path.split("/"))
    problem = await house.refused(path, filled(body, names), 422)
    assert problem["type"] in ("/problems/validation", "/problems/refused")
    faults = {fault["pointer"]: fault["detail"] for fault in problem["errors"]}
    assert pointer in faults, faults
    assert says.lower() in faults[pointer].lower()
    assert says.lower() in problem["detail"].lower()


@pytest.mark.parametrize("collection", ["deals", "invoices", "receipts", "budgets", "expenses", "targets"])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"owner": ', "not valid JSON"),
        (b'{"owner": "\xff\xfe"}', "not valid JSON"),
        (b"[]", "object"),
        (b'"text"', "object"),
        (b"", "not valid JSON"),
    ],
)
@pytest.mark.usefixtures("unchanged")
async def test_what_is_not_a_json_object_is_refused(house: House, collection: str, content: bytes, says: str) -> None:
    answer = await house.world.admin.post(f"/v1/{collection}", content=content)
    assert answer.status_code == 422, answer.text
    assert says.lower() in answer.json()["detail"].lower()


@pytest.mark.parametrize("collection", ["deals", "invoices"])
@pytest.mark.usefixtures("unchanged")
async def test_a_body_of_ten_megabytes_is_refused(house: House, collection: str) -> None:
    answer = await house.world.admin.post(f"/v1/{collection}", content=b'{"name": "' + b"x" * 10_000_000 + b'"}')
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")


@pytest.mark.parametrize("collection", ["deals", "invoices", "receipts", "budgets", "expenses", "targets"])
@pytest.mark.usefixtures("unchanged")
async def test_an_unknown_id_is_not_found_whatever_is_asked_of_it(house: House, collection: str) -> None:
    client = house.world.admin
    for ref in ("nothing_here", "ext:nowhere:1"):
        for path in ("", "/history"):
            answer = await client.get(f"/v1/{collection}/{ref}{path}")
            assert answer.status_code == 404, answer.text
            assert ref in answer.json()["detail"]
    patch = await client.patch(f"/v1/{collection}/nothing_here", json={}, headers={"If-Match": '"1"'})
    assert patch.status_code in (404, 405)


VERBS = {
    "deals": ("win", {"value": eur("1.00")}),
    "invoices": ("void", {}),
    "receipts": ("reverse", {}),
    "expenses": ("reverse", {}),
    "targets": ("close", {}),
}


@pytest.mark.parametrize("collection", VERBS)
@pytest.mark.usefixtures("unchanged")
async def test_nothing_is_done_to_what_is_not_there(house: House, collection: str) -> None:
    verb, body = VERBS[collection]
    problem = await house.refused(f"{collection}/nothing_here/{verb}", body, 404)
    assert "nothing_here" in problem["detail"]


@pytest.mark.usefixtures("unchanged")
async def test_a_list_is_narrowed_only_by_what_it_knows(house: House) -> None:
    answer = await house.world.admin.get("/v1/invoices", params={"colour": "red"})
    assert answer.status_code == 422
    assert "known are" in answer.json()["detail"]


async def test_a_deal_that_is_won_cannot_be_won_again(house: House) -> None:
    won = await house.won()
    problem = await house.refused(f"deals/{won['id']}/win", {"on": "2026-02-02", "value": eur("1.00")})
    assert (problem["rule"], problem["status"]) == ("deal-is-closed", 409)
    assert "won on 2026-02-01" in problem["detail"]


async def test_in_a_bulk_a_broken_row_is_named_and_the_others_stay(house: House) -> None:
    good = {"owner": house.ada, "opened_on": "2026-01-05"}
    rows = [
        json.dumps(good).encode(),
        b'{"owner": ',
        json.dumps(good | {"value": FLOAT}).encode(),
        b'{"owner": "\xff"}',
        json.dumps({"do": "praise", "deal": "ext:a:b"}).encode(),
        json.dumps(good).encode(),
    ]
    answer = await house.world.admin.post("/v1/deals/bulk", content=b"\n".join(rows))
    found = [json.loads(line) for line in answer.text.splitlines()]
    assert [each["row"] for each in found] == [1, 2, 3, 4, 5, 6]
    assert [each["status"] for each in found] == [201, 422, 422, 422, 422, 201]
    assert found[2]["problem"]["errors"][0]["pointer"] == "/value/amount"
    assert "praise" in found[4]["problem"]["detail"]
