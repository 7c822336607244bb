"""What the views show of a company, held against the model: one snapshot, the figures' own computation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

from services.metrics.views import VIEWS
from services.metrics.views.frame import Reading
from services.metrics.views.question import Question
from shared.http.waiting import tokens_of
from shared.period import Period
from shared.store import Snapshot
from tests.journeys.past.company import Company, cents_of
from tests.journeys.past.model import DIMENSIONS, MONTHS, month_of

REVENUE, INVOICED, LEFT = "sales/revenue", "accounting/invoiced", "accounting/not_yet_invoiced"
CUSTOMERS = tuple(f"sales/customers_{each}" for each in ("start", "new", "reactivated", "lost", "end"))
TODAY = date(2026, 12, 31)


class Views:
    """The figures of one snapshot, for everybody of a company along a dimension."""

    def __init__(self, company: Company, snapshot: Snapshot) -> None:
        self.known = company.known
        self.snapshot = snapshot
        self._read: dict[Any, Reading] = {}

    async def along(self, figure: str, period: str, dim: str, **filters: str) -> dict[str, Any]:
        """A figure of everybody along a dimension, as the rows of a breakdown compute it."""
        view, _, key = figure.partition("/")
        place = (period, tuple(filters.items()))
        if place not in self._read:
            self._read[place] = Reading(self.snapshot, Question(Period.parse(period), TODAY, filters))
        asked = VIEWS[view].figure(key)
        assert asked is not None
        return {each: await asked.compute(self._read[place].row(dim, each)) for each in self.known.ids(dim)}

    async def cents(self, figure: str, period: str, dim: str, **filters: str) -> dict[str, int]:
        """The same of money."""
        return {each: cents_of(money) for each, money in (await self.along(figure, period, dim, **filters)).items()}

    async def check_revenue(self) -> None:
        """What everything along every dimension has of every month is the model's, and so is how many deals it won."""
        for month in MONTHS:
            for dim in DIMENSIONS:
                whose = self.known.ids(dim)
                revenue, counted = self.known.revenue(month, dim), self.known.counted(month, dim)
                assert await self.cents(REVENUE, month, dim) == {each: revenue[each] for each in whose}, (month, dim)
                won = await self.along("sales/deals_won", month, dim)
                assert won == {each: counted[each] for each in whose}, (month, dim)
            of_teams, of_members = (sum(self.known.revenue(month, dim).values()) for dim in ("team", "member"))
            assert of_teams == of_members, month

    async def check_crosswise(self) -> None:
        """What one has of another is what the other has of the one, and the parts sum to what each has in all."""
        for month in MONTHS:
            shown = {
                (through, dim): {
                    key: await self.cents(REVENUE, month, dim, **{through: key}) for key in self.known.ids(through)
                }
                for through in DIMENSIONS for dim in DIMENSIONS if dim != through
            }  # fmt: skip
            for (through, dim), parts in shown.items():
                for key, found in parts.items():
                    for one, amount in found.items():
                        assert amount == shown[dim, through][one][key], (month, through, dim)
                    if dim != "group":
                        # Not everybody is in a group, so groups do not sum to the whole.
                        assert sum(found.values()) == self.known.revenue(month, through)[key], (month, through, dim)

    async def check_books(self) -> None:
        """What was invoiced at once stays whose it was; what no invoice asks for is all the rest."""
        for month in MONTHS:
            for dim in DIMENSIONS:
                whose = self.known.ids(dim)
                revenue, invoiced = self.known.revenue(month, dim), self.known.invoiced(month, dim)
                assert await self.cents(INVOICED, month, dim) == {each: invoiced[each] for each in whose}, (month, dim)
                left = {each: revenue[each] - invoiced[each] for each in whose}
                assert await self.cents(LEFT, month, dim) == left, (month, dim)
        for dim, through in (("member", "product"), ("product", "member"), ("product", "group")):
            for key in self.known.ids(through):
                invoiced_of = sum(self.known.invoiced(month, through)[key] for month in MONTHS)
                whole = sum(self.known.revenue(month, through)[key] for month in MONTHS)
                for figure, expected in ((INVOICED, invoiced_of), (LEFT, whole - invoiced_of)):
                    parts = await self.cents(figure, "2026", dim, **{through: key})
                    assert sum(parts.values()) == expected, (dim, through, figure)

    async def check_targets(self) -> None:
        """What everybody aims at in a month, and what of it is reached, follows from what was aimed at and won in it,
        whoever has moved since, and whatever was closed after its month had begun."""
        for month in MONTHS:
            for dim in ("team", "member"):
                aimed, revenue = self.known.aimed(month, dim), self.known.revenue(month, dim)
                shown = [await self.along(f"sales/{figure}", month, dim) for figure in ("attainment", "variance")]
                for each in self.known.ids(dim):
                    rate, apart = (figures[each] for figures in shown)
                    assert (rate is None) == (apart is None) == (each not in aimed), (month, dim)
                    if each in aimed:
                        held = cents_of(rate["numerator"]), cents_of(rate["denominator"]), cents_of(apart)
                        assert held == (revenue[each], aimed[each], revenue[each] - aimed[each]), (month, dim)

    async def check_customers(self) -> None:
        """The customers of everything along every dimension are the model's, in every month."""
        for dim in DIMENSIONS:
            expected = self.known.customers_of(dim)
            for month in MONTHS:
                shown = [await self.along(figure, month, dim) for figure in CUSTOMERS]
                for each in self.known.ids(dim):
                    assert [counts[each] for counts in shown] == expected[month, each], (month, dim)


async def check(company: Company, *, all_of_it: bool = False) -> None:
    """Every figure is the model's, once the views hold all that was written."""

    async def query(snapshot: Snapshot) -> None:
        views = Views(company, snapshot)
        await views.check_revenue()
        await views.check_targets()
        if all_of_it:
            await views.check_crosswise()
            await views.check_books()
            await views.check_customers()

    progress = company.world.services["metrics"].runtime.progress
    await progress.read(tokens_of(company.tokens), 20, query)
    company.tokens.clear()


async def check_over_http(company: Company) -> None:
    """What is shown to everybody is that, and the deals behind it hold just what it is made of."""
    known = company.known
    for dim in DIMENSIONS:
        answer = await company.world.admin.get("/v1/views/sales", params={"period": "2026-Q1", "breakdown": dim})
        rows = {row["ref"]: cents_of(row["figures"]["revenue"]) for row in answer.json()["breakdown"]["rows"]}
        for each in known.ids(dim):
            assert rows.get(each, 0) == sum(known.revenue(month, dim)[each] for month in MONTHS), dim
    for dim in ("member", "group", "product"):
        for month in MONTHS:
            for key in known.ids(dim):
                query = {"figure": "revenue", "period": month, dim: key, "limit": "200"}
                answer = await company.world.admin.get("/v1/views/sales/rows", params=query)
                assert answer.status_code == 200, answer.text
                rows_of = {row["ref"]: _of_row(company, row, month, dim, key) for row in answer.json()["items"]}
                expected = _made_of(company, month, dim, key)
                # What an amendment leaves somebody as it was is no part of the figure, whether it has a row or not.
                assert {each: cents for each, cents in rows_of.items() if cents} == expected, (month, dim)


def _made_of(company: Company, month: str, dim: str, key: str) -> dict[str, int]:
    """What each deal brings somebody in a month, of those that bring anything or take it away."""
    found: Counter[str] = Counter()
    for deal in company.known.won:
        for day, sign, agreed in deal.booked():
            mine = [cents for whose, cents in company.known.parts(deal, day, agreed, dim) if whose == key]
            if month_of(day) == month:
                found[deal.id] += sign * sum(mine)
    return {each: cents for each, cents in found.items() if cents}


def _of_row(company: Company, row: Mapping[str, Any], month: str, dim: str, key: str) -> int:
    """What a row says of it: what was agreed on first, and what each amendment made of it."""
    total, before = 0, None
    for on, agreed in [(row["closed_on"], row), *((each["on"], each) for each in row["amendments"])]:
        day = date.fromisoformat(on)
        if month_of(day) == month:
            total += _part(company, agreed, day, dim, key) - (_part(company, before, day, dim, key) if before else 0)
        before = agreed
    return total


def _part(company: Company, agreed: Mapping[str, Any], day: date, dim: str, key: str) -> int:
    if dim == "product":
        return sum(cents_of(line["amount"]) for line in agreed["lines"] if line["product"] == key)
    return sum(
        cents_of(credit["amount"]) for credit in agreed["credits"]
        if key in (credit["member"], company.known.group_on(credit["member"], day))
    )  # fmt: skip
