"""A company of our own with a year and a half of history, so that a first look is not empty.

Made by a fixed seed up to today: the same day gives the same company. It goes in through the public API like any
import, by external ids, so that making it twice changes nothing.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

import httpx

from concert.demo_people import JOB, Staff, plan_people
from concert.demo_reviews import AsMember, agree_on, hold_reviews
from concert.demo_work import Window, plan_work
from concert.imports.plan import Plan, Span, day, person_id, slug, worth
from concert.imports.report import Report
from concert.imports.send import Outcome, carry_out
from shared.period import Period

SOURCE = "demo"
CURRENCY = "EUR"
MONTHS = 18
TEAMS = (("North", "Nordics"), ("South", "Iberia"), ("West", "Western Europe"), ("East", "Central Europe"),
         ("Prague", "Central Europe"), ("Vienna", "Central Europe"), ("Warsaw", "Central Europe"))  # fmt: skip
SELLERS = {
    "North": ("Ada Berg", "Elif Farah", "Ines Jansen", "Mara Novak", "Rosa Silva", "Theo Urban"),
    "South": ("Bruno Costa", "Finn Gruber", "Jonas Keller", "Nils Olsen", "Pia Rossi", "Said Tahir"),
    "West": ("David Eriksen", "Hugo Ibarra", "Luca Moreau", "Paul Quist", "Ruth Stein"),
    "East": ("Carla Duarte", "Greta Holm", "Kira Lind", "Olga Pires", "Sara Toth"),
    "Prague": ("Adam Vesely", "Dana Kralova"), "Vienna": ("Emma Huber", "Felix Gruber"),
    "Warsaw": ("Jan Kowal", "Maja Nowak"),
}  # fmt: skip
"""Of each team, who leads it first."""
NEW = {"Nils Olsen": 120, "Olga Pires": 240, "Paul Quist": 360, "Theo Urban": 455}
"""Who came later, so many days after the beginning; all others were there from then on."""
GONE = "Finn Gruber"
REACHED = {"North": 0.97, "South": 1.0, "West": 0.99, "East": 0.84, "Prague": 0.8, "Vienna": 0.78, "Warsaw": 0.8}
"""What of its targets each team has reached by today: in one region all teams miss theirs."""
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
EARLIER = 3000
"""What each was to win in a month, before that followed what the teams win."""
CHALLENGES = {"North": "The best quarter so far", "Vienna": "A customer in every valley"}
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
    def window(self) -> Window:
        """The months that reviews look at: the last two whole ones and the one that runs."""
        return Window(self.months[-3], self.today)

    @property
    def around_the_course(self) -> list[date]:
        """The months around the one of the course by which it is seen whether it helped."""
        return self.months[-8:-3]

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
    plan.step("targets")
    _deals(plan, calendar, chance)
    _targets(plan, calendar)
    _answers(plan, calendar)
    _meetings(plan, calendar, chance)
    _duties(plan, calendar)
    _challenges(plan, calendar)
    plan_people(plan, _staff(calendar))
    plan_work(
        plan,
        {team: [name for name in names if name != GONE] for team, names in SELLERS.items()},
        calendar.window,
        plan.ref("goal-regions"),
    )
    plan.spans = [Span("the demo company", beginning, today + timedelta(days=1))]
    return plan


async def make_demo(client: httpx.AsyncClient, today: date, as_member: AsMember | None = None) -> Outcome:
    """Make the demo company; what its members agree on and its reviews, where somebody can answer for them. Raises
    Stopped."""
    report = Report()
    outcome = await carry_out(plan_demo(today), client, report, lambda name, rows: None)
    for place, (name, _) in enumerate(TEAMS):
        said = {"confidence": f"0.{9 - place}", "on": day(today)}
        target = f"ext:{SOURCE}:target-{slug(name)}-{Calendar(today).quarter.label}"
        await client.post(f"/v1/targets/{target}/check-ins", json=said)
    if as_member is not None:
        year = Calendar(today).today.year
        aims = [f"ext:{SOURCE}:target-{slug(name)}-{year}-Q{number}" for name, _ in TEAMS for number in range(1, 5)]
        await agree_on(client, aims, f"ext:{SOURCE}:{person_id(OTHERS['finance'][0])}", as_member)
        await hold_reviews(client, SOURCE, Calendar(today).window, outcome.batches, as_member)
    return outcome


def _people(plan: Plan, beginning: date) -> None:
    for name, region in TEAMS:
        plan.step("teams").add({"external": plan.external(slug(name)), "name": name, "region": region})
    joins = plan.step("members")
    for name in every_seller():
        newcomer = {"ramp": list(RAMP)} if name in NEW else {}
        _hire(plan, name, "sales", _joined(beginning, name), job=JOB, **newcomer)
    for department, names in OTHERS.items():
        for name in names:
            _hire(plan, name, department, beginning)
    for team, names in SELLERS.items():
        for name in names:
            joins.add({"do": "join", "member": plan.ref(person_id(name)), "team": plan.ref(slug(team)),
                       "from": day(_joined(beginning, name))})  # fmt: skip
        leads = {"external": plan.external(slug(team)), "leader": plan.ref(person_id(names[0]))}
        plan.step("leaders", "teams").add(leads)
    left = {"do": "leave", "member": plan.ref(person_id(GONE)), "on": day(_leaves(beginning)),
            "reason": "a new challenge"}  # fmt: skip
    joins.add(left)


def every_seller() -> list[str]:
    """Those who sell, in the order in which the company hired them."""
    names = [name for names in SELLERS.values() for name in names]
    return sorted(names, key=lambda name: (NEW.get(name, 0), name))


def team_of(seller: str) -> str:
    """The team somebody sells in."""
    return next(team for team, names in SELLERS.items() if seller in names)


def _joined(beginning: date, seller: str) -> date:
    return beginning + timedelta(days=NEW.get(seller, 0))


def _leaves(beginning: date) -> date:
    return beginning + timedelta(days=400)


def _here(beginning: date, on: date) -> list[str]:
    """Who sells on a day; whoever is to leave sells nothing, lest a deal is left behind."""
    return [each for each in every_seller() if each != GONE and _joined(beginning, each) <= on]


def _staff(calendar: Calendar) -> Staff:
    """Who works here: those of whom more is told than where they belong."""
    beginning = calendar.months[0]
    return Staff(
        months=calendar.months, today=calendar.today, quarter=calendar.quarter.start,
        sellers={name: _joined(beginning, name) for name in every_seller() if name != GONE},
        others={name: beginning for names in OTHERS.values() for name in names},
        teams={name: team_of(name) for name in every_seller()},
        customers=[f"{first} {second}" for first in FIRST for second in SECOND],
    )  # fmt: skip


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
    won = won_by_team(plan, calendar)
    for first in calendar.months:
        label, late = f"{first.year}-{first.month:02d}", first >= calendar.window.start
        monthly = {name: monthly_target(won, name, calendar) if late else 18000 for name, _ in TEAMS}
        for name, value in monthly.items():
            team = f"{slug(name)}-{label}"
            plan.step("targets").add(_target(plan, team, "team", plan.ref(slug(name)), label, value))
            if late or first in calendar.around_the_course:
                here = _here(calendar.months[0], calendar.today if late else first)
                mine = [seller for seller in SELLERS[name] if seller in here]
                _quotas(plan, name, label, value if late else EARLIER * len(mine), mine)
        plan.step("targets").add(_target(plan, f"all-{label}", "organisation", None, label, sum(monthly.values())))
    _quarters(plan, calendar, won)
    year = str(calendar.today.year)
    csat = {"metric": "csat", "value": "0.85", "goal": plan.ref("goal-content")}
    margin = {"metric": "margin", "goal": plan.ref("goal-margin")}
    plan.step("targets").add(_target(plan, f"csat-{year}", "organisation", None, year, 0) | csat)
    plan.step("targets").add(_target(plan, f"margin-{year}", "organisation", None, year, 640000) | margin)


def won_by_team(plan: Plan, calendar: Calendar) -> dict[str, float]:
    """What each team has won since the first day that reviews look at."""
    owner_of = {row["external"]["id"]: row["owner"] for row in plan.step("deals").rows() if "external" in row}
    teams = {plan.ref(person_id(name)): team_of(name) for name in every_seller()}
    won = dict.fromkeys(SELLERS, 0.0)
    for row in plan.step("deals").rows():
        if row.get("do") == "win" and row["on"] >= day(calendar.window.start):
            won[teams[owner_of[row["deal"].removeprefix(plan.ref(""))]]] += float(worth(row).text)
    return won


def monthly_target(won: dict[str, float], team: str, calendar: Calendar) -> int:
    """What a team is to win in a month, so that it has reached by today what it has."""
    today = calendar.today
    begun = 2 + today.day / monthrange(today.year, today.month)[1]
    return max(1000, round(won[team] / begun / REACHED[team] / 100) * 100)


def _quotas(plan: Plan, team: str, label: str, value: int, mine: list[str]) -> None:
    """A month's targets of a team's members; of the last months they sum to the team's."""
    for place, seller in enumerate(mine):
        quota = value // len(mine) + (value % len(mine) if place == 0 else 0)
        body = _target(plan, f"{slug(seller)}-{label}", "member", plan.ref(person_id(seller)), label, quota)
        plan.step("targets").add(body | {"parent": plan.ref(f"target-{slug(team)}-{label}")})


def _quarters(plan: Plan, calendar: Calendar, won: dict[str, float]) -> None:
    """The teams' targets of each quarter, which serve a goal."""
    year = str(calendar.today.year)
    for quarter in range(1, 5):
        label = f"{year}-Q{quarter}"
        for name, _ in TEAMS:
            runs = calendar.quarter.label == label
            team, value = f"{slug(name)}-{label}", 3 * (monthly_target(won, name, calendar) if runs else 18000)
            goal = {"goal": plan.ref("goal-regions")}
            plan.step("targets").add(_target(plan, team, "team", plan.ref(slug(name)), label, value) | goal)


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
        who = {"member": plan.ref(person_id(every_seller()[place]))}
        duty = {"external": plan.external(f"duty-{place}"), "title": title, "assigned_to": who,
                "on": day(calendar.months[-1]), "due": day(calendar.today)}  # fmt: skip
        goal = {"goal": plan.ref("goal-regions")} if place % 2 == 0 else {}
        ref, on = plan.ref(f"duty-{place}"), day(calendar.today)
        done = [{"do": "done", "duty": ref, "on": on}, {"do": "accept", "duty": ref, "on": on}] if place < 2 else []
        plan.step("duties").add(duty | goal, *done)


def _challenges(plan: Plan, calendar: Calendar) -> None:
    for name, title in CHALLENGES.items():
        challenge = {"external": plan.external(f"challenge-{slug(name)}"), "name": title, "team": plan.ref(slug(name)),
                     "goal": plan.ref("goal-regions"), "from": day(calendar.quarter.start),
                     "to": day(calendar.quarter.end)}  # fmt: skip
        plan.step("challenges").add(challenge)


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
    here = _here(beginning, opened)
    owner = chance.choice(here)
    helper = chance.choice([each for each in SELLERS[team_of(owner)] if each in here and each != owner])
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
