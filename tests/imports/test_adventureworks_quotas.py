"""AdventureWorks: quotas hold for windows that are not calendar quarters; both attainments of the real files."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from concert.imports.adventureworks import plan_adventureworks
from concert.imports.report import Report
from concert.imports.send import carry_out
from tests.imports.data_sets import folder
from tests.world import World, world

SELLER = "275"
REF = f"ext:adventureworks:employee-{SELLER}"
Window = tuple[date, date, Decimal]


def quota_windows(files: Path) -> list[Window]:
    """Each quota of the seller's, from its day to the next one's, read from the file without the importer."""
    with (files / "SalesPersonQuotaHistory.csv").open(encoding="utf-8-sig") as lines:
        read = [line.split("\t") for line in lines]
    dated = sorted((date.fromisoformat(row[1][:10]), Decimal(row[2])) for row in read if row[0] == SELLER)
    return [(day, following, quota) for (day, quota), (following, _) in pairwise(dated)]


def sold_between(files: Path, start: date, end: date) -> Decimal:
    """What the seller's orders of some days sum to, read from the file without the importer."""
    total = Decimal(0)
    with (files / "orders_by_salesperson.csv").open(encoding="utf-8-sig") as lines:
        for row in csv.DictReader(lines):
            if row["SalesPersonID"] == SELLER and start <= date.fromisoformat(row["OrderDate"][:10]) < end:
                total += Decimal(row["SubTotal"]).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    return total


@pytest.fixture(scope="module")
async def imported(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A Concert with everybody, and the deals and quota windows of one seller."""
    report = Report()
    plan = plan_adventureworks(folder("adventureworks"), report)
    for name, kept in (("deals", "owner"), ("targets", "scope")):
        step = plan.steps[name]
        step.facts = [facts for facts in step.facts if _whose(facts.bodies[0], kept) == REF]
    targets = plan.steps["targets"]
    targets.facts = [facts for facts in targets.facts if facts.bodies[0]["external"]["id"].startswith("quota-")]
    async with world(tmp_path_factory.mktemp("adventureworks")) as concert:
        outcome = await carry_out(plan, concert.admin, report, lambda name, rows: None)
        assert outcome.refused == 0, report.refused[:3]
        query = {"after": outcome.batches, "period": "2012"}
        answer = await concert.admin.get("/v1/views/sales", params=query, headers={"Prefer": "wait=30"})
        assert answer.status_code == 200, answer.text
        yield concert


def _whose(body: dict[str, Any], field: str) -> str:
    found = body[field]
    return str(found["ref"] if isinstance(found, dict) else found)


async def figures(concert: World, **period: str) -> dict[str, Any]:
    answer = await concert.admin.get("/v1/views/sales", params={"member": REF, **period})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["figures"]
    return found


async def test_trap_18_a_quota_window_and_a_calendar_period_have_each_their_own_attainment(imported: World) -> None:
    files = folder("adventureworks")
    windows = quota_windows(files)
    year = date(2012, 1, 1), date(2013, 1, 1)
    found = await figures(imported, period="2012")

    ending = [each for each in windows if year[0] < each[1] <= year[1]]
    sold = sum((sold_between(files, start, end) for start, end, _ in ending), Decimal(0))
    quota = sum((each[2] for each in ending), Decimal(0))
    by_window = found["quota_window_attainment"]
    assert Decimal(by_window["numerator"]["amount"]) == sold
    assert Decimal(by_window["denominator"]["amount"]) == quota
    assert by_window["rate"] == str((sold / quota).quantize(Decimal("0.000001")))

    due = Fraction(0)
    for start, end, amount in windows:
        shared = (min(end, year[1]) - max(start, year[0])) // timedelta(days=1)
        due += Fraction(amount) * max(shared, 0) / ((end - start) // timedelta(days=1))
    by_calendar = found["quota_calendar_attainment"]
    assert Decimal(by_calendar["numerator"]["amount"]) == sold_between(files, *year)
    assert Decimal(by_calendar["denominator"]["amount"]) == Decimal(round(due * 100)) / 100
    assert by_window != by_calendar


async def test_the_attainment_of_a_window_asked_for_by_its_own_days_is_that_of_the_target(imported: World) -> None:
    files = folder("adventureworks")
    start, end, quota = quota_windows(files)[3]
    found = await figures(imported, **{"from": str(start), "to": str(end)})
    whole = {"numerator": str(sold_between(files, start, end)), "denominator": f"{quota:.2f}"}
    for name in ("quota_window_attainment", "quota_calendar_attainment", "attainment"):
        shown = found[name]
        assert {part: shown[part]["amount"] for part in whole} == whole, name
