"""Lists of deals with faults: each is refused with a word about it, or repaired and said to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from concert.imports.crm import plan_crm
from concert.imports.plan import Plan, slug, totals
from concert.imports.report import Report
from concert.imports.tables import Unreadable
from tests.imports.known import unknown

HEADER = "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value"
HUBSPOT = "Record ID,Deal Name,Pipeline,Deal Stage,Amount,Create Date,Close Date,Deal owner,Associated Company"
SALESFORCE = (
    "Opportunity Owner,Account Name,Opportunity Name,Stage,Amount,Close Date,Created Date,Probability (%),"
    "Opportunity ID"
)
GOOD = "A1,Ada Berg,GTX Pro,Cancity,Won,2016-10-20,2017-03-01,1054"


def planned(folder: Path, *rows: str, header: str = HEADER, currency: str = "USD") -> tuple[Plan, Report]:
    path, report = folder / "deals.csv", Report()
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return plan_crm(path, report, currency=currency), report


def bodies(plan: Plan, step: str) -> list[dict[str, Any]]:
    return list(plan.steps[step].rows()) if step in plan.steps else []


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("A2,Ada,X,C,Won,2017-01-01,2017-03-01,-5", "close_value is '-5'; it must not be negative"),
        ("A2,Ada,X,C,Won,2017-01-01,2017-03-01,1054.000000001", "close_value is '1054.000000001'; An amount in"
         " USD has at most 2 decimals; 1054.000000001 has 9."),
        ("A2,Ada,X,C,Won,2017-01-01,2017-03-01,1.05e3",
         "close_value is '1.05e3', which is not a number; write 1054.50 or 1.054,50"),
        ("A2,Ada,X,C,Won,2017-01-01,2017-03-01,", "close_value is empty, but the deal is won"),
        ("A2,Ada,X,C,Won,2017-01-01,,5", "close_date is empty, but the deal is won"),
        ("A2,Ada,X,C,Lost,2017-01-01,,0", "close_date is empty, but the deal is lost"),
        ("A2,Ada,X,C,Won,2017-13-01,2017-03-01,5", "engage_date is '2017-13-01'; 2017-13-01 is not in the calendar."),
        ("A2,Ada,X,C,Won,2017-04-01,2017-03-01,5", "close_date is 2017-03-01, before engage_date, 2017-04-01"),
        ("A2,,X,C,Won,2017-01-01,2017-03-01,5", "sales_agent is empty"),
        (",Ada,X,C,Won,2017-01-01,2017-03-01,5", "opportunity_id is empty"),
        ("A1,Ada,X,C,Won,2017-01-01,2017-03-01,5", "opportunity_id A1 stands in line 2 already"),
        ("A2,Ada,X,C,Wonn,2017-01-01,2017-03-01,5", "deal_stage is 'Wonn'; known are appointment scheduled, "),
        ("A2,Ada,X", "the row has 3 cells, 8 are expected (with a comma between them)"),
    ],
)  # fmt: skip
def test_a_broken_row_is_refused_by_line_and_the_others_are_taken(tmp_path: Path, row: str, why: str) -> None:
    plan, report = planned(tmp_path, GOOD, row, "A3,Zane,X,C,Lost,2017-01-01,2017-03-01,0")
    assert [(note.file, note.line) for note in report.refused] == [("deals.csv", 3)]
    assert report.refused[0].what.startswith(why)
    found = totals(plan)
    assert (found.opened, found.won, found.lost) == (2, 1, 1)
    assert str(found.revenue["USD"]) == "1054.00 USD"


def test_a_list_without_its_columns_is_refused_with_what_would_be_right(tmp_path: Path) -> None:
    with pytest.raises(
        Unreadable, match=r"deals\.csv, line 1: these are not the columns of a list of deals\. Known are CRM: "
    ):
        planned(tmp_path, "1,2", header="a,b")
    with pytest.raises(
        Unreadable, match=r"deals\.csv, line 1: the column close_value is missing\. Found, with a comma"
    ):
        planned(tmp_path, GOOD, header=HEADER.replace("close_value", "value"))
    with pytest.raises(
        Unreadable, match=r"holds no deal that can be imported\. First reason: deals\.csv, line 2: .* empty"
    ):
        planned(tmp_path, "A1,,X,C,Won,2017-01-01,2017-03-01,5")


def test_rows_of_empty_cells_are_no_rows(tmp_path: Path) -> None:
    plan, report = planned(tmp_path, GOOD, ",,,,,,,", ",,,")
    assert totals(plan).opened == 1
    assert report.refused == []


def test_a_folder_without_the_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"does not hold sales_pipeline\.csv, the list of deals"):
        plan_crm(tmp_path, Report())


def test_a_won_deal_is_opened_and_won_and_a_lost_one_has_a_reason(tmp_path: Path) -> None:
    plan, _ = planned(tmp_path, GOOD, "A3,Ada Berg,GTX Pro,,Lost,2017-01-01,2017-03-01,0")
    opened, won, other, lost = bodies(plan, "deals")
    assert opened["external"] == {"source": "crm", "id": "A1"}
    assert opened["customer"] == "ext:crm:cancity"
    assert opened["opened_on"] == "2016-10-20"
    assert "value" not in opened
    assert won == {
        "do": "win",
        "deal": "ext:crm:A1",
        "on": "2017-03-01",
        "value": {"amount": "1054.00", "currency": "USD"},
    }
    assert "customer" not in other
    assert lost == {"do": "lose", "deal": "ext:crm:A3", "on": "2017-03-01", "reason": "not stated"}


def test_no_id_tells_who_somebody_is(tmp_path: Path) -> None:
    plan, _ = planned(tmp_path, GOOD)
    (member,) = bodies(plan, "members")
    assert member["name"] == "Ada Berg"
    assert "ada" not in member["external"]["id"]
    assert "berg" not in str(bodies(plan, "deals")).lower()


def test_a_deal_without_opening_day_is_there_from_the_last_day_of_the_file_and_said_to_be(tmp_path: Path) -> None:
    plan, report = planned(tmp_path, GOOD, "A2,Ada Berg,X,,Prospecting,,,", "A3,Ada Berg,X,C,Won,,2017-02-01,5")
    opened = {row["external"]["id"]: row["opened_on"] for row in bodies(plan, "deals") if "external" in row}
    assert opened == {"A1": "2016-10-20", "A2": "2017-03-01", "A3": "2017-02-01"}
    assert [str(note) for note in report.repaired] == [
        "deals.csv, line 3: no opening day; taken as the day the file speaks of last, 2017-03-01",
        "deals.csv, line 4: no opening day; taken as the day it was closed",
    ]


def test_an_open_deal_keeps_its_stage_and_its_expected_value(tmp_path: Path) -> None:
    plan, _ = planned(tmp_path, "A1,Ada,X,C,Engaging,2017-01-01,,500", "A2,Ada,X,C,Prospecting,2017-01-01,,")
    first, second = bodies(plan, "deals")
    assert (first["stage"], first["value"]) == ("engaging", {"amount": "500.00", "currency": "USD"})
    assert second["stage"] == "prospecting"
    assert "value" not in second


def test_days_with_the_day_first_are_not_taken_for_others(tmp_path: Path) -> None:
    rows = ("A1,Ada,X,C,Won,3/1/2017,25/3/2017,5", "A2,Ada,X,C,Won,3/1/2017,4/2/2017,5",
            "A3,Ada,X,C,Won,2017-01-03,2017-02-04,5")  # fmt: skip
    plan, report = planned(tmp_path, *rows)
    assert totals(plan).won == 1
    assert [note.line for note in report.refused] == [2, 3]
    assert "have the day first, as in line 2" in report.refused[0].what


def test_hubspot_and_salesforce_say_the_same_as_the_native_list(tmp_path: Path) -> None:
    native, _ = planned(tmp_path, GOOD, "A2,Zane,X,,Engaging,2017-01-02,,")
    hubspot, _ = planned(
        tmp_path,
        "A1,GTX Pro - Cancity,Sales Pipeline,Closed Won,1054,2016-10-20 00:00,2017-03-01 00:00,Ada Berg,Cancity",
        "A2,X - (no company),Sales Pipeline,Qualified To Buy,,2017-01-02 00:00,,Zane,",
        header=HUBSPOT,
    )
    salesforce, _ = planned(
        tmp_path,
        'Ada Berg,Cancity,GTX Pro,Closed Won,"$1,054.00",3/1/2017,10/20/2016,100%,A1',
        "Zane,,X,Qualification,,,1/2/2017,20%,A2",
        header=SALESFORCE,
    )
    for step in native.steps:
        assert bodies(native, step) == bodies(hubspot, step) == bodies(salesforce, step)


def test_the_labels_of_the_salesforce_api_are_known_too(tmp_path: Path) -> None:
    header = "Id,Name,AccountId,Amount,CloseDate,StageName,OwnerId,CreatedDate"
    plan, report = planned(
        tmp_path, "006A,GTX Pro,001A,1054.00,2017-03-01,Closed Won,005A,2016-10-20T08:00:00Z", header=header
    )
    assert totals(plan).won == 1
    assert report.refused == []


def test_a_deal_name_that_names_no_company_is_kept_as_a_name_and_makes_no_product(tmp_path: Path) -> None:
    row = "A1,Renewal third quarter,Sales Pipeline,Contract Sent,10,2017-01-02,,Ada,Cancity"
    plan, _ = planned(tmp_path, row, header=HUBSPOT)
    (deal,) = bodies(plan, "deals")
    assert deal["name"] == "Renewal third quarter"
    assert deal["stage"] == "contract"
    assert "product" not in deal
    assert bodies(plan, "products") == []


def test_the_currency_is_the_one_asked_for(tmp_path: Path) -> None:
    plan, _ = planned(tmp_path, GOOD, currency="CHF")
    assert {code: str(amount) for code, amount in totals(plan).revenue.items()} == {"CHF": "1054.00 CHF"}


def test_a_semicolon_list_with_decimal_commas_is_read(tmp_path: Path) -> None:
    plan, _ = planned(tmp_path, "A1;Ada;X;C;Won;2017-01-01;2017-03-01;1.054,50", header=HEADER.replace(",", ";"))
    assert str(totals(plan).revenue["USD"]) == "1054.50 USD"


def folder_of(tmp_path: Path, **files: str) -> Path:
    for name, content in files.items():
        (tmp_path / f"{name}.csv").write_text(content, encoding="utf-8")
    return tmp_path


def test_a_folder_makes_teams_of_managers_and_says_what_stands_in_one_file_only(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path,
        sales_pipeline=f"{HEADER}\n{GOOD}\nA2,Zane Levy,gtx pro,Nowhere,Won,2017-01-01,2017-01-02,1\n"
        "A3,Zane Levy,Odd,Cancity,Won,2017-01-01,2017-01-02,1\n",
        sales_teams="sales_agent,manager,regional_office\nAda Berg,Melvin,East\n",
        accounts="account,sector,office_location\nCancity,technolgy,Philipines\n",
        products="product,sales_price\nGTX Pro,4821\n",
    )
    report = Report()
    plan = plan_crm(folder, report)
    (team,) = bodies(plan, "teams")
    assert (team["name"], team["region"], team["department"]) == ("Melvin", "East", "sales")
    assert team["leader"] == f"ext:crm:{bodies(plan, 'managers')[0]['external']['id']}"
    assert {row["member"] for row in bodies(plan, "memberships")} == {
        "ext:crm:" + row["external"]["id"] for row in [*bodies(plan, "managers"), *bodies(plan, "members")]
        if row["name"] != "Zane Levy"
    }  # fmt: skip
    assert all(row["from"] == "2016-01-01" for row in bodies(plan, "memberships"))
    assert bodies(plan, "customers")[0]["region"] == "Philippines"
    assert {row["product"] for row in bodies(plan, "deals") if "product" in row} == {"ext:crm:gtx-pro", "ext:crm:odd"}
    assert sorted(str(note) for note in report.repaired) == [
        "accounts.csv, line 2: office_location Philipines taken as Philippines",
        "accounts.csv, line 2: sector technolgy taken as technology",
        "sales_pipeline.csv, line 3: product gtx pro taken as GTX Pro",
        "sales_pipeline.csv, line 3: the account is not in accounts.csv; taken with its name only",
        "sales_pipeline.csv, line 3: the agent is in no team of sales_teams.csv; taken without a team",
        "sales_pipeline.csv, line 4: the product is not in products.csv; taken without a price",
    ]


def test_a_manager_who_sells_is_one_person_in_the_team_they_lead(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path,
        sales_pipeline=f"{HEADER}\n{GOOD}\nA2,Mel,X,C,Won,2017-01-01,2017-01-02,1\n",
        sales_teams="sales_agent,manager,regional_office\nAda Berg,Mel,East\nMel,Mel,East\n",
    )
    plan = plan_crm(folder, Report())
    assert [row["name"] for row in bodies(plan, "managers")] == ["Mel"]
    assert [row["name"] for row in bodies(plan, "members")] == ["Ada Berg"]
    assert len(bodies(plan, "memberships")) == 2
    assert unknown(plan) == []


def test_a_folder_whose_side_file_is_broken_sends_nothing_at_all(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, sales_pipeline=f"{HEADER}\n{GOOD}\n", sales_teams="sales_agent,manager\nAda,Mel\n")
    with pytest.raises(Unreadable, match=r"sales_teams\.csv, line 1: the column regional_office is missing"):
        plan_crm(folder, Report())


def test_a_folder_without_side_files_says_what_is_left_out(tmp_path: Path) -> None:
    report = Report()
    plan_crm(folder_of(tmp_path, sales_pipeline=f"{HEADER}\n{GOOD}\n"), report)
    assert report.remarks[0] == "accounts.csv is not in the folder: what it would say is left out."


def test_names_become_ids_that_keep_different_things_apart() -> None:
    assert slug("Acme Corporation") == "acme-corporation"
    assert slug("Gekko & Co") == "gekko-co"
    assert slug("Zürich AG") == "zurich-ag"
    assert slug("C++") != slug("C#") != slug("C")
    assert slug("株式会社") != slug("有限会社")
    assert slug("!!!") != slug("???")
    assert len(slug("x" * 500)) < 120


def test_accounts_that_differ_by_signs_only_are_one_and_said_to_be(tmp_path: Path) -> None:
    plan, report = planned(
        tmp_path, "A1,Ada,X,Acme Inc,Engaging,2017-01-01,,", "A2,Ada,X,ACME-Inc,Engaging,2017-01-01,,"
    )
    assert [row["name"] for row in bodies(plan, "customers")] == ["Acme Inc"]
    assert [str(note) for note in report.repaired] == ["deals.csv, line 3: ACME-Inc taken as Acme Inc"]
