"""The people of AdventureWorks: departments with their history, sales people, and territories as teams.

The warehouse and the sales system number people differently. Orders that both hold say who is who; nobody is made twice
whom they tell to be one.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from concert.imports.adventureworks.files import Files, Spell
from concert.imports.plan import Body, Plan, day
from concert.imports.report import Report
from concert.imports.tables import Row

ALREADY_IN_TEAM = "already-in-team"
BUILT_IN = {"Sales": "sales", "Finance": "finance", "Human Resources": "hr", "Information Services": "it"}
BEFORE_ALL = date(2011, 1, 1)


def team(territory: str) -> str:
    """What the team of a territory is called."""
    return f"territory-{territory}"


@dataclass(frozen=True, slots=True)
class Staff:
    """Who is who, and since when."""

    person_of: dict[str, str]
    """The business entity of an employee key, for those whom both systems know."""
    spells: dict[str, list[Spell]]
    """Everybody's times in departments, the oldest first."""

    @classmethod
    def of(cls, files: Files) -> Staff:
        """What the files tell of it."""
        spells: dict[str, list[Spell]] = defaultdict(list)
        for spell in sorted(files.spells, key=lambda each: each.start):
            spells[spell.person].append(spell)
        return cls(_same_people(files), dict(spells))

    def employee(self, key: str) -> str:
        """What the employee with a key of the warehouse is called."""
        return self.person(self.person_of[key]) if key in self.person_of else f"employee-key-{key}"

    def person(self, entity: str) -> str:
        """What a business entity is called."""
        return f"employee-{entity}"

    def started(self, entity: str) -> date:
        """When somebody began to work here."""
        return self.spells[entity][0].start if entity in self.spells else BEFORE_ALL


def _same_people(files: Files) -> dict[str, str]:
    """Employee keys and business entities that have all their common orders with one another, and with nobody else."""
    seller = {order.id: order.person for order in files.orders}
    met: set[tuple[str, str]] = set()
    for line in files.lines:
        person = seller.get(line.order.removeprefix("SO"))
        if person is not None:
            met.add((line.employee, person))
    keys, persons = [key for key, _ in met], [person for _, person in met]
    return {key: person for key, person in sorted(met) if keys.count(key) == 1 and persons.count(person) == 1}


def plan_departments(plan: Plan, files: Files) -> None:
    """Departments that are not there from the beginning."""
    step = plan.step("departments")
    for department in files.departments:
        if department.name not in BUILT_IN:
            name = plan.external(f"department-{department.id}")
            step.add({"external": name, "name": department.name}, origin=department.row)


def plan_people(plan: Plan, files: Files, staff: Staff, report: Report) -> None:
    """Everybody who works here; the files know nobody's name."""
    called = {department.id: _department(plan, department.id, department.name) for department in files.departments}
    for entity, spells in sorted(staff.spells.items(), key=lambda each: each[1][0].start):
        _plan_employee(plan, staff.person(entity), f"Employee {entity}", spells, called)
    others = {person.id: person.row for person in files.sales_people}
    for order in files.orders:
        others.setdefault(order.person, order.row)
    for quota in files.quotas:
        others.setdefault(quota.person, quota.row)
    for entity, row in others.items():
        if entity not in staff.spells:
            report.repair(row.file, row.line, f"no day of starting is known; taken as {BEFORE_ALL}")
            _recruit(plan, staff.person(entity), f"Employee {entity}", BEFORE_ALL, row)
    _plan_keys(plan, files, staff)


def _plan_employee(plan: Plan, name: str, shown: str, spells: list[Spell], called: dict[str, str]) -> None:
    """Somebody with a department at first, others from later days on, and perhaps an end."""
    known = {"external": plan.external(name)}
    first, last = spells[0], spells[-1]
    department = called.get(first.department, "sales")
    # `on` says from when it holds, so that a second import changes nothing of what came after.
    begun: Body = known | {"name": shown, "department": department, "starts_on": day(first.start),
                           "on": day(first.start)}  # fmt: skip
    moved = [known | {"department": called.get(spell.department, "sales"), "on": day(spell.start)}
             for spell in spells[1:]]  # fmt: skip
    left = [{"do": "leave", "member": plan.ref(name), "on": day(last.end)}] if last.end is not None else []
    plan.step("members").add(begun, *moved, *left, origin=first.row)


def _plan_keys(plan: Plan, files: Files, staff: Staff) -> None:
    """Employees of the warehouse whom the sales system does not know."""
    begin = min((line.on for line in files.lines), default=BEFORE_ALL)
    unknown: dict[str, Row] = {}
    for assignment in files.assignments:
        unknown.setdefault(assignment.key, assignment.row)
    for line in files.lines:
        unknown.setdefault(line.employee, line.row)
    for key, row in unknown.items():
        if key not in staff.person_of:
            _recruit(plan, staff.employee(key), f"Employee with key {key}", begin, row)


def _recruit(plan: Plan, name: str, shown: str, begin: date, origin: Row) -> None:
    known: Body = {"external": plan.external(name), "name": shown, "department": "sales"}
    plan.step("members").add(known | {"starts_on": day(begin)}, origin=origin, instead=known)


def _department(plan: Plan, number: str, name: str) -> str:
    return BUILT_IN.get(name) or plan.ref(f"department-{number}")


def plan_teams(plan: Plan, files: Files, staff: Staff, report: Report) -> None:
    """Territories as teams. Somebody may belong to several; each deal names the one it counts for."""
    step = plan.step("teams")
    for territory in files.territories:
        name = plan.external(team(territory.id))
        body = {"name": territory.name, "department": "sales", "region": territory.group}
        step.add({"external": name} | body, origin=territory.row)
    known = {territory.id for territory in files.territories}
    begin = min((line.on for line in files.lines), default=BEFORE_ALL)
    joined: set[tuple[str, str]] = set()
    for person in files.sales_people:
        if person.territory in known:
            joined.add((staff.person(person.id), person.territory))
            _join(plan, staff.person(person.id), person.territory, staff.started(person.id), person.row)
    for assignment in files.assignments:
        name_of = staff.employee(assignment.key)
        if assignment.territory not in known:
            report.refuse(assignment.row.file, assignment.row.line,
                          f"SalesTerritoryKey {assignment.territory} is not in SalesTerritory.csv")  # fmt: skip
        elif (name_of, assignment.territory) not in joined:
            since = staff.started(staff.person_of.get(assignment.key, ""))
            _join(plan, name_of, assignment.territory, max(begin, since), assignment.row)
    report.remark("The files do not date who sells in which territory: taken from the first day of each person (sales"
                  f" system), and from {begin}, the first order (warehouse).")  # fmt: skip


def _join(plan: Plan, member: str, territory: str, begin: date, origin: Row) -> None:
    joined = {"member": plan.ref(member), "team": plan.ref(team(territory)), "from": day(begin)}
    step = plan.step("memberships", "members")
    step.add({"do": "join"} | joined, origin=origin, settled_by=ALREADY_IN_TEAM)
