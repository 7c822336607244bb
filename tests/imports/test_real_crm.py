"""The public CRM data set: the plans of all its forms add up to the published figures."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from concert.imports.crm import plan_crm
from concert.imports.plan import Plan, person_id, totals, worth
from concert.imports.report import Report
from shared.money import Money
from tests.imports.data_sets import folder
from tests.imports.known import unknown

FORMS = [
    "maven_crm",
    "maven_crm/sales_pipeline.csv",
    "maven_crm/sales_pipeline_us_dates_variant.csv",
    "crm_exports/maven_as_hubspot_deals.csv",
    "crm_exports/maven_as_salesforce_opportunities.csv",
]


def planned(form: str) -> tuple[Plan, Report]:
    report = Report()
    return plan_crm(folder(form), report), report


def revenue_by_owner(plan: Plan) -> dict[str, Money]:
    owner: dict[str, str] = {}
    sums: dict[str, Money] = defaultdict(lambda: Money.zero("USD"))
    for row in plan.steps["deals"].rows():
        if "external" in row:
            owner[plan.ref(row["external"]["id"])] = row["owner"]
        elif row["do"] == "win":
            sums[owner[row["deal"]]] += worth(row)
    return sums


@pytest.mark.parametrize("form", FORMS)
def test_every_form_adds_up_to_the_published_figures(form: str) -> None:
    plan, report = planned(form)
    found = totals(plan)
    assert (found.won, found.lost, found.open) == (4238, 2473, 2089)
    assert {code: str(amount) for code, amount in found.revenue.items()} == {"USD": "10005534.00 USD"}
    by_owner = revenue_by_owner(plan)
    best = max(by_owner, key=lambda owner: by_owner[owner])
    assert best == plan.ref(person_id("Darcel Schlecht"))
    assert str(by_owner[best]) == "1153214.00 USD"
    assert report.refused == []
    assert unknown(plan) == []
    repairs = dict(report.repairs())
    assert repairs["product GTXPro taken as GTX Pro"] == 1480
    assert repairs["no opening day; taken as the day the file speaks of last, 2017-12-31"] == 500


@pytest.mark.parametrize("form", FORMS[1:])
def test_every_form_says_the_same_of_every_deal_as_the_folder(form: str) -> None:
    assert list(planned(form)[0].steps["deals"].rows()) == list(planned(FORMS[0])[0].steps["deals"].rows())


@pytest.mark.parametrize("form", FORMS[1:])
def test_every_form_knows_people_customers_and_products_by_the_same_ids(form: str) -> None:
    whole, part = planned(FORMS[0])[0], planned(form)[0]
    for step in ("members", "customers", "products"):
        known: dict[str, dict[str, Any]] = {row["external"]["id"]: row for row in whole.steps[step].rows()}
        for row in part.steps[step].rows():
            assert row.items() <= known[row["external"]["id"]].items()


def test_the_best_team_is_the_published_one() -> None:
    plan, _ = planned(FORMS[0])
    team_of = {row["member"]: row["team"] for row in plan.steps["memberships"].rows()}
    by_team: dict[str, Money] = defaultdict(lambda: Money.zero("USD"))
    for owner, amount in revenue_by_owner(plan).items():
        by_team[team_of[owner]] += amount
    names = {plan.ref(row["external"]["id"]): row["name"] for row in plan.steps["teams"].rows()}
    best = max(by_team, key=lambda team: by_team[team])
    assert (names[best], str(by_team[best])) == ("Melvin Marxen", "2251930.00 USD")


def test_the_folder_brings_every_agent_and_customer_and_says_what_it_mended() -> None:
    plan, report = planned(FORMS[0])
    sizes = {name: step.size for name, step in plan.steps.items()}
    assert sizes == {"managers": 6, "members": 35, "teams": 6, "memberships": 41, "customers": 85, "products": 7,
                     "deals": 8800 + 4238 + 2473}  # fmt: skip
    assert dict(report.repairs())["sector technolgy taken as technology"] == 12
    assert dict(report.repairs())["office_location Philipines taken as Philippines"] == 1
    assert all("price" in row for row in plan.steps["products"].rows())


def test_nobody_is_named_outside_the_personal_fields() -> None:
    plan, _ = planned(FORMS[0])
    text = str([row for name in ("memberships", "deals") for row in plan.steps[name].rows()]).lower()
    for row in plan.steps["members"].rows():
        for part in row["name"].lower().split():
            assert f":{part}" not in text
            assert part not in row["external"]["id"]


def test_a_file_cut_off_in_the_middle_is_taken_up_to_there(tmp_path: Path) -> None:
    whole = (folder("maven_crm") / "sales_pipeline.csv").read_bytes()
    half = tmp_path / "half.csv"
    half.write_bytes(whole[: len(whole) // 2])
    report = Report()
    found = totals(plan_crm(half, report))
    lines = half.read_bytes().count(b"\n")
    assert found.opened + len(report.refused) == lines
    assert [note.line for note in report.refused] == [lines + 1]
