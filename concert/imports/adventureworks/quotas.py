"""What AdventureWorks aims at: quarterly quotas of the sales people, and monthly targets in thousands."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from dateutil.relativedelta import relativedelta

from concert.imports.adventureworks.files import Files, Quota
from concert.imports.adventureworks.people import Staff
from concert.imports.plan import Body, Plan, day, person_id
from concert.imports.report import Report
from concert.imports.tables import Row
from shared.money import Money

QUARTER = relativedelta(months=3)


def windows(files: Files) -> list[tuple[Quota, date]]:
    """Each quota with the day it ends before: the person's next quota, or three months after the last."""
    by_person: dict[str, list[Quota]] = defaultdict(list)
    for quota in sorted(files.quotas, key=lambda each: each.on):
        by_person[quota.person].append(quota)
    ends = []
    for quotas in by_person.values():
        following = [each.on for each in quotas[1:]] + [quotas[-1].on + QUARTER]
        ends += list(zip(quotas, following, strict=True))
    return ends


def last_day(files: Files) -> date:
    """The day before which the sales system's quotas and orders lie."""
    ends = [end for _, end in windows(files)] + [order.on + relativedelta(days=1) for order in files.orders]
    return max(ends)


def plan_quotas(plan: Plan, files: Files, staff: Staff, report: Report) -> None:
    """Quotas as targets of the sales people, each for its own window and not for calendar quarters."""
    step = plan.step("targets")
    for quota, end in windows(files):
        if end <= quota.on:
            report.refuse(quota.row.file, quota.row.line, f"{quota.person} has a second quota from {quota.on} on")
            continue
        name = f"quota-{quota.person}-{quota.on}"
        window = {"from": day(quota.on), "to": day(end)}
        body = _target(plan, name, staff.person(quota.person), window, quota.value)
        step.add(body, origin=quota.row)


def plan_monthly_targets(plan: Plan, files: Files, report: Report) -> None:
    """Monthly targets; the file names people by a number that is private and that no other file knows."""
    step, seen = plan.step("targets"), set[str]()
    for target in files.month_targets:
        person = person_id(target.person)
        if person not in seen:
            seen.add(person)
            _plan_person(plan, person, target.person, min(each.year for each in files.month_targets), target.row)
        month = f"{target.year}-{target.month:02d}"
        step.add(_target(plan, f"target-{person}-{month}", person, month, target.value), origin=target.row)
    if seen:
        report.remark(f"The monthly targets name {len(seen)} people by a number that no other file knows: they stand "
                      "as members of their own, without deals.")  # fmt: skip


def _plan_person(plan: Plan, person: str, number: str, year: int, origin: Row) -> None:
    """Somebody with targets; of the private number only the end is shown."""
    known: Body = {"external": plan.external(person), "name": f"Employee …{number[-4:]}", "department": "sales"}
    plan.step("members").add(known | {"starts_on": day(date(year, 1, 1))}, origin=origin, instead=known)


def _target(plan: Plan, name: str, member: str, period: object, value: Money) -> Body:
    return {
        "external": plan.external(name),
        "metric": "revenue",
        "scope": {"level": "member", "ref": plan.ref(member)},
        "period": period,
        "value": value.as_json(),
    }
