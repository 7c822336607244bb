"""AdventureWorks: the published figures of the real files, and what is said of broken ones."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from concert.imports.adventureworks import plan_adventureworks
from concert.imports.plan import Body, Plan, totals, worth
from concert.imports.report import Report
from concert.imports.tables import Unreadable
from shared.money import Money
from tests.imports.data_sets import folder
from tests.imports.known import unknown


@pytest.fixture(scope="module")
def real() -> tuple[Plan, Report]:
    report = Report()
    return plan_adventureworks(folder("adventureworks"), report), report


def rows(plan: Plan, step: str) -> list[Body]:
    return list(plan.steps[step].rows()) if step in plan.steps else []


def won_between(plan: Plan, start: str, end: str) -> tuple[int, Money]:
    wins = [row for row in rows(plan, "deals") if row.get("do") == "win" and start <= row["on"] < end]
    return len(wins), Money.total(map(worth, wins), "USD")


def test_the_order_lines_add_up_to_the_published_sum_in_their_own_period(real: tuple[Plan, Report]) -> None:
    plan, report = real
    assert won_between(plan, "2017-07-01", "2020-06-01") == (3616, Money("77548570.20", "USD"))
    assert report.refused == []


def test_the_sales_system_has_its_own_period_and_a_named_basis(real: tuple[Plan, Report]) -> None:
    plan, report = real
    assert won_between(plan, "2011-05-31", "2014-06-01") == (3806, Money("80487704.19", "USD"))
    assert any("SubTotal, without tax and freight: 80487704.1832 exactly" in remark for remark in report.remarks)
    assert dict(report.repairs())["SubTotal rounded to cents, half to even"] == 3485
    assert [(span.start, span.end) for span in plan.spans] == [
        (date(2011, 5, 31), date(2014, 6, 1)), (date(2017, 7, 1), date(2020, 6, 1))
    ]  # fmt: skip


def test_that_both_systems_hold_the_same_orders_is_said_and_one_of_them_can_be_left_out() -> None:
    report = Report()
    plan = plan_adventureworks(folder("adventureworks"), report, with_orders=False)
    found = totals(plan)
    assert (found.won, str(found.revenue["USD"])) == (3616, "77548570.20 USD")
    both = Report()
    plan_adventureworks(folder("adventureworks"), both)
    assert any(remark.startswith("3616 orders stand in both systems") for remark in both.remarks)


def test_nothing_is_spoken_of_before_it_is_made_and_nothing_is_made_twice(real: tuple[Plan, Report]) -> None:
    assert unknown(real[0]) == []


def test_quotas_add_up_and_each_holds_until_the_next(real: tuple[Plan, Report]) -> None:
    plan, _ = real
    quotas = [row for row in rows(plan, "targets") if row["external"]["id"].startswith("quota-")]
    assert len(quotas) == 163
    assert Money.total((Money(**row["value"]) for row in quotas), "USD") == Money("95714000.00", "USD")
    windows = [row["period"] for row in quotas if row["scope"]["ref"] == "ext:adventureworks:employee-275"]
    assert windows[0] == {"from": "2011-05-31", "to": "2011-08-31"}
    assert windows[-1] == {"from": "2014-03-01", "to": "2014-06-01"}
    assert all(one["to"] == following["from"] for one, following in pairwise(windows))


def test_nobody_is_made_twice_whom_the_common_orders_tell_to_be_one(real: tuple[Plan, Report]) -> None:
    plan, _ = real
    ids = [row["external"]["id"] for row in rows(plan, "members") if "starts_on" in row]
    assert len(ids) == len(set(ids)) == 290 + 1 + 18
    assert [name for name in ids if name.startswith("employee-key-")] == ["employee-key-277"]
    owners = {row["owner"] for row in rows(plan, "deals") if "owner" in row}
    assert owners == {f"ext:adventureworks:employee-{number}" for number in range(274, 291)}


def test_private_numbers_are_not_ids_and_not_names(real: tuple[Plan, Report]) -> None:
    plan, _ = real
    told = str([rows(plan, name) for name in ("members", "targets")])
    assert "502097814" not in told
    assert "Employee \u20267814" in told


def test_each_deal_names_the_team_it_counts_for_and_members_of_several_teams_are_joined_once(
    real: tuple[Plan, Report],
) -> None:
    plan, _ = real
    opened = [row for row in rows(plan, "deals") if "external" in row]
    assert all(row["team"].startswith("ext:adventureworks:territory-") for row in opened)
    joins = Counter((row["member"], row["team"]) for row in rows(plan, "memberships"))
    assert set(joins.values()) == {1}
    shared = Counter(member for member, _ in joins)
    assert shared["ext:adventureworks:employee-key-277"] == 10


def test_versions_of_a_product_are_one_product_with_dated_costs(real: tuple[Plan, Report]) -> None:
    plan, _ = real
    names = [row["name"] for row in rows(plan, "products")]
    assert len(names) == len(set(names)) == 295
    helmet = [(row["from"], row["cost"]["amount"]) for row in rows(plan, "costs")
              if row["product"] == "ext:adventureworks:product-212"]  # fmt: skip
    assert helmet == [("2017-07-01", "12.03"), ("2018-07-01", "13.88"), ("2019-07-01", "13.09")]


def test_every_line_has_its_cost_and_the_missing_ones_were_mended(real: tuple[Plan, Report]) -> None:
    plan, report = real
    lines = [line for row in rows(plan, "deals") for line in row.get("lines", [])]
    assert len(lines) == 57851
    assert sum(Decimal(line["cost"]["amount"]) for line in lines) == Decimal("76549075.63")
    assert dict(report.repairs())["no TotalProductCost; taken as StandardCost times OrderQuantity"] == 76
    assert dict(report.repairs())["BusinessType Ware House taken as Warehouse"] == 5


def test_people_change_departments_on_the_days_of_their_history(real: tuple[Plan, Report]) -> None:
    plan, _ = real
    told = [row for row in rows(plan, "members") if row["external"]["id"] == "employee-234"]
    assert [(row["department"], row.get("starts_on") or row["on"]) for row in told] == [
        ("finance", "2009-01-31"), ("ext:adventureworks:department-16", "2013-11-14")
    ]  # fmt: skip
    assert len(rows(plan, "departments")) == 12


LINES = ("SalesOrderNumber,OrderDate,ProductKey,ResellerKey,EmployeeKey,SalesTerritoryKey,OrderQuantity,UnitPrice,"
         "TotalProductCost,SalesAmount,StandardCost")  # fmt: skip
GOOD = "SO1,2017-07-01,1,1,285,5,2,10.50,12.00,21.00,6.00"
SMALL = {
    "FactResellerSales": [LINES, GOOD],
    "Product": ["ProductKey,Product,StandardCost", "1,Helmet,6.00"],
    "Resellers": ["ResellerKey,BusinessType,ResellerName,Country_Region", "1,Warehouse,A Bike Store,Canada"],
    "SalesTerritory": ["5\tSoutheast\tUS\tNorth America\t1\t1\t0\t0\t{}\t2008-04-30 00:00:00"],
}  # fmt: skip


def planned(place: Path, **files: list[str]) -> tuple[Plan, Report]:
    for name, lines in (SMALL | files).items():
        (place / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    report = Report()
    return plan_adventureworks(place, report), report


def test_a_folder_with_the_order_lines_alone_is_enough(tmp_path: Path) -> None:
    plan, report = planned(tmp_path)
    assert str(totals(plan).revenue["USD"]) == "21.00 USD"
    assert report.refused == []
    assert "SalesPerson.csv is not in the folder: what it would say is left out." in report.remarks


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("SO2,2017-07-01,1,1,285,5,0,10.50,12.00,0.00,6.00", "OrderQuantity is 0; it must be a whole number"),
        ("SO2,2017-07-01,1,1,285,5,1.5,10.00,12.00,15.00,6.00", "OrderQuantity is 1.5; it must be a whole"),
        ("SO2,2017-07-01,1,1,285,5,1,-10.50,12.00,-10.50,6.00", "UnitPrice is -10.50; it must not be negative"),
        ("SO2,2017-07-01,1,1,285,5,1,10.5000001,12.00,10.50,6.00", "UnitPrice is 10.5000001; A price per piece has"),
        ("SO2,2017-07-01,1,1,285,5,2,10.50,12.00,20.00,6.00", "SalesAmount is 20.00, not OrderQuantity times"),
        ("SO2,never,1,1,285,5,2,10.50,12.00,21.00,6.00", "OrderDate is 'never'"),
        ("SO2,2017-07-01,9,1,285,5,2,10.50,12.00,21.00,6.00", "order SO2 is left out: ProductKey 9 is not in"),
        ("SO2,2017-07-01,1,1,285,5,999999999999999999,999999999999,12.00,1.00,6.00", "999999"),
        ("SO2,2017-07-01,1,1,285,5,2,10.50", "the row has 8 cells, 11 are expected"),
    ],
)  # fmt: skip
def test_an_order_with_a_broken_line_is_not_taken_for_less_than_its_value(tmp_path: Path, line: str, why: str) -> None:
    plan, report = planned(tmp_path, FactResellerSales=[LINES, GOOD, GOOD.replace("SO1", "SO2"), line])
    assert str(totals(plan).revenue["USD"]) == "21.00 USD"
    refused = {note.line: note.what for note in report.refused}
    assert refused.keys() == {3, 4}
    assert any(why in reason for reason in refused.values())
    assert refused[3].startswith("order SO2 is left out: ")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (",1,9,285,5,", "order SO2 is left out: ResellerKey 9 is not in Resellers.csv"),
        (",1,1,285,9,", "order SO2 is left out: SalesTerritoryKey 9 is not in SalesTerritory.csv"),
    ],
)
def test_an_order_of_somebody_unknown_is_refused(tmp_path: Path, line: str, why: str) -> None:
    order = GOOD.replace("SO1", "SO2").replace(",1,1,285,5,", line)
    plan, report = planned(tmp_path, FactResellerSales=[LINES, GOOD, order])
    assert totals(plan).won == 1
    assert [str(note) for note in report.refused] == [f"FactResellerSales.csv, line 3: {why}"]


def test_lines_of_an_order_that_contradict_one_another_are_refused_together(tmp_path: Path) -> None:
    plan, report = planned(tmp_path, FactResellerSales=[LINES, GOOD, GOOD.replace(",285,", ",286,"),
                                                        GOOD.replace("SO1", "SO2")])  # fmt: skip
    assert totals(plan).won == 1
    assert {note.line for note in report.refused} == {2, 3}
    assert "line 3 differs in day, reseller, employee or territory" in report.refused[0].what


SIDES: list[tuple[str, list[str], str]] = [
    ("SalesPersonQuotaHistory", ["275\t2011-05-31\tmuch\t{}\t2011-04-16"], "quota is 'much', which is not a number"),
    ("SalesPersonQuotaHistory", ["275\t2011-05-31\t-5\t{}\t2011-04-16"], "quota is '-5'; it must not be negative"),
    ("SalesPersonQuotaHistory", ["275\t\t5\t{}\t2011-04-16"], "date is empty"),
    ("SalesPersonQuotaHistory", ["275\t2011-05-31\t5\t{}\tx", "275\t2011-05-31\t6\t{}\tx"], "a second quota from"),
    ("SalesPerson", ["\t5\t1\t0\t0\t0\t0\t{}\tx"], "id is empty"),
    ("DimEmployeeSalesTerritory", ["EmployeeKey,SalesTerritoryKey", "285,11"], "SalesTerritoryKey 11 is not in"),
    ("EmployeeDepartmentHistory", ["275\t3\t1\tsoon\t\tx"], "start is 'soon'"),
    ("orders_by_salesperson", ["SalesOrderID,SubTotal,SalesPersonID,OrderDate,TerritoryID", "1,-5.00,275,2011-05-31,5"],
     "SubTotal is -5.00; it must not be negative"),
    ("orders_by_salesperson", ["SalesOrderID,SubTotal,SalesPersonID,OrderDate,TerritoryID", "1,5.00,275,2011-05-31,9"],
     "TerritoryID 9 is not in SalesTerritory.csv"),
    ("ResellerSalesTargets", ["Year,EmployeeID," + ",".join(f"M{n:02d}" for n in range(1, 13)),
                              "then,7" + ",1" * 12], "Year is 'then', which is not a number"),
    ("ResellerSalesTargets", ["Year,EmployeeID," + ",".join(f"M{n:02d}" for n in range(1, 13)),
                              "2017,7,-1" + ",1" * 11], "M01 is -1; it must not be negative"),
    ("ResellerSalesTargets", ["Year,EmployeeID," + ",".join(f"M{n:02d}" for n in range(1, 13)),
                              "2017,7,0.000001" + ",1" * 11], "An amount in USD has at most 2 decimals"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "lines", "why"), SIDES)
def test_a_broken_row_of_any_file_is_refused_by_line(tmp_path: Path, name: str, lines: list[str], why: str) -> None:
    plan, report = planned(tmp_path, **{name: lines})
    assert [note.file for note in report.refused] == [f"{name}.csv"]
    assert why in report.refused[0].what
    assert totals(plan).won == 1


def test_a_folder_without_what_is_needed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        Unreadable, match=r"does not hold FactResellerSales\.csv, Product\.csv, Resellers\.csv, SalesTerr"
    ):
        plan_adventureworks(tmp_path, Report())


def test_somebody_whose_last_department_ended_has_left(tmp_path: Path) -> None:
    plan, _ = planned(tmp_path, EmployeeDepartmentHistory=["275\t3\t1\t2011-05-31\t2012-01-31\tx"])
    told: list[dict[str, Any]] = [row for row in rows(plan, "members") if "275" in str(row)]
    assert told[-1] == {"do": "leave", "member": "ext:adventureworks:employee-275", "on": "2012-01-31"}


def test_monthly_targets_are_in_thousands_and_say_nothing_of_empty_months(tmp_path: Path) -> None:
    header = "Year,EmployeeID," + ",".join(f"M{number:02d}" for number in range(1, 13))
    plan, _ = planned(tmp_path, ResellerSalesTargets=[header, "2017,61161660,,NULL,1.5" + ",NULL" * 9])
    (target,) = rows(plan, "targets")
    assert (target["period"], target["value"]) == ("2017-03", {"amount": "1500.00", "currency": "USD"})


def test_quota_windows_are_days_and_not_quarters(tmp_path: Path) -> None:
    quotas = [f"275\t{day}\t100\t{{}}\tx" for day in ("2011-11-30", "2012-02-29")]
    plan, _ = planned(tmp_path, SalesPersonQuotaHistory=quotas)
    assert [row["period"] for row in rows(plan, "targets")] == [
        {"from": "2011-11-30", "to": "2012-02-29"}, {"from": "2012-02-29", "to": "2012-05-29"}
    ]  # fmt: skip
    assert plan.spans[0].end == date(2012, 5, 28) + timedelta(days=1)


def test_nobody_joins_a_team_before_they_started(tmp_path: Path) -> None:
    plan, _ = planned(
        tmp_path,
        orders_by_salesperson=["SalesOrderID,SubTotal,SalesPersonID,OrderDate,TerritoryID", "1,21.0,275,2011-05-31,5"],
        EmployeeDepartmentHistory=["275\t3\t1\t2018-01-15\t\tx"],
        DimEmployeeSalesTerritory=["EmployeeKey,SalesTerritoryKey", "285,5"],
    )
    (join,) = rows(plan, "memberships")
    assert (join["member"], join["from"]) == ("ext:adventureworks:employee-275", "2018-01-15")
