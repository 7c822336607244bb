"""AdventureWorks: a bicycle maker's reseller sales, from the tables of its warehouse and of its sales system.

Two systems of one company, told apart by their source: the warehouse (`awdw`: order lines with cost, 2017 to 2020) and
the sales system (`aw`: orders and quotas by sales person, 2011 to 2014). Their periods do not overlap, so nothing is
counted twice. The basis of both is without tax and freight: SalesAmount of the lines, SubTotal of the orders.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from concert.imports.plan import Plan, day, money
from concert.imports.tables import BadCell, Report, Row, Unreadable, read_table

WAREHOUSE, SYSTEM = "awdw", "aw"
CURRENCY = "USD"
SALES_BEGIN = date(2011, 1, 1)
WAREHOUSE_BEGIN = date(2017, 1, 1)
QUOTA_DAYS = 92
TERRITORIES = ["id", "name", "country", "group", "ytd", "last_year", "cost_ytd", "cost_last", "guid", "modified"]
PEOPLE = ["id", "territory", "quota", "bonus", "commission", "ytd", "last_year", "guid", "modified"]
QUOTAS = ["person", "from", "quota", "guid", "modified"]
DEPARTMENTS = ["id", "name", "group", "modified"]
MONTHS = [f"M{number:02d}" for number in range(1, 13)]


@dataclass(slots=True)
class Order:
    """An order of the warehouse while its lines are gathered."""

    row: Row
    number: str
    on: date
    reseller: str
    owner: str
    territory: str
    lines: list[dict[str, object]] = field(default_factory=list)


def plan_adventureworks(folder: Path, report: Report) -> Plan:
    """The plan for the folder. Raises Unreadable."""
    if not (folder / "FactResellerSales.csv").exists():
        raise Unreadable(f"{folder} does not hold FactResellerSales.csv, the order lines.")
    plan = Plan(WAREHOUSE, period="2011/2020")
    _plan_territories(plan, folder, report)
    _plan_warehouse_people(plan, folder, report)
    _plan_sales_people(plan, folder, report)
    _plan_resellers(plan, folder, report)
    _plan_products(plan, folder, report)
    for order in _orders(folder, report):
        _plan_order(plan, order)
    _plan_system_orders(plan, folder, report)
    _plan_quotas(plan, folder, report)
    _plan_monthly_targets(plan, folder, report)
    return plan


def _ext(source: str, name: str) -> dict[str, str]:
    return {"source": source, "id": name}


def _plan_territories(plan: Plan, folder: Path, report: Report) -> None:
    """Each territory is a team; both systems number the territories alike."""
    for row in read_table(folder / "SalesTerritory.csv", report, columns=TERRITORIES):
        body = {"name": row.need("name"), "department": "sales", "region": row.need("group")}
        plan.step("teams").add({"external": _ext(SYSTEM, f"territory-{row.need('id')}")} | body, row)


def _team(territory: str) -> str:
    return f"ext:{SYSTEM}:territory-{territory}"


def _plan_warehouse_people(plan: Plan, folder: Path, report: Report) -> None:
    """People of the warehouse; one who shares several territories belongs to several teams, each deal to one."""
    people, joins = plan.step("members"), plan.step("memberships", "members")
    seen: set[str] = set()
    for row in read_table(folder / "DimEmployeeSalesTerritory.csv", report,
                          required=["EmployeeKey", "SalesTerritoryKey"]):  # fmt: skip
        key, territory = row.need("EmployeeKey"), row.need("SalesTerritoryKey")
        if key not in seen:
            seen.add(key)
            people.add(_person(WAREHOUSE, key, WAREHOUSE_BEGIN), row)
        if territory != "11":
            joins.add(_join(WAREHOUSE, key, territory, WAREHOUSE_BEGIN), row)
        else:
            report.remark("Territory 11 (no territory) is not a team.")


def _plan_sales_people(plan: Plan, folder: Path, report: Report) -> None:
    people, joins = plan.step("members"), plan.step("memberships", "members")
    for row in read_table(folder / "SalesPerson.csv", report, columns=PEOPLE):
        key = row.need("id")
        people.add(_person(SYSTEM, key, SALES_BEGIN), row)
        territory = row.text("territory")
        if territory is not None:
            joins.add(_join(SYSTEM, key, territory, SALES_BEGIN), row)


def _person(source: str, key: str, begin: date) -> dict[str, object]:
    name = f"Employee {key}" if source == WAREHOUSE else f"Sales person {key}"
    return {"external": _ext(source, key), "name": name, "department": "sales", "starts_on": day(begin)}


def _join(source: str, key: str, territory: str, begin: date) -> dict[str, object]:
    return {"do": "join", "member": f"ext:{source}:{key}", "team": _team(territory), "from": day(begin)}


def _plan_resellers(plan: Plan, folder: Path, report: Report) -> None:
    step = plan.step("customers")
    for row in read_table(folder / "Resellers.csv", report, required=["ResellerKey", "ResellerName"]):
        name = row.need("ResellerName")
        body = {"name": name, "region": row.text("Country_Region")}
        if "Ware House" in name:
            report.repair(row, "Ware House written as Warehouse")
            body["name"] = name.replace("Ware House", "Warehouse")
        step.add({"external": _ext(WAREHOUSE, f"reseller-{row.need('ResellerKey')}")} | body, row)


def _plan_products(plan: Plan, folder: Path, report: Report) -> None:
    products, costs = plan.step("products"), plan.step("costs", "products")
    for row in read_table(folder / "Product.csv", report, required=["ProductKey", "Product", "StandardCost"]):
        key = f"product-{row.need('ProductKey')}"
        products.add({"external": _ext(WAREHOUSE, key), "name": row.need("Product")}, row)
        cost = row.number("StandardCost")
        if cost is not None:
            body = {"cost": money(cost, CURRENCY), "from": day(WAREHOUSE_BEGIN)}
            costs.add({"do": "costs", "product": f"ext:{WAREHOUSE}:{key}"} | body, row)


def _orders(folder: Path, report: Report) -> Iterator[Order]:
    """Orders with their lines, in the order of the file."""
    orders: dict[str, Order] = {}
    required = ["SalesOrderNumber", "OrderDate", "ProductKey", "ResellerKey", "EmployeeKey", "SalesTerritoryKey",
                "OrderQuantity", "UnitPrice", "TotalProductCost", "StandardCost"]  # fmt: skip
    for row in read_table(folder / "FactResellerSales.csv", report, required=required):
        try:
            order = orders.setdefault(row.need("SalesOrderNumber"), _order(row))
            order.lines.append(_line(row, report))
        except BadCell as fault:
            report.refuse(row, str(fault))
    return iter([order for order in orders.values() if order.lines])


def _order(row: Row) -> Order:
    on = row.day("OrderDate")
    if on is None:
        raise BadCell("OrderDate is empty")
    return Order(row, row.need("SalesOrderNumber"), on, row.need("ResellerKey"), row.need("EmployeeKey"),
                 row.need("SalesTerritoryKey"))  # fmt: skip


def _line(row: Row, report: Report) -> dict[str, object]:
    quantity, price = row.number("OrderQuantity"), row.number("UnitPrice")
    cost, standard = row.number("TotalProductCost"), row.number("StandardCost")
    if quantity is None or price is None or quantity <= 0 or price < 0:
        raise BadCell(f"a line needs a quantity above 0 and a price not below 0; it has {quantity} and {price}")
    if cost is None and standard is not None:
        cost = standard * quantity
        report.repair(row, "TotalProductCost is missing; taken as StandardCost times OrderQuantity")
    line: dict[str, object] = {
        "product": f"ext:{WAREHOUSE}:product-{row.need('ProductKey')}",
        "quantity": f"{quantity:f}",
        "unit_price": {"amount": f"{price:f}", "currency": CURRENCY},
    }
    return line | ({"cost": money(cost, CURRENCY)} if cost is not None else {})


def _plan_order(plan: Plan, order: Order) -> None:
    step, name = plan.step("deals"), f"order-{order.number}"
    body: dict[str, object] = {
        "external": _ext(WAREHOUSE, name),
        "owner": f"ext:{WAREHOUSE}:{order.owner}",
        "customer": f"ext:{WAREHOUSE}:reseller-{order.reseller}",
        "team": _team(order.territory),
        "opened_on": day(order.on),
        "name": order.number,
    }
    step.add(body, order.row)
    step.add({"do": "win", "deal": f"ext:{WAREHOUSE}:{name}", "on": day(order.on), "lines": order.lines}, order.row)


def _plan_system_orders(plan: Plan, folder: Path, report: Report) -> None:
    """Orders of the sales system, by their SubTotal; it has four decimals and is rounded to cents per order."""
    step = plan.step("deals")
    required = ["SalesOrderID", "SubTotal", "SalesPersonID", "OrderDate", "TerritoryID"]
    for row in read_table(folder / "orders_by_salesperson.csv", report, required=required):
        try:
            amount, on = row.number("SubTotal"), row.day("OrderDate")
            if amount is None or on is None:
                raise BadCell("SubTotal or OrderDate is empty")
            name = f"order-{row.need('SalesOrderID')}"
            body = {"external": _ext(SYSTEM, name), "owner": f"ext:{SYSTEM}:{row.need('SalesPersonID')}",
                    "team": _team(row.need("TerritoryID")), "opened_on": day(on)}  # fmt: skip
        except BadCell as fault:
            report.refuse(row, str(fault))
            continue
        step.add(body, row)
        won = {"do": "win", "deal": f"ext:{SYSTEM}:{name}", "on": day(on), "value": money(amount, CURRENCY)}
        step.add(won, row)
        if amount != amount.quantize(Decimal("0.01")):
            report.repair(row, "SubTotal rounded to cents")


def _plan_quotas(plan: Plan, folder: Path, report: Report) -> None:
    """A quota holds from its date to the next quota of the same person; the last one for a quarter."""
    by_person: dict[str, list[tuple[date, Decimal, Row]]] = {}
    for row in read_table(folder / "SalesPersonQuotaHistory.csv", report, columns=QUOTAS):
        begin, quota = row.day("from"), row.number("quota")
        if begin is None or quota is None:
            report.refuse(row, "the quota or its date is empty")
            continue
        by_person.setdefault(row.need("person"), []).append((begin, quota, row))
    step = plan.step("targets")
    for person, quotas in sorted(by_person.items()):
        quotas.sort(key=lambda each: each[0])
        for place, (begin, quota, row) in enumerate(quotas):
            last = place + 1 == len(quotas)
            end = begin + timedelta(days=QUOTA_DAYS) if last else quotas[place + 1][0]
            body = _target(SYSTEM, person, f"quota-{person}-{begin}", {"from": day(begin), "to": day(end)}, quota)
            step.add(body, row)


def _plan_monthly_targets(plan: Plan, folder: Path, report: Report) -> None:
    """Monthly targets in thousands; the file names people by a number that no other file knows."""
    people, step = plan.step("members"), plan.step("targets")
    seen: set[str] = set()
    for row in read_table(folder / "ResellerSalesTargets.csv", report, required=["Year", "EmployeeID", *MONTHS]):
        person, year = f"national-{row.need('EmployeeID')}", int(row.need("Year"))
        if person not in seen:
            seen.add(person)
            people.add(_person(WAREHOUSE, person, WAREHOUSE_BEGIN), row)
        for number, column in enumerate(MONTHS, 1):
            thousands = row.number(column)
            if thousands is not None:
                label = f"{year}-{number:02d}"
                step.add(_target(WAREHOUSE, person, f"target-{person}-{label}", label, thousands * 1000), row)
    report.remark("The monthly targets name people by a number that no other file maps; they stand as members of"
                  " their own, without deals.")  # fmt: skip


def _target(source: str, person: str, name: str, period: object, value: Decimal) -> dict[str, object]:
    return {
        "external": _ext(source, name),
        "metric": "revenue",
        "scope": {"level": "member", "ref": f"ext:{source}:{person}"},
        "period": period,
        "value": money(value, CURRENCY),
    }
