"""Whose money is: invoices, what settles them and what is left of them, by member, group and product, to the cent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from shared.identity.scopes import member_scopes
from tests.metrics.written import Written
from tests.targets.bodies import eur
from tests.targets.conftest import House, settle_in
from tests.world import World, client_of, importing, token_headers

KEYS = ("invoiced", "credited", "written_off", "received", "overpaid", "outstanding", "not_yet_invoiced")
ZERO = "0.00"


class Books(Written):
    """A house whose Ada goes from one group to another in March, and what was invoiced of its deals."""

    view = "accounting"

    async def amounts(self, period: str, **query: str) -> list[str | None]:
        """The figures of invoices and receipts."""
        figures = (await self.seen(period=period, **query))["figures"]
        return [None if figures[key] is None else figures[key]["amount"] for key in KEYS]

    async def win(self, name: str, **won: Any) -> str:
        """A deal of Ada's that is won."""
        deal = {"owner": self.house.ada, "opened_on": "2026-01-05", "customer": self.house.cancity,
                "external": {"source": "crm", "id": name}}  # fmt: skip
        found = await self.write("deals", deal, name)
        return await self.write(f"deals/{found}/win", won)

    async def invoice(self, name: str, deal: str, amount: str, on: str, **fields: str) -> str:
        """An invoice."""
        return await self.write("invoices", {"deal": deal, "amount": eur(amount), "on": on, **fields}, name)


async def written(house: House) -> Books:
    """A deal of 100.01 that two members share and two products make, in two invoices; one without lines of 7.00; and
    one of 9.00 whose invoice was an error."""
    books = Books(house)
    for name in ("inner", "outer"):
        await books.write("groups", {"name": name, "team": house.north}, name)
    for group, spell in (("inner", {"from": "2026-01-01", "to": "2026-03-01"}), ("outer", {"from": "2026-03-01"})):
        await books.write(f"members/{house.ada}/join", {"group": books.ids[group], **spell})
    await books.write("products", {"name": "Gizmo"}, "gizmo")
    lines = [{"product": product, "quantity": "1", "unit_price": eur(price)}
             for product, price in ((house.gadget, "66.67"), (books.gizmo, "33.34"))]  # fmt: skip
    credits = [{"member": house.ada, "share": "0.335"}, {"member": house.ben, "share": "0.665"}]
    await books.win("split", on="2026-02-01", lines=lines, credits=credits)
    await books.win("bare", on="2026-02-02", value=eur("7.00"))
    await books.win("wrong", on="2026-02-02", lines=[lines[0] | {"unit_price": eur("9.00")}])
    await books.invoice("first", books.split, "50.00", "2026-02-10", due_on="2026-03-12")
    await books.invoice("second", books.split, "50.01", "2026-03-05", due_on="2026-04-04")
    await books.invoice("plain", books.bare, "7.00", "2026-02-11")
    await books.invoice("error", books.wrong, "9.00", "2026-02-12")
    await books.write(f"invoices/{books.error}/void", {"on": "2026-03-01"})
    await books.write(f"invoices/{books.first}/credit", {"amount": eur("10.00"), "on": "2026-02-20"})
    received = {"invoice": books.first, "amount": eur("15.00"), "on": "2026-03-10"}
    await books.write("receipts", received, "receipt")
    await books.write(f"receipts/{books.receipt}/reverse", {"on": "2026-04-02"})
    await books.write("receipts", received | {"amount": eur("45.00"), "on": "2026-04-10"})
    await books.write(f"invoices/{books.second}/write-off", {"amount": eur("0.01"), "on": "2026-04-15"})
    return books


@pytest.fixture
async def books(world: World) -> Books:
    """The books of a house of a test's own, on each kind of engines."""
    return await written(await settle_in(world))


async def test_each_member_group_and_product_has_its_part_of_every_amount_on_its_day(books: Books) -> None:
    ada, ben = {"member": books.house.ada}, {"member": books.house.ben}
    inner, outer = {"group": books.inner}, {"group": books.outer}
    gadget, gizmo = {"product": books.house.gadget}, {"product": books.gizmo}
    months: dict[str, list[tuple[dict[str, str], list[str]]]] = {
        # invoiced, credited, written off, received, overpaid, outstanding, not yet invoiced
        "2026-02": [
            (ada, ["23.75", "3.35", ZERO, ZERO, ZERO, "20.40", "9.00"]),
            (ben, ["33.25", "6.65", ZERO, ZERO, ZERO, "26.60", ZERO]),
            (inner, ["23.75", "3.35", ZERO, ZERO, ZERO, "20.40", "9.00"]),
            (outer, [ZERO] * 7),
            (gadget, ["33.33", "6.67", ZERO, ZERO, ZERO, "26.66", "9.00"]),
            (gizmo, ["16.67", "3.33", ZERO, ZERO, ZERO, "13.34", ZERO]),
            ({}, ["57.00", "10.00", ZERO, ZERO, ZERO, "47.00", "9.00"]),
        ],
        "2026-03": [
            (ada, ["16.75", ZERO, ZERO, "5.03", ZERO, "32.12", ZERO]),
            (ben, ["33.26", ZERO, ZERO, "9.97", ZERO, "49.89", ZERO]),
            (inner, [ZERO] * 7),
            (outer, ["16.75", ZERO, ZERO, "5.03", ZERO, "32.12", ZERO]),
            (gadget, ["33.34", ZERO, ZERO, "10.00", ZERO, "50.00", ZERO]),
            (gizmo, ["16.67", ZERO, ZERO, "5.00", ZERO, "25.01", ZERO]),
            ({}, ["50.01", ZERO, ZERO, "15.00", ZERO, "82.01", ZERO]),
        ],
        "2026-04": [
            (ada, [ZERO, ZERO, ZERO, "10.05", "1.68", "23.75", ZERO]),
            (ben, [ZERO, ZERO, "0.01", "19.95", "3.32", "33.25", ZERO]),
            (inner, [ZERO] * 7),
            (outer, [ZERO, ZERO, ZERO, "10.05", "1.68", "23.75", ZERO]),
            (gadget, [ZERO, ZERO, "0.01", "19.99", "3.33", "33.33", ZERO]),
            (gizmo, [ZERO, ZERO, ZERO, "10.01", "1.67", "16.67", ZERO]),
            ({}, [ZERO, ZERO, "0.01", "30.00", "5.00", "57.00", ZERO]),
        ],
    }
    for month, cases in months.items():
        for query, expected in cases:
            assert await books.amounts(month, **query) == expected, (month, query)
    for query, found in (
        (ada, {"1-30": "16.75", "31-60": "7.00"}), (ben, {"1-30": "33.25"}),
        (outer, {"1-30": "16.75", "31-60": "7.00"}), (gizmo, {"1-30": "16.67"}),
    ):  # fmt: skip
        ages = (await books.seen(period="2026-04", **query))["figures"]["outstanding_by_age"]
        assert {age: each["amount"] for age, each in ages.items() if each["amount"] != ZERO} == found, query
    certificate = (await books.house.world.admin.get("/v1/consistency", params={"fresh": "true"})).json()
    assert [each for each in certificate["invariants"] if not each["holds"]] == []


async def test_rows_of_a_breakdown_sum_to_the_whole_and_what_is_of_no_product_is_said(books: Books) -> None:
    cuts: tuple[dict[str, str], ...] = (
        {}, {"team": books.house.north}, {"customer": books.house.cancity}, {"member": books.house.ada},
        {"product": books.house.gadget}, {"group": books.outer},
    )  # fmt: skip
    for query in cuts:
        for by in ("member", "product"):
            view = await books.seen(period="2026", breakdown=by, **query)
            for key in KEYS:
                parts = [Decimal(row["figures"][key]["amount"]) for row in view["breakdown"]["rows"]]
                assert sum(parts) == Decimal(view["figures"][key]["amount"]), (query, by, key)
    for query in ({}, {"team": books.house.north}):
        by_group = (await books.seen(period="2026", breakdown="group", **query))["breakdown"]["rows"]
        found = {row["ref"]: [row["figures"][key]["amount"] for key in ("invoiced", "received")] for row in by_group}
        assert found == {books.inner: ["23.75", ZERO], books.outer: ["16.75", "15.08"]}, query
    view = await books.seen(period="2026-02", breakdown="product", product=books.gizmo)
    notes = {note["figure"]: note["why"] for note in view["notes"]}
    assert notes["invoiced"] == notes["outstanding"] == "7.00 EUR of it is of no product; that is in the whole only"
    assert not {"credited", "received", "not_yet_invoiced"} & set(notes)
    rows = (await books.seen(period="2026-02", breakdown="product"))["breakdown"]["rows"]
    assert {row["ref"]: row["figures"]["invoiced"]["amount"] for row in rows}[None] == "7.00"


async def test_the_rows_behind_a_figure_are_those_that_somebody_had_a_part_in_on_their_day(books: Books) -> None:
    ada, ben = {"member": books.house.ada}, {"member": books.house.ben}
    inner, outer = {"group": books.inner}, {"group": books.outer}
    for figure, period, query, found in (
        ("invoiced", "2026-02", ada, {books.first, books.plain}),
        ("invoiced", "2026-02", ben, {books.first}),
        ("invoiced", "2026-02", inner, {books.first, books.plain}),
        ("invoiced", "2026-02", outer, set()),
        ("invoiced", "2026-03", outer, {books.second}),
        ("invoiced", "2026-02", {"product": books.gizmo}, {books.first}),
        ("invoiced", "2026", inner, {books.first, books.plain}),
        ("invoiced", "2026", outer, {books.second}),
        ("credited", "2026-02", inner, {books.first}),
        ("credited", "2026", outer, set()),
        ("credited", "2026-02", outer, set()),
        ("written_off", "2026-04", ben, {books.second}),
        ("written_off", "2026-04", ada, set()),
        ("received", "2026-03", inner, set()),
        ("received", "2026-03", outer, {books.receipt}),
        ("outstanding", "2026-03", inner, set()),
        ("outstanding", "2026-03", outer, {books.first, books.second, books.plain}),
    ):  # fmt: skip
        assert await books.rows(figure, period, **query) == found, (figure, period, query)
    rows = await books.seen("/rows", figure="invoiced", period="2026-03")
    assert rows["items"][0]["members"] == [
        {"member": books.house.ada, "amount": eur("16.75")}, {"member": books.house.ben, "amount": eur("33.26")}
    ]  # fmt: skip
    assert [each["amount"] for each in rows["items"][0]["products"]] == [eur("33.34"), eur("16.67")]


async def test_an_amended_deal_leaves_what_was_invoiced_and_the_next_invoice_is_whose_the_deal_is_then(
    books: Books,
) -> None:
    line = {"product": books.gizmo, "quantity": "1", "unit_price": eur("120.01")}
    agreed = {"on": "2026-05-02", "lines": [line], "credits": [{"member": books.house.ben, "share": "1"}]}
    headers = importing(books.house.world.settings)
    amended = await books.house.post(f"deals/{books.split}/amend", agreed | {"reason": "Another thing"}, **headers)
    assert amended.status_code == 200, amended.text
    books.tokens.append(amended.headers["concert-version"])
    before = await books.amounts("2026-03", member=books.house.ada)
    assert before[:1] == ["16.75"]
    await books.invoice("next", books.split, "20.00", "2026-05-05")
    for query, invoiced in (
        ({"member": books.house.ben}, "20.00"), ({"member": books.house.ada}, ZERO),
        ({"product": books.gizmo}, "20.00"), ({"product": books.house.gadget}, ZERO),
    ):  # fmt: skip
        assert (await books.amounts("2026-05", **query))[0] == invoiced, query
    assert await books.amounts("2026-03", member=books.house.ada) == before


async def test_a_member_sees_the_money_of_themself_and_not_that_of_another(books: Books) -> None:
    house = books.house
    headers = token_headers(house.world.settings, *member_scopes(), "views.accounting:read", member=house.ada)
    asked = {"period": "2026-02"}
    await books.seen(**asked)
    async with client_of(house.world.origin, headers) as ada:
        hers = (await ada.get("/v1/views/accounting", params=asked | {"member": house.ada})).json()
        assert hers["figures"]["invoiced"] == eur("23.75")
        for path in ("", "/rows"):
            query = asked | {"member": house.ben} | ({"figure": "invoiced"} if path else {})
            answer = await ada.get(f"/v1/views/accounting{path}", params=query)
            assert answer.status_code == 404, answer.text
        rows = (await ada.get("/v1/views/accounting", params=asked | {"breakdown": "member"})).json()["breakdown"]
        assert [row["ref"] for row in rows["rows"]] == [house.ada]
