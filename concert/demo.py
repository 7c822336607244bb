"""A company of our own with a year and a half of history, so that a first look is not empty.

Made by a fixed seed up to today: the same day gives the same company. It goes in through the public API like any
import, by external ids, so that making it twice changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

import httpx

from concert.imports.plan import Plan, Span, day, person_id, slug
from concert.imports.report import Report
from concert.imports.send import Outcome, carry_out
from shared.period import Period

SOURCE = "demo"
CURRENCY = "EUR"
MONTHS = 18
TEAMS = (("North", "Nordics"), ("South", "Iberia"), ("East", "Central Europe"), ("Key accounts", "Europe"))
SELLERS = (
    "Ada Berg", "Bruno Costa", "Carla Duarte", "David Eriksen", "Elif Farah", "Finn Gruber", "Greta Holm",
    "Hugo Ibarra", "Ines Jansen", "Jonas Keller", "Kira Lind", "Luca Moreau", "Mara Novak", "Nils Olsen", "Olga Pires",
    "Paul Quist",
)  # fmt: skip
OLD = 13
"""So many of them were there from the beginning."""
GONE = 5
"""The place of the one who has left."""
OTHERS = {
    "finance": ("Rita Sanz", "Sven Thal"), "accounting": ("Tea Ude", "Uwe Vogt"), "hr": ("Vera Wolf", "Willem Xhaka"),
    "it": ("Yara Zidan", "Zoe Adler", "Anton Brandt"),
}  # fmt: skip
PRODUCTS = (("Sensor S1", 480, 290), ("Sensor S2", 920, 540), ("Gateway", 2400, 1350), ("Care plan", 1500, 400))
FIRST, SECOND = ("Alder", "Birch", "Cedar", "Dune", "Ember", "Fjord", "Grove", "Harbour", "Iris", "Juniper"), (
    "Foods", "Logistics", "Mills", "Robotics", "Textiles",
)  # fmt: skip
KINDS = ("it_support", "equipment", "pricing", "recruiting")
RAMP = ("0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8")
"""What is expected of a newcomer, month by month."""
ROLES = ("source", "discovery", "demo", "close", "handover")
GOALS = (("regions", "Win in every region", "revenue", "0.6"), ("content", "Keep customers content", "csat", "0.25"),
         ("margin", "Sell what pays", "margin", "0.15"))  # fmt: skip
DUTIES = ("Call the ten largest customers", "Write down why we lost in June", "Show the Gateway to every mill",
          "Tidy the list of leads")  # fmt: skip
SPENDING = {"sales": ("travel", 5200), "it": ("licences", 3900), "hr": ("training", 2600), "finance": ("audit", 1500)}


@dataclass(frozen=True, slots=True)
class Calendar:
    """The months of the company's history, up to today."""

    today: date

    @property
    def months(self) -> list[date]:
        """The first day of each month, the current one included."""
        found, first = [], self.today.replace(day=1)
        for _ in range(MONTHS):
            found.append(first)
            first = (first - timedelta(days=1)).replace(day=1)
        return found[::-1]

    @property
    def quarter(self) -> Period:
        """The quarter of today."""
        return Period.of("quarter", self.today)


def plan_demo(today: date) -> Plan:
    """The plan of the demo company, as it stands on a day."""
    plan, chance, calendar = Plan(SOURCE), Random(20260723), Calendar(today)
    beginning = calendar.months[0]
    _people(plan, beginning)
    _customers_and_products(plan, beginning)
    _money(plan, calendar, chance)
    _goals(plan, calendar)
    _targets(plan, calendar)
    _deals(plan, calendar, chance)
    _answers(plan, calendar)
    _meetings(plan, calendar, chance)
    _duties(plan, calendar)
    plan.spans = [Span("the demo company", beginning, today + timedelta(days=1))]
    return plan


async def make_demo(client: httpx.AsyncClient, today: date) -> Outcome:
    """Make the demo company. Raises Stopped."""
    outcome = await carry_out(plan_demo(today), client, Report(), lambda name, rows: None)
    for place, (name, _) in enumerate(TEAMS):
        said = {"confidence": f"0.{9 - 2 * place}", "on": day(today)}
        target = f"ext:{SOURCE}:target-{slug(name)}-{Calendar(today).quarter.label}"
        await client.post(f"/v1/targets/{target}/check-ins", json=said)
    return outcome


def _people(plan: Plan, beginning: date) -> None:
    for name, region in TEAMS:
        plan.step("teams").add({"external": plan.external(slug(name)), "name": name, "region": region})
    joins = plan.step("members")
    for place, name in enumerate(SELLERS):
        _hire(plan, name, "sales", _joined(beginning, place), **({"ramp": list(RAMP)} if place >= OLD else {}))
    for department, names in OTHERS.items():
        for name in names:
            _hire(plan, name, department, beginning)
    for place, name in enumerate(SELLERS):
        joined = _joined(beginning, place)
        team = plan.ref(slug(TEAMS[place % len(TEAMS)][0]))
        joins.add({"do": "join", "member": plan.ref(person_id(name)), "team": team, "from": day(joined)})
    gone = beginning + timedelta(days=400)
    joins.add(
        {"do": "leave", "member": plan.ref(person_id(SELLERS[GONE])), "on": day(gone), "reason": "a new challenge"}
    )


def _joined(beginning: date, place: int) -> date:
    """The day a seller began: most of them with the company, the others one after the other."""
    return beginning + timedelta(days=0 if place < OLD else 120 * (place - OLD + 1))


def _hire(plan: Plan, name: str, department: str, starts_on: date, **fields: Any) -> None:
    mail = f"{slug(name).replace('-', '.')}@example.com"
    body = {"external": plan.external(person_id(name)), "name": name, "department": department, "email": mail}
    plan.step("members").add(body | {"starts_on": day(starts_on), **fields})


def _customers_and_products(plan: Plan, beginning: date) -> None:
    for first in FIRST:
        for place, second in enumerate(SECOND):
            name, region = f"{first} {second}", TEAMS[(len(first) + place) % len(TEAMS)][1]
            plan.step("customers").add({"external": plan.external(slug(name)), "name": name, "region": region})
    for name, price, cost in PRODUCTS:
        product = {"external": plan.external(slug(name)), "name": name, "price": _euros(price)}
        costs = {"do": "costs", "product": plan.ref(slug(name)), "cost": _euros(cost), "from": day(beginning)}
        plan.step("products").add(product, costs)


def _money(plan: Plan, calendar: Calendar, chance: Random) -> None:
    for department, (kind, monthly) in SPENDING.items():
        for first in calendar.months:
            label = f"{first.year}-{first.month:02d}"
            budget = {"external": plan.external(f"budget-{department}-{label}"), "department": department,
                      "period": label, "amount": _euros(monthly), "on_overrun": "warn"}  # fmt: skip
            plan.step("budgets").add(budget)
            spent = round(monthly * chance.uniform(0.6, 1.15))
            on = min(first + timedelta(days=chance.randrange(27)), calendar.today)
            expense = {"external": plan.external(f"expense-{department}-{label}"), "department": department,
                       "kind": kind, "amount": _euros(spent), "on": day(on)}  # fmt: skip
            plan.step("expenses").add(expense)


def _targets(plan: Plan, calendar: Calendar) -> None:
    for first in calendar.months:
        label = f"{first.year}-{first.month:02d}"
        for name, _ in TEAMS:
            plan.step("targets").add(_target(plan, f"{slug(name)}-{label}", "team", plan.ref(slug(name)), label, 30000))
        plan.step("targets").add(_target(plan, f"all-{label}", "organisation", None, label, 120000))
    year = str(calendar.today.year)
    for quarter in range(1, 5):
        _quotas(plan, f"{year}-Q{quarter}", of_members=calendar.quarter.label == f"{year}-Q{quarter}")
    csat = {"metric": "csat", "value": "0.85", "goal": plan.ref("goal-content")}
    margin = {"metric": "margin", "goal": plan.ref("goal-margin")}
    plan.step("targets").add(_target(plan, f"csat-{year}", "organisation", None, year, 0) | csat)
    plan.step("targets").add(_target(plan, f"margin-{year}", "organisation", None, year, 640000) | margin)


def _quotas(plan: Plan, label: str, *, of_members: bool) -> None:
    """A quarter's targets of the teams, which serve a goal, and of their members, which sum to them."""
    here = [place for place in range(len(SELLERS)) if place != GONE]
    for number, (name, _) in enumerate(TEAMS):
        team = f"{slug(name)}-{label}"
        goal = {"goal": plan.ref("goal-regions")}
        agreed = {"do": "approve", "target": plan.ref(f"target-{team}")}
        plan.step("targets").add(_target(plan, team, "team", plan.ref(slug(name)), label, 90000) | goal, agreed)
        mine = [SELLERS[place] for place in here if of_members and place % len(TEAMS) == number]
        for seller in mine:
            ref, quota = plan.ref(person_id(seller)), 90000 // len(mine)
            body = _target(plan, f"{slug(seller)}-{label}", "member", ref, label, quota)
            plan.step("targets").add(body | {"parent": plan.ref(f"target-{team}")})


def _goals(plan: Plan, calendar: Calendar) -> None:
    year = str(calendar.today.year)
    whole = {"external": plan.external("goal-grow"), "title": "Grow, and earn by it", "period": year}
    plan.step("goals").add(whole)
    for name, title, metric, weight in GOALS:
        part = {"external": plan.external(f"goal-{name}"), "title": title, "period": year, "metric": metric}
        part |= {"value": _euros(1_440_000)} if name == "regions" else {}
        plan.step("goals").add(part | {"parent": plan.ref("goal-grow"), "weight": weight})


def _answers(plan: Plan, calendar: Calendar) -> None:
    customers = [f"{first} {second}" for first in FIRST for second in SECOND]
    for place in range(40):
        on = calendar.today - timedelta(days=7 * place)
        answer = {"external": plan.external(f"answer-{day(on)}"), "customer": plan.ref(slug(customers[place])),
                  "score": (5, 4, 4, 5, 3, 4, 5, 2)[place % 8], "on": day(on)}  # fmt: skip
        plan.step("feedback").add(answer)


def _duties(plan: Plan, calendar: Calendar) -> None:
    for place, title in enumerate(DUTIES):
        who = {"member": plan.ref(person_id(SELLERS[place]))}
        duty = {"external": plan.external(f"duty-{place}"), "title": title, "assigned_to": who,
                "on": day(calendar.months[-1]), "due": day(calendar.today)}  # fmt: skip
        plan.step("duties").add(duty | ({"goal": plan.ref("goal-regions")} if place % 2 == 0 else {}))


def _target(plan: Plan, name: str, level: str, ref: str | None, period: str, value: int) -> dict[str, Any]:
    scope = {"level": level} | ({"ref": ref} if ref else {})
    body = {"external": plan.external(f"target-{name}"), "metric": "revenue", "scope": scope}
    return body | {"period": period, "value": _euros(value)}


def _deals(plan: Plan, calendar: Calendar, chance: Random) -> None:
    customers = [f"{first} {second}" for first in FIRST for second in SECOND]
    for month, first in enumerate(calendar.months):
        for number in range(40 + month):
            opened = first + timedelta(days=chance.randrange(28))
            if opened <= calendar.today:
                name = f"deal-{first.year}-{first.month:02d}-{number}"
                _deal(plan, chance, name, chance.choice(customers), opened, calendar)


def _deal(plan: Plan, chance: Random, name: str, customer: str, opened: date, calendar: Calendar) -> None:
    today, beginning = calendar.today, calendar.months[0]
    here = [place for place in range(len(SELLERS)) if place != GONE and _joined(beginning, place) <= opened]
    active = [SELLERS[place] for place in here]
    owner, helper = chance.sample(active, 2)
    product, price, _ = chance.choice(PRODUCTS)
    quantity = chance.randint(1, 6)
    deal: dict[str, Any] = {
        "external": plan.external(name),
        "owner": plan.ref(person_id(owner)),
        "customer": plan.ref(slug(customer)),
        "opened_on": day(opened),
        "value": _euros(price * quantity),
    }
    closed = opened + timedelta(days=chance.randint(5, 70))
    step, ref = plan.step("deals"), plan.ref(name)
    moved = {"do": "move", "deal": ref, "stage": "engaging", "on": day(min(opened + timedelta(days=3), today))}
    if closed > today:
        step.add(deal, moved)
    elif chance.random() < 0.62:
        line = {"product": plan.ref(slug(product)), "quantity": str(quantity), "unit_price": _euros(price)}
        won: dict[str, Any] = {"do": "win", "deal": ref, "on": day(closed), "lines": [line]}
        if chance.random() < 0.25:
            won["credits"] = [{"member": plan.ref(person_id(owner)), "share": "0.7"},
                              {"member": plan.ref(person_id(helper)), "share": "0.3"}]  # fmt: skip
            won["roles"] = [{"role": role, "member": plan.ref(person_id((owner, helper)[place % 2]))}
                            for place, role in enumerate(ROLES)]  # fmt: skip
        step.add(deal, won)
        _invoice(plan, chance, name, closed, price * quantity, today)
    else:
        reason = chance.choice(("price", "timing", "a competitor"))
        step.add(deal, {"do": "lose", "deal": ref, "on": day(closed), "reason": reason})


def _invoice(plan: Plan, chance: Random, name: str, won: date, value: int, today: date) -> None:
    written = won + timedelta(days=chance.randint(1, 10))
    if written > today or chance.random() < 0.08:
        return
    due = written + timedelta(days=30)
    invoice = {"external": plan.external(f"invoice-{name}"), "deal": plan.ref(name), "amount": _euros(value)}
    plan.step("invoices").add(invoice | {"on": day(written), "due_on": day(due)})
    paid = written + timedelta(days=chance.randint(10, 55))
    if paid <= today and chance.random() < 0.93:
        receipt = {"external": plan.external(f"receipt-{name}"), "invoice": plan.ref(f"invoice-{name}")}
        plan.step("receipts").add(receipt | {"amount": _euros(value), "on": day(paid)})


def _meetings(plan: Plan, calendar: Calendar, chance: Random) -> None:
    begin = calendar.months[-3]
    for name, _ in TEAMS:
        series = {"external": plan.external(f"weekly-{slug(name)}"), "name": f"{name}, weekly", "kind": "team",
                  "teams": [plan.ref(slug(name))], "rrule": "FREQ=WEEKLY;BYDAY=MO", "zone": "Europe/Berlin",
                  "starts_at": f"{begin}T08:00:00Z", "minutes": 45}  # fmt: skip
        plan.step("series").add(series)
    joint = {"external": plan.external("monthly-joint"), "name": "All departments, monthly", "kind": "joint",
             "departments": ["sales", "finance", "accounting", "hr", "it"], "rrule": "FREQ=MONTHLY;BYDAY=1TH",
             "zone": "Europe/Berlin", "starts_at": f"{begin}T13:00:00Z", "minutes": 60}  # fmt: skip
    plan.step("series").add(joint)
    for place, (kind, title) in enumerate((("news", "The new sensor ships"), ("problem", "Quotes take too long"),
                                           ("question", "Who looks after the trade fair?"))):  # fmt: skip
        item = {"external": plan.external(f"item-{place}"), "series": plan.ref("monthly-joint"), "kind": kind}
        plan.step("items").add(item | {"title": title, "on": day(calendar.months[-1])})
    for first in calendar.months:
        for number in range(6):
            _request(plan, chance, f"request-{first.year}-{first.month:02d}-{number}", first, calendar.today)


def _request(plan: Plan, chance: Random, name: str, first: date, today: date) -> None:
    asked = first + timedelta(days=chance.randrange(28))
    if asked > today:
        return
    kind = chance.choice(KINDS)
    to = {"it_support": "it", "equipment": "it", "pricing": "finance", "recruiting": "hr"}[kind]
    promised = asked + timedelta(days=chance.randint(1, 5))
    body = {"external": plan.external(name), "kind": kind, "title": kind.replace("_", " "), "at": f"{asked}T09:00:00Z",
            "from": {"department": "sales"}, "to": {"department": to}, "promised_by": day(promised)}  # fmt: skip
    done = asked + timedelta(days=chance.randint(0, 7))
    if done <= today and chance.random() < 0.9:
        resolved = {"do": "resolve", "request": plan.ref(name), "at": f"{done}T16:00:00Z"}
        plan.step("requests").add(body, resolved)
    else:
        plan.step("requests").add(body)


def _euros(amount: int) -> dict[str, str]:
    return {"amount": f"{amount}.00", "currency": CURRENCY}
