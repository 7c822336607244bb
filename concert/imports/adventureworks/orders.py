"""The orders of AdventureWorks as won deals: the warehouse's with their lines, the sales system's by their SubTotal."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from concert.imports.adventureworks.files import LINES, Files, Line, Order
from concert.imports.adventureworks.goods import products, reseller
from concert.imports.adventureworks.people import Staff, team
from concert.imports.plan import Body, Plan, day
from concert.imports.report import Report


def plan_lines(plan: Plan, files: Files, staff: Staff, report: Report) -> list[date]:
    """Order lines as deals, each for the team of its territory and won on its day; says on which days."""
    orders: dict[str, list[Line]] = {}
    for line in files.lines:
        orders.setdefault(line.order, []).append(line)
    called = products(files)
    resellers, territories = {each.key for each in files.resellers}, {each.id for each in files.territories}
    days = []
    for number, lines in orders.items():
        why = _fault(files, number, lines, called, resellers, territories)
        if why is not None:
            for line in lines:
                report.refuse(line.row.file, line.row.line, why)
            continue
        _plan_order(plan, number, lines, staff, called)
        days.append(lines[0].on)
    return days


def _fault(
    files: Files, number: str, lines: list[Line], called: dict[str, str], resellers: set[str], territories: set[str]
) -> str | None:
    """Why an order cannot be taken as a whole."""
    first = lines[0]
    if number in files.broken_orders:
        line = files.broken_orders[number]
        return f"order {number} is left out: its value would be wrong without line {line} of {LINES}"
    for each in lines:
        if (each.on, each.reseller, each.employee, each.territory) != (
            first.on, first.reseller, first.employee, first.territory
        ):  # fmt: skip
            return f"order {number} is left out: line {each.row.line} differs in day, reseller, employee or territory"
        if each.product not in called:
            return f"order {number} is left out: ProductKey {each.product} is not in Product.csv"
    if first.reseller not in resellers:
        return f"order {number} is left out: ResellerKey {first.reseller} is not in Resellers.csv"
    if first.territory not in territories:
        return f"order {number} is left out: SalesTerritoryKey {first.territory} is not in SalesTerritory.csv"
    return None


def _plan_order(plan: Plan, number: str, lines: list[Line], staff: Staff, called: dict[str, str]) -> None:
    first, name = lines[0], f"order-{number}"
    opened: Body = {
        "external": plan.external(name),
        "owner": plan.ref(staff.employee(first.employee)),
        "customer": plan.ref(reseller(first.reseller)),
        "team": plan.ref(team(first.territory)),
        "opened_on": day(first.on),
        "name": number,
    }
    sold = [_sold(plan, line, called) for line in lines]
    won: Body = {"do": "win", "deal": plan.ref(name), "on": day(first.on), "lines": sold}
    plan.step("deals").add(opened, won, origin=first.row)


def _sold(plan: Plan, line: Line, called: dict[str, str]) -> Body:
    sold: Body = {
        "product": plan.ref(called[line.product]),
        "quantity": str(line.quantity),
        "unit_price": line.price.as_json(),
    }
    return sold | ({"cost": line.cost.as_json()} if line.cost is not None else {})


def plan_system_orders(plan: Plan, files: Files, staff: Staff, report: Report) -> None:
    """Orders of the sales system as deals, without customers: it numbers them otherwise."""
    territories = {each.id for each in files.territories}
    exact = rounded = Decimal(0)
    for order in files.orders:
        if order.value.amount != order.subtotal:
            report.repair(order.row.file, order.row.line, "SubTotal rounded to cents, half to even")
        exact, rounded = exact + order.subtotal, rounded + order.value.amount
        if order.territory is not None and order.territory not in territories:
            report.refuse(order.row.file, order.row.line, f"TerritoryID {order.territory} is not in SalesTerritory.csv")
        else:
            _plan_system_order(plan, order, staff)
    if files.orders:
        report.remark(f"The basis of the sales system's orders is SubTotal, without tax and freight: {exact} exactly, "
                      f"{rounded} with each order rounded to cents.")  # fmt: skip
    _remark_common_orders(files, report)


def _plan_system_order(plan: Plan, order: Order, staff: Staff) -> None:
    name = f"sales-order-{order.id}"
    opened: Body = {
        "external": plan.external(name),
        "owner": plan.ref(staff.person(order.person)),
        "opened_on": day(order.on),
        "name": f"SO{order.id} (sales system)",
    }
    if order.territory is not None:
        opened["team"] = plan.ref(team(order.territory))
    won: Body = {"do": "win", "deal": plan.ref(name), "on": day(order.on), "value": order.value.as_json()}
    plan.step("deals").add(opened, won, origin=order.row)


def _remark_common_orders(files: Files, report: Report) -> None:
    common = {line.order for line in files.lines} & {f"SO{order.id}" for order in files.orders}
    if common:
        report.remark(f"{len(common)} orders stand in both systems, under days years apart. Ask for periods of one "
                      "system at a time: one that reaches over both counts them twice; --no-orders leaves the sales "
                      "system's out.")  # fmt: skip
