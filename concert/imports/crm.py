"""A CRM's deals and what belongs to them: from its own files, or from one list with HubSpot's or Salesforce's labels.

Every form of the same deals gives the same ids and says the same of each deal, so that importing another form of what
is already there changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from concert.imports.deals import LOST, WON, Deal, read_deals
from concert.imports.plan import Body, Plan, Span, Step, day, digest, person_id, slug
from concert.imports.report import Report
from concert.imports.tables import Row, Unreadable, each, read_table
from shared.money import Money

SOURCE = "crm"
DEALS = "sales_pipeline.csv"
ALREADY_IN_TEAM = "already-in-team"
NO_REASON = "not stated"
MISSPELT = {"Philipines": "Philippines", "technolgy": "technology"}


@dataclass(frozen=True, slots=True)
class Account:
    """A company that is sold to."""

    row: Row
    name: str
    region: str | None


@dataclass(frozen=True, slots=True)
class Offer:
    """A product and its list price."""

    row: Row
    name: str
    price: Money | None


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody who sells, for a manager of a regional office."""

    row: Row
    name: str
    manager: str
    office: str


@dataclass(frozen=True, slots=True)
class Crm:
    """Everything that was read; lists of deals alone have no accounts, offers and agents."""

    deals: list[Deal]
    accounts: list[Account]
    offers: list[Offer]
    agents: list[Agent]

    @property
    def days(self) -> list[date]:
        """Every day that a deal was opened or closed on."""
        return [each for deal in self.deals for each in (deal.opened_on, deal.closed_on) if each is not None]


def plan_crm(path: Path, report: Report, *, currency: str = "USD") -> Plan:
    """The plan for a folder with a CRM's files, or for one list of deals. Raises Unreadable."""
    return plan_of(read_crm(path, report, currency), report)


def read_crm(path: Path, report: Report, currency: str) -> Crm:
    """What the files say. Raises Unreadable."""
    if not path.is_dir():
        return Crm(read_deals(path, report, currency), [], [], [])
    if not (path / DEALS).is_file():
        raise Unreadable(f"{path} does not hold {DEALS}, the list of deals; name a file to import that list alone.")
    accounts = _rows(path / "accounts.csv", report, ["account", "sector", "office_location"])
    offers = _rows(path / "products.csv", report, ["product", "sales_price"])
    agents = _rows(path / "sales_teams.csv", report, ["sales_agent", "manager", "regional_office"])
    crm = Crm(
        read_deals(path / DEALS, report, currency),
        list(each(accounts, report, lambda row: _account(row, report))),
        list(each(offers, report, lambda row: Offer(row, row.need("product"), row.money("sales_price", currency)))),
        list(
            each(agents, report, lambda row: Agent(row, *map(row.need, ("sales_agent", "manager", "regional_office"))))
        ),
    )
    return replace(crm, deals=_with_offered_names(crm, report))


def _rows(path: Path, report: Report, required: list[str]) -> Iterable[Row]:
    if path.is_file():
        return read_table(path, report, required=required)
    report.remark(f"{path.name} is not in the folder: what it would say is left out.")
    return []


def _account(row: Row, report: Report) -> Account:
    account = Account(row, row.need("account"), row.name("office_location"))
    for column in ("sector", "office_location"):
        written = row.text(column)
        if written in MISSPELT:
            report.repair(row.file, row.line, f"{column} {written} taken as {MISSPELT[written]}")
    return replace(account, region=MISSPELT.get(account.region or "", account.region))


def _with_offered_names(crm: Crm, report: Report) -> list[Deal]:
    """The deals with their products spelt as they are offered, where only blanks and capitals differ."""
    spelt = {_bare(offer.name): offer.name for offer in crm.offers}
    deals = []
    for deal in crm.deals:
        offered = spelt.get(_bare(deal.product or ""), deal.product)
        if offered != deal.product:
            report.repair(deal.row.file, deal.row.line, f"product {deal.product} taken as {offered}")
            deal = replace(deal, product=offered)
        deals.append(deal)
    return deals


def _bare(name: str) -> str:
    return "".join(name.casefold().split())


def plan_of(crm: Crm, report: Report) -> Plan:
    """The plan for what was read."""
    plan = Plan(SOURCE)
    first, last = (min(crm.days), max(crm.days)) if crm.days else (None, None)
    if first is not None and last is not None:
        plan.spans.append(Span("the deals", date(first.year, 1, 1), date(last.year + 1, 1, 1)))
    _plan_people(plan, crm, first or date(2000, 1, 1), report)
    _plan_customers(plan, crm, report)
    _plan_products(plan, crm, report)
    step = plan.step("deals")
    for deal in crm.deals:
        step.add(*_telling(plan, deal, last, report), origin=deal.row)
    return plan


def _plan_people(plan: Plan, crm: Crm, first: date, report: Report) -> None:
    """Managers and agents; each manager leads a team that the agents belong to from the first year on."""
    begin = date(first.year, 1, 1)
    # Managers before agents and members before teams: the one is spoken of by the other.
    managers, agents = plan.step("managers", "members"), plan.step("members")
    led = {agent.manager: agent for agent in crm.agents}
    for manager, agent in led.items():
        _recruit(plan, managers, manager, begin, agent.row)
        _plan_team(plan, manager, agent)
    member_of = {agent.name: agent for agent in crm.agents}
    for name, row in _sellers(crm).items():
        agent_of = member_of.get(name)
        if name not in led:
            _recruit(plan, agents, name, begin, row, manager=agent_of.manager if agent_of else None)
            if agent_of is None and crm.agents:
                report.repair(row.file, row.line, "the agent is in no team of sales_teams.csv; taken without a team")
    for manager, agent in led.items():
        _join(plan, manager, manager, begin, agent.row)
    for agent in crm.agents:
        if agent.name not in led:
            _join(plan, agent.name, agent.manager, begin, agent.row)


def _sellers(crm: Crm) -> dict[str, Row]:
    """Everybody who sells, with the row that names them first."""
    named: dict[str, Row] = {agent.name: agent.row for agent in crm.agents}
    for deal in crm.deals:
        named.setdefault(deal.owner, deal.row)
    return named


def _plan_team(plan: Plan, manager: str, agent: Agent) -> None:
    plan.step("teams").add(
        {
            "external": plan.external(_team_id(manager)),
            "name": manager,
            "department": "sales",
            "region": agent.office,
            "leader": plan.ref(person_id(manager)),
        },
        origin=agent.row,
    )


def _join(plan: Plan, name: str, manager: str, begin: date, origin: Row) -> None:
    joined = {"member": plan.ref(person_id(name)), "team": plan.ref(_team_id(manager)), "from": day(begin)}
    step = plan.step("memberships", "members")
    step.add({"do": "join"} | joined, origin=origin, settled_by=ALREADY_IN_TEAM)


def _recruit(plan: Plan, step: Step, name: str, begin: date, origin: Row, manager: str | None = None) -> None:
    known: Body = {"external": plan.external(person_id(name)), "name": name, "department": "sales"}
    if manager is not None:
        known["manager"] = plan.ref(person_id(manager))
    # Who is known since an earlier import keeps the day on which they started.
    step.add(known | {"starts_on": day(begin)}, origin=origin, instead=known)


def _team_id(manager: str) -> str:
    return "t-" + digest(manager)


def _plan_customers(plan: Plan, crm: Crm, report: Report) -> None:
    step, known = plan.step("customers"), dict[str, str]()
    for account in crm.accounts:
        if _is_new(known, account.name, account.row, report):
            body = {"external": plan.external(slug(account.name)), "name": account.name}
            step.add(body | ({"region": account.region} if account.region else {}), origin=account.row)
    for deal in crm.deals:
        if deal.account is not None and _is_new(known, deal.account, deal.row, report):
            step.add({"external": plan.external(slug(deal.account)), "name": deal.account}, origin=deal.row)
            if crm.accounts:
                report.repair(
                    deal.row.file, deal.row.line, "the account is not in accounts.csv; taken with its name only"
                )


def _plan_products(plan: Plan, crm: Crm, report: Report) -> None:
    step, known = plan.step("products"), dict[str, str]()
    for offer in crm.offers:
        if _is_new(known, offer.name, offer.row, report):
            body = {"external": plan.external(slug(offer.name)), "name": offer.name}
            step.add(body | ({"price": offer.price.as_json()} if offer.price else {}), origin=offer.row)
    for deal in crm.deals:
        if deal.product is not None and _is_new(known, deal.product, deal.row, report):
            step.add({"external": plan.external(slug(deal.product)), "name": deal.product}, origin=deal.row)
            if crm.offers:
                report.repair(deal.row.file, deal.row.line, "the product is not in products.csv; taken without a price")


def _is_new(known: dict[str, str], name: str, row: Row, report: Report) -> bool:
    """Whether a name is met for the first time; one that differs by signs only is the same, and said to be."""
    key = slug(name)
    if key not in known:
        known[key] = name
        return True
    if known[key] != name:
        report.repair(row.file, row.line, f"{name} taken as {known[key]}")
    return False


def _telling(plan: Plan, deal: Deal, last: date | None, report: Report) -> list[Body]:
    """What is to be said about a deal: that it was opened, and how it was closed."""
    opened: Body = {
        "external": plan.external(deal.id),
        "owner": plan.ref(person_id(deal.owner)),
        "stage": "engaging" if deal.closed else deal.stage,
    }
    if (opened_on := _opening_day(deal, last, report)) is not None:
        opened["opened_on"] = day(opened_on)
    if deal.product is not None:
        opened["product"] = plan.ref(slug(deal.product))
    if deal.account is not None:
        opened["customer"] = plan.ref(slug(deal.account))
    if deal.name is not None:
        opened["name"] = deal.name
    if deal.amount is not None and not deal.closed:
        opened["value"] = deal.amount.as_json()
    return [opened, *_closing(plan, deal)]


def _closing(plan: Plan, deal: Deal) -> list[Body]:
    if deal.closed_on is None or not deal.closed:
        return []
    ref, on = plan.ref(deal.id), day(deal.closed_on)
    if deal.stage == LOST:
        return [{"do": "lose", "deal": ref, "on": on, "reason": NO_REASON}]
    assert deal.stage == WON
    assert deal.amount is not None
    return [{"do": "win", "deal": ref, "on": on, "value": deal.amount.as_json()}]


def _opening_day(deal: Deal, last: date | None, report: Report) -> date | None:
    """When a deal was opened.

    A deal without that day is known to have been there on the last day the file speaks of, and on no earlier one: with
    an earlier day it would be counted as open in periods of which nobody knows that. A closed one was there when it
    was closed.
    """
    if deal.opened_on is not None:
        return deal.opened_on
    on, which = (deal.closed_on, "it was closed") if deal.closed else (last, f"the file speaks of last, {last}")
    if on is None:
        which = "of the import"
    report.repair(deal.row.file, deal.row.line, f"no opening day; taken as the day {which}")
    return on
