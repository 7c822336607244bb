"""What has been published about real data comes out of the views after an import through the public API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from concert.imports.adventureworks import plan_adventureworks
from concert.imports.crm import plan_crm
from concert.imports.plan import Plan
from concert.imports.report import Report
from concert.imports.send import Outcome, carry_out
from tests.imports.data_sets import folder as data_set
from tests.journeys.published import CRM_SPAN, crm_differences
from tests.world import World, embedded, world

CRM_FORMS = (
    ("maven_crm", ""),
    ("maven_crm", "sales_pipeline_us_dates_variant.csv"),
    ("crm_exports", "maven_as_hubspot_deals.csv"),
    ("crm_exports", "maven_as_salesforce_opportunities.csv"),
)


async def imported(concert: World, plan: Callable[[Report], Plan]) -> Outcome:
    report = Report()
    outcome = await carry_out(plan(report), concert.admin, report, lambda name, rows: None)
    assert outcome.refused == 0
    return outcome


async def view(concert: World, outcome: Outcome, department: str, **query: Any) -> Any:
    answer = await concert.admin.get(
        f"/v1/views/{department}", params={**query, "after": outcome.batches}, headers={"Prefer": "wait=30"}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(("folder", "file"), CRM_FORMS)
async def test_every_form_of_the_crm_gives_the_published_figures(
    folder: str, file: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = data_set(folder) / file
    place = tmp_path_factory.mktemp("crm")
    async with embedded(place) as ground, world(place, ground) as concert:
        outcome = await imported(concert, lambda report: plan_crm(path, report))
        sales = await view(concert, outcome, "sales", **CRM_SPAN)
        finance = await view(concert, outcome, "finance", **CRM_SPAN)
        by_member = await view(concert, outcome, "sales", **CRM_SPAN, breakdown="member")
        named = folder == "maven_crm" and not file
        by_team = await view(concert, outcome, "sales", **CRM_SPAN, breakdown="team") if named else None
        assert crm_differences(sales, finance, by_member, by_team) == []
        again = await imported(concert, lambda report: plan_crm(path, report))
        assert again.events == 0


async def test_adventureworks_gives_the_published_sums_of_order_lines_and_quotas(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = data_set("adventureworks")
    place = tmp_path_factory.mktemp("adventureworks")
    async with embedded(place) as ground, world(place, ground) as concert:
        outcome = await imported(concert, lambda report: plan_adventureworks(folder, report))
        warehouse = {"from": "2017-07-01", "to": "2020-06-01"}
        figures = (await view(concert, outcome, "sales", **warehouse))["figures"]
        assert figures["revenue"] == {"amount": "77548570.20", "currency": "USD"}
        assert figures["deals_won"] == 3616
        finance = (await view(concert, outcome, "finance", **warehouse))["figures"]
        assert finance["cost_of_sales"] is not None
        quotas = (await view(concert, outcome, "sales", **{"from": "2011-05-31", "to": "2014-06-01"}))["figures"]
        assert quotas["target"] == {"amount": "95714000.00", "currency": "USD"}
        verdict = (await concert.admin.get("/v1/consistency", params={"fresh": "true"})).json()
        assert all(each["holds"] for each in verdict["invariants"] if each["class"] == "A")
