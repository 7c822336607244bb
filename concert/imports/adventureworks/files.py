"""The tables of AdventureWorks, read into typed rows; those without a header by the order of their columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from functools import partial
from pathlib import Path
from typing import TypeVar

from concert.imports.cells import BadCell
from concert.imports.report import Report
from concert.imports.tables import Broken, Row, Unreadable, each, read_table
from shared.money import Money, NotMoney, UnitPrice, line_amount

T = TypeVar("T")
SOURCE = "adventureworks"
CURRENCY = "USD"
LINES = "FactResellerSales.csv"
NEEDED = (LINES, "Product.csv", "Resellers.csv", "SalesTerritory.csv")
_CENT = Decimal("0.01")
MONTHS = [f"M{number:02d}" for number in range(1, 13)]
_LINE = ["SalesOrderNumber", "OrderDate", "ProductKey", "ResellerKey", "EmployeeKey", "SalesTerritoryKey",
         "OrderQuantity", "UnitPrice", "TotalProductCost", "SalesAmount", "StandardCost"]  # fmt: skip
_TERRITORY = ["id", "name", "country", "group", "ytd", "last_year", "cost_ytd", "cost_last", "guid", "modified"]
_SALES_PERSON = ["id", "territory", "quota", "bonus", "commission", "ytd", "last_year", "guid", "modified"]
_QUOTA = ["person", "date", "quota", "guid", "modified"]
_DEPARTMENT = ["id", "name", "group", "modified"]
_SPELL = ["person", "department", "shift", "start", "end", "modified"]


@dataclass(frozen=True, slots=True)
class Territory:
    """Where a team sells."""

    row: Row
    id: str
    name: str
    group: str


@dataclass(frozen=True, slots=True)
class SalesPerson:
    """Somebody of the sales system who sells, most of them in one territory."""

    row: Row
    id: str
    territory: str | None


@dataclass(frozen=True, slots=True)
class Assignment:
    """A territory that an employee of the warehouse sells in."""

    row: Row
    key: str
    territory: str


@dataclass(frozen=True, slots=True)
class Department:
    """A department of the company."""

    row: Row
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Spell:
    """Somebody's time in a department."""

    row: Row
    person: str
    department: str
    start: date
    end: date | None


@dataclass(frozen=True, slots=True)
class Reseller:
    """A shop that buys."""

    row: Row
    key: str
    name: str
    country: str | None


@dataclass(frozen=True, slots=True)
class Version:
    """A product with the standard cost it had for a time; the next version has a key of its own."""

    row: Row
    key: str
    name: str
    cost: Money | None


@dataclass(frozen=True, slots=True)
class Line:
    """So much of a product on an order."""

    row: Row
    order: str
    on: date
    product: str
    reseller: str
    employee: str
    territory: str
    quantity: int
    price: UnitPrice
    cost: Money | None


@dataclass(frozen=True, slots=True)
class Order:
    """An order of the sales system, without its lines."""

    row: Row
    id: str
    on: date
    subtotal: Decimal
    value: Money
    """The SubTotal in whole cents."""
    person: str
    territory: str | None


@dataclass(frozen=True, slots=True)
class Quota:
    """What a sales person shall sell from a day on."""

    row: Row
    person: str
    on: date
    value: Money


@dataclass(frozen=True, slots=True)
class MonthTarget:
    """What somebody shall sell in a month."""

    row: Row
    person: str
    year: int
    month: int
    value: Money


@dataclass(frozen=True, slots=True)
class Files:
    """Everything that was read."""

    territories: list[Territory]
    sales_people: list[SalesPerson]
    assignments: list[Assignment]
    departments: list[Department]
    spells: list[Spell]
    resellers: list[Reseller]
    versions: list[Version]
    lines: list[Line]
    broken_orders: dict[str, int]
    """Orders of which a line was refused, with that line: without it their value would be wrong."""
    orders: list[Order]
    quotas: list[Quota]
    month_targets: list[MonthTarget]

    @classmethod
    def read(cls, folder: Path, report: Report) -> Files:
        """What the files of a folder say. Raises Unreadable."""
        if missing := [name for name in NEEDED if not (folder / name).is_file()]:
            raise Unreadable(f"{folder} does not hold {', '.join(missing)}.")
        read = partial(_read, folder, report)
        broken: dict[str, int] = {}
        return cls(
            read("SalesTerritory.csv", _territory, columns=_TERRITORY),
            read("SalesPerson.csv", _sales_person, columns=_SALES_PERSON),
            read("DimEmployeeSalesTerritory.csv", _assignment, required=["EmployeeKey", "SalesTerritoryKey"]),
            read("Department.csv", _department, columns=_DEPARTMENT),
            read("EmployeeDepartmentHistory.csv", _spell, columns=_SPELL),
            read("Resellers.csv", partial(_reseller, report),
                 required=["ResellerKey", "BusinessType", "ResellerName", "Country_Region"]),
            read("Product.csv", _version, required=["ProductKey", "Product", "StandardCost"]),
            read(LINES, partial(_line, report, broken), required=_LINE, broken=partial(_break, broken)),
            broken,
            read("orders_by_salesperson.csv", _order,
                 required=["SalesOrderID", "SubTotal", "SalesPersonID", "OrderDate", "TerritoryID"]),
            read("SalesPersonQuotaHistory.csv", _quota, columns=_QUOTA),
            [target for row in read("ResellerSalesTargets.csv", _month_targets,
                                    required=["Year", "EmployeeID", *MONTHS]) for target in row],
        )  # fmt: skip


def _read(folder: Path, report: Report, name: str, read: Callable[[Row], T], *,
          columns: Sequence[str] | None = None, required: Sequence[str] = (),
          broken: Broken | None = None) -> list[T]:  # fmt: skip
    path = folder / name
    if not path.is_file():
        report.remark(f"{name} is not in the folder: what it would say is left out.")
        return []
    return list(each(read_table(path, report, columns=columns, required=required, broken=broken), report, read))


def _territory(row: Row) -> Territory:
    return Territory(row, row.need("id"), row.need("name"), row.need("group"))


def _sales_person(row: Row) -> SalesPerson:
    return SalesPerson(row, row.need("id"), row.name("territory"))


def _assignment(row: Row) -> Assignment:
    return Assignment(row, row.need("EmployeeKey"), row.need("SalesTerritoryKey"))


def _department(row: Row) -> Department:
    return Department(row, row.need("id"), row.need("name"))


def _spell(row: Row) -> Spell:
    return Spell(row, row.need("person"), row.need("department"), row.needed_day("start"), row.day("end"))


def _reseller(report: Report, row: Row) -> Reseller:
    if row.text("BusinessType") == "Ware House":
        report.repair(row.file, row.line, "BusinessType Ware House taken as Warehouse")
    return Reseller(row, row.need("ResellerKey"), row.need("ResellerName"), row.name("Country_Region"))


def _version(row: Row) -> Version:
    return Version(row, row.need("ProductKey"), row.need("Product"), row.money("StandardCost", CURRENCY))


def _line(report: Report, broken: dict[str, int], row: Row) -> Line:
    try:
        return _sound_line(report, row)
    except (BadCell, NotMoney):
        broken.setdefault(row.text("SalesOrderNumber") or "", row.line)
        raise


def _break(broken: dict[str, int], line: int, cells: dict[str, str]) -> None:
    broken.setdefault(cells.get("SalesOrderNumber", "").strip(), line)


def _sound_line(report: Report, row: Row) -> Line:
    quantity, price = row.needed_number("OrderQuantity"), _unit_price(row)
    if quantity <= 0 or quantity != int(quantity):
        raise BadCell(f"OrderQuantity is {quantity}; it must be a whole number above 0")
    if line_amount(quantity, price) != row.needed_money("SalesAmount", CURRENCY):
        raise BadCell(f"SalesAmount is {row.text('SalesAmount')}, not OrderQuantity times UnitPrice, "
                      f"which is {line_amount(quantity, price).text}")  # fmt: skip
    cost, standard = row.money("TotalProductCost", CURRENCY), row.money("StandardCost", CURRENCY)
    if cost is None and standard is not None:
        cost = line_amount(quantity, UnitPrice.of(standard))
        report.repair(row.file, row.line, "no TotalProductCost; taken as StandardCost times OrderQuantity")
    return Line(row, row.need("SalesOrderNumber"), row.needed_day("OrderDate"), row.need("ProductKey"),
                row.need("ResellerKey"), row.need("EmployeeKey"), row.need("SalesTerritoryKey"), int(quantity), price,
                cost)  # fmt: skip


def _unit_price(row: Row) -> UnitPrice:
    price = row.needed_number("UnitPrice")
    if price < 0:
        raise BadCell(f"UnitPrice is {price}; it must not be negative")
    try:
        return UnitPrice(price, CURRENCY)
    except NotMoney as fault:
        raise BadCell(f"UnitPrice is {price}; {fault}") from None


def _order(row: Row) -> Order:
    subtotal = row.needed_number("SubTotal")
    if subtotal < 0:
        raise BadCell(f"SubTotal is {subtotal}; it must not be negative")
    value = Money(subtotal.quantize(_CENT, ROUND_HALF_EVEN), CURRENCY)
    return Order(row, row.need("SalesOrderID"), row.needed_day("OrderDate"), subtotal, value, row.need("SalesPersonID"),
                 row.name("TerritoryID"))  # fmt: skip


def _quota(row: Row) -> Quota:
    return Quota(row, row.need("person"), row.needed_day("date"), row.needed_money("quota", CURRENCY))


def _month_targets(row: Row) -> list[MonthTarget]:
    year, person = row.needed_number("Year"), row.need("EmployeeID")
    if not 1900 <= year <= 2999 or year != int(year):
        raise BadCell(f"Year is {year}; a year is written as 2017")
    targets = []
    for number, column in enumerate(MONTHS, 1):
        thousands = row.number(column)
        if thousands is not None:
            if thousands < 0:
                raise BadCell(f"{column} is {thousands}; it must not be negative")
            targets.append(MonthTarget(row, person, int(year), number, Money(thousands * 1000, CURRENCY)))
    return targets
