"""AdventureWorks: a bicycle maker's reseller sales, from two systems of one company.

The warehouse holds order lines with their cost from 2017 on, by employee key; the sales system holds orders and quotas
from 2011 to 2014, by business entity. Both number the orders alike: the warehouse tells 3,616 of the sales system's
3,806 orders again, under days about six years later. So no period of either system counts anything twice, but one that
reaches over both would; each is shown on its own, and the sales system's orders can be left out.

The basis of both is without tax and freight: quantity times price of the lines, SubTotal of the orders.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from concert.imports.adventureworks import goods, orders, people, quotas
from concert.imports.adventureworks.files import SOURCE, Files
from concert.imports.plan import Plan, Span
from concert.imports.report import Report

__all__ = ["plan_adventureworks"]


def plan_adventureworks(folder: Path, report: Report, *, with_orders: bool = True) -> Plan:
    """The plan for the folder; `with_orders` takes the sales system's orders besides the lines. Raises Unreadable."""
    files = Files.read(folder, report)
    plan = Plan(SOURCE)
    staff = people.Staff.of(files)
    people.plan_departments(plan, files)
    people.plan_people(plan, files, staff, report)
    people.plan_teams(plan, files, staff, report)
    goods.plan_resellers(plan, files)
    goods.plan_products(plan, files)
    won = orders.plan_lines(plan, files, staff, report)
    if with_orders:
        orders.plan_system_orders(plan, files, staff, report)
    else:
        report.remark("The sales system's orders were left out: its quotas stand without sales.")
    quotas.plan_quotas(plan, files, staff, report)
    quotas.plan_monthly_targets(plan, files, report)
    if files.orders or files.quotas:
        days = [order.on for order in files.orders] + [quota.on for quota in files.quotas]
        plan.spans.append(Span("the sales system", min(days), quotas.last_day(files)))
    if won:
        plan.spans.append(Span("the warehouse", min(won), max(won) + timedelta(days=1)))
    return plan
