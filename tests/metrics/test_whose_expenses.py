"""For whom money was spent: selling expense and contribution of a team, member, group, customer, product and region."""

from __future__ import annotations

import pytest

from tests.metrics.written import Written
from tests.targets.bodies import eur
from tests.targets.conftest import settle_in
from tests.world import World

KEYS = ("selling_expense", "contribution", "acquisition_cost")


class Spending(Written):
    """A house that sold to one customer, and what it spent."""

    view = "finance"

    async def spend(self, name: str, amount: str, on: str, **whose: str) -> str:
        """An expense of the sales department, if it does not say of which."""
        body = {"department": "sales", "kind": "travel", "amount": eur(amount), "on": on, **whose}
        return await self.write("expenses", body, name)

    async def amounts(self, period: str, **query: str) -> list[str | None]:
        """Selling expense, contribution and what a new customer cost."""
        figures = (await self.seen(period=period, **query))["figures"]
        return [None if figures[key] is None else figures[key]["amount"] for key in KEYS]

    async def behind(self, period: str, **query: str) -> set[str]:
        """The expenses behind the selling expense."""
        return await self.rows("selling_expense", period, **query)


@pytest.fixture
async def spending(world: World) -> Spending:
    """A deal of 200.00 that cost 60.00, won in February by Ada, who leaves her group in March; expenses that name her,
    a customer, a product, a team and nobody; hers comes back in March."""
    house = await settle_in(world)
    found = Spending(house)
    await found.write("teams", {"name": "South", "region": "EU"}, "south")
    await found.write("groups", {"name": "Inner", "team": house.north}, "inner")
    stay = {"group": found.inner, "from": "2026-01-01", "to": "2026-03-01"}
    await found.write(f"members/{house.ada}/join", stay)
    deal = {"owner": house.ada, "opened_on": "2026-01-05", "customer": house.cancity}
    await found.write("deals", deal, "deal")
    line = {"product": house.gadget, "quantity": "2", "unit_price": eur("100.00")}
    await found.write(f"deals/{found.deal}/win", {"on": "2026-02-01", "lines": [line]})
    await found.spend("visit", "50.00", "2026-02-03", member=house.ada, customer=house.cancity)
    await found.spend("campaign", "30.00", "2026-02-04", product=house.gadget)
    await found.spend("fair", "20.00", "2026-02-05", team=found.south)
    await found.spend("office", "7.00", "2026-02-06")
    await found.spend("laptop", "11.00", "2026-02-06", department="it", member=house.ben)
    await found.write(f"expenses/{found.visit}/reverse", {"on": "2026-03-10"})
    await found.spend("rent", "5.00", "2026-04-01")
    return found


async def test_what_was_spent_for_somebody_is_their_selling_expense_and_taken_off_their_margin(
    spending: Spending,
) -> None:
    house = spending.house
    ada, inner, north = {"member": house.ada}, {"group": spending.inner}, {"team": house.north}
    months: dict[str, list[tuple[dict[str, str], list[str | None]]]] = {
        # selling expense, contribution, for a new customer
        "2026-02": [
            ({}, ["107.00", "33.00", "107.00"]), (north, ["50.00", "90.00", "50.00"]),
            (ada, ["50.00", "90.00", "50.00"]), (inner, ["50.00", "90.00", "50.00"]),
            ({"customer": house.cancity}, ["50.00", "90.00", "50.00"]),
            ({"product": house.gadget}, ["30.00", "110.00", "30.00"]),
            ({"team": spending.south}, ["20.00", "-20.00", None]), ({"member": house.ben}, ["0.00", "0.00", None]),
            (ada | {"customer": house.cancity}, ["50.00", "90.00", "50.00"]),
            (ada | {"product": house.gadget}, ["0.00", "140.00", "0.00"]),
            (north | {"department": "sales"}, ["50.00", "90.00", "50.00"]),
        ],
        "2026-03": [
            ({}, ["-50.00", "50.00", None]), (ada, ["-50.00", "50.00", None]), (inner, ["0.00", "0.00", None]),
        ],
        "2026-01": [(north, ["0.00", "0.00", None])],
    }  # fmt: skip
    for month, cases in months.items():
        for query, expected in cases:
            assert await spending.amounts(month, **query) == expected, (month, query)
    rows = (await spending.seen(period="2026-02", breakdown="region"))["breakdown"]["rows"]
    assert {row["ref"]: row["figures"]["selling_expense"]["amount"] for row in rows}["EU"] == "20.00"
    spent = (await spending.seen("accounting", period="2026-02", member=house.ben))["figures"]["spent"]
    assert spent == eur("11.00")


async def test_rows_of_a_breakdown_and_what_was_spent_for_nobody_sum_to_the_whole(spending: Spending) -> None:
    house = spending.house
    for by, filtered, rest in (
        ("team", {"team": house.north}, "37.00 EUR of it was spent for no team"),
        ("member", {"member": house.ada}, "57.00 EUR of it was spent for no member"),
        ("customer", {"customer": house.cancity}, "57.00 EUR of it was spent for no customer"),
        ("product", {"product": house.gadget}, "77.00 EUR of it was spent for no product"),
    ):
        rows = (await spending.seen(period="2026-02", breakdown=by))["breakdown"]["rows"]
        named = sum(float(row["figures"]["selling_expense"]["amount"]) for row in rows if row["ref"])
        assert named + float(rest.split()[0]) == 107, by
        view = await spending.seen(period="2026-02", **filtered)
        notes = {note["figure"]: note["why"] for note in view["notes"]}
        assert notes["selling_expense"] == notes["contribution"] == f"{rest}; that is in the whole only"


async def test_where_no_expense_says_for_whom_it_was_it_is_not_known_and_not_nothing(spending: Spending) -> None:
    north = {"team": spending.house.north}
    assert await spending.amounts("2026-04", **north) == [None, None, None]
    notes = (await spending.seen(period="2026-04", **north))["notes"]
    said = "no expense of these days says for which team it was"
    assert {note["figure"] for note in notes if note["why"] == said} == set(KEYS)


async def test_the_expenses_behind_a_figure_are_those_that_were_for_it_on_their_day(spending: Spending) -> None:
    house = spending.house
    for period, query, found in (
        ("2026-02", {"team": house.north}, {spending.visit}),
        ("2026-02", {"group": spending.inner}, {spending.visit}),
        ("2026-03", {"member": house.ada}, {spending.visit}),
        ("2026-03", {"group": spending.inner}, set()),
        ("2026-02", {"product": house.gadget}, {spending.campaign}),
    ):
        assert await spending.behind(period, **query) == found, (period, query)


async def test_an_expense_names_what_there_is_and_is_listed_by_it_and_sent_again_changes_nothing(
    spending: Spending,
) -> None:
    house = spending.house
    visit = await house.get(f"expenses/{spending.visit}")
    assert [visit[key] for key in ("team", "member", "customer", "product")] == [
        house.north, house.ada, house.cancity, None
    ]  # fmt: skip
    listed = (await house.get("expenses", customer=house.cancity))["items"]
    assert [each["id"] for each in listed] == [spending.visit]
    body = {"department": "sales", "kind": "travel", "amount": eur("1.00"), "on": "2026-05-01"}
    for name in ("team", "member", "customer", "product"):
        problem = await house.refused("expenses", body | {name: "none_such"}, 422)
        assert problem["errors"][0]["pointer"] == f"/{name}"
    for status in (201, 200):
        answer = await house.put("expenses/ext:erp:7", body | {"member": house.ada})
        assert answer.status_code == status, answer.text
