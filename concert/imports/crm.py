"""A CRM's deals, from its own files or from an export with HubSpot's or Salesforce's labels.

Every form of the same deals gives the same ids, so importing another form of what is there changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from concert.imports.plan import Plan, day, money, person_id, slug
from concert.imports.tables import BadCell, Report, Row, Unreadable, read_header, read_table

SOURCE = "crm"
REPAIRED_PRODUCTS = {"GTXPro": "GTX Pro"}
REPAIRED_PLACES = {"Philipines": "Philippines"}
STAGES = {
    "won": "won", "closed won": "won", "lost": "lost", "closed lost": "lost", "engaging": "engaging",
    "qualification": "engaging", "qualified to buy": "engaging", "prospecting": "prospecting",
    "appointment scheduled": "prospecting",
}  # fmt: skip
NO_REASON = "not stated"


@dataclass(frozen=True, slots=True)
class Form:
    """How one kind of export labels a deal."""

    name: str
    id: str
    owner: str
    product: str
    account: str
    stage: str
    opened: str
    closed: str
    amount: str

    @property
    def columns(self) -> list[str]:
        """The columns an export must have."""
        return [self.id, self.owner, self.product, self.account, self.stage, self.opened, self.closed, self.amount]


FORMS = (
    Form("CRM", "opportunity_id", "sales_agent", "product", "account", "deal_stage", "engage_date", "close_date",
         "close_value"),
    Form("HubSpot", "Record ID", "Deal owner", "Deal Name", "Associated Company", "Deal Stage", "Create Date",
         "Close Date", "Amount"),
    Form("Salesforce", "Opportunity ID", "Opportunity Owner", "Opportunity Name", "Account Name", "Stage",
         "Created Date", "Close Date", "Amount"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Deal:
    """A deal as a file tells it."""

    row: Row
    id: str
    owner: str
    product: str
    account: str | None
    stage: str
    opened_on: date | None
    closed_on: date | None
    amount: Decimal | None


def plan_crm(path: Path, report: Report, *, currency: str = "USD") -> Plan:
    """The plan for a folder with a CRM's files, or for one export file. Raises Unreadable."""
    plan = Plan(SOURCE)
    folder, deals_file = (path, path / "sales_pipeline.csv") if path.is_dir() else (None, path)
    form = _form_of(deals_file)
    deals = list(_deals(deals_file, form, report))
    if not deals:
        raise Unreadable(f"{deals_file.name} holds no deal that can be imported.")
    first = min(deal.opened_on for deal in deals if deal.opened_on is not None)
    last = max(deal.closed_on or deal.opened_on or first for deal in deals)
    plan.period = f"{first.year}/{last.year}"
    beginning = date(first.year, 1, 1)
    teams = _plan_teams(plan, folder, report, beginning) if folder else {}
    _plan_people(plan, {deal.owner for deal in deals}, teams, beginning)
    _plan_accounts(plan, folder, deals, report)
    _plan_products(plan, folder, deals, report, currency)
    for deal in deals:
        _plan_deal(plan, deal, first, currency, report)
    return plan


def _form_of(path: Path) -> Form:
    header = {name.strip() for name in read_header(path)}
    for form in FORMS:
        if form.id in header and form.owner in header:
            return form
    known = "; ".join(f"{form.name}: {', '.join(form.columns)}" for form in FORMS)
    raise Unreadable(f"{path.name}, line 1: these are not the columns of a list of deals. Known are {known}.")


def _deals(path: Path, form: Form, report: Report) -> Iterable[Deal]:
    seen: dict[str, int] = {}
    for row in read_table(path, report, required=form.columns):
        try:
            deal = _deal(row, form, report)
        except BadCell as fault:
            report.refuse(row, str(fault))
            continue
        if deal.id in seen:
            report.refuse(row, f"{form.id} {deal.id} stands in line {seen[deal.id]} already")
            continue
        seen[deal.id] = row.line
        yield deal


def _deal(row: Row, form: Form, report: Report) -> Deal:
    stage_name = row.need(form.stage)
    stage = STAGES.get(stage_name.lower())
    if stage is None:
        raise BadCell(f"{form.stage} is {stage_name!r}; known are {', '.join(sorted(STAGES))}")
    product = row.need(form.product).partition(" - ")[0].strip()
    if product in REPAIRED_PRODUCTS:
        report.repair(row, f"{form.product} {product} taken as {REPAIRED_PRODUCTS[product]}")
        product = REPAIRED_PRODUCTS[product]
    closed_on, amount = row.day(form.closed), row.number(form.amount)
    if stage in ("won", "lost") and closed_on is None:
        raise BadCell(f"{form.closed} is empty, but the deal is {stage}")
    if stage == "won" and amount is None:
        raise BadCell(f"{form.amount} is empty, but the deal is won")
    if amount is not None and amount < 0:
        raise BadCell(f"{form.amount} is {amount}; an amount is not negative")
    account, opened_on = row.text(form.account), row.day(form.opened)
    return Deal(row, row.need(form.id), row.need(form.owner), product, account, stage, opened_on, closed_on, amount)


def _plan_teams(plan: Plan, folder: Path, report: Report, beginning: date) -> Mapping[str, str]:
    """Managers lead teams; says in which team each agent is."""
    team_of: dict[str, str] = {}
    step, people = plan.step("teams"), plan.step("members")
    for row in read_table(folder / "sales_teams.csv", report, required=["sales_agent", "manager", "regional_office"]):
        try:
            agent, manager, office = (row.need(name) for name in ("sales_agent", "manager", "regional_office"))
        except BadCell as fault:
            report.refuse(row, str(fault))
            continue
        if manager not in team_of.values():
            body = {"external": plan.external(slug(manager)), "name": manager, "department": "sales", "region": office}
            step.add(body, row)
            people.add(_person(plan, manager, beginning), row)
        team_of[agent] = manager
    return team_of


def _plan_people(plan: Plan, owners: Iterable[str], teams: Mapping[str, str], beginning: date) -> None:
    people, joins = plan.step("members"), plan.step("memberships", "members")
    for agent in sorted(set(owners) | set(teams)):
        people.add(_person(plan, agent, beginning))
        if agent in teams:
            team = plan.ref(slug(teams[agent]))
            joins.add({"do": "join", "member": plan.ref(person_id(agent)), "team": team, "from": day(beginning)})


def _person(plan: Plan, name: str, beginning: date) -> dict[str, object]:
    external = plan.external(person_id(name))
    return {"external": external, "name": name, "department": "sales", "starts_on": day(beginning)}


def _plan_accounts(plan: Plan, folder: Path | None, deals: list[Deal], report: Report) -> None:
    step, known = plan.step("customers"), set()
    if folder is not None:
        for row in read_table(folder / "accounts.csv", report, required=["account", "office_location"]):
            name, region = row.text("account"), row.text("office_location")
            if name is None:
                report.refuse(row, "account is empty")
                continue
            if region in REPAIRED_PLACES:
                report.repair(row, f"office_location {region} taken as {REPAIRED_PLACES[region]}")
                region = REPAIRED_PLACES[region]
            known.add(slug(name))
            step.add({"external": plan.external(slug(name)), "name": name, "region": region}, row)
    for name in sorted({deal.account for deal in deals if deal.account}):
        if slug(name) not in known:
            step.add({"external": plan.external(slug(name)), "name": name})


def _plan_products(plan: Plan, folder: Path | None, deals: list[Deal], report: Report, currency: str) -> None:
    step, known = plan.step("products"), set()
    if folder is not None:
        for row in read_table(folder / "products.csv", report, required=["product", "sales_price"]):
            try:
                name, price = row.need("product"), row.number("sales_price")
            except BadCell as fault:
                report.refuse(row, str(fault))
                continue
            known.add(slug(name))
            body = {"external": plan.external(slug(name)), "name": name}
            step.add(body | ({"price": money(price, currency)} if price is not None else {}), row)
    for name in sorted({deal.product for deal in deals}):
        if slug(name) not in known:
            step.add({"external": plan.external(slug(name)), "name": name})


def _plan_deal(plan: Plan, deal: Deal, first: date, currency: str, report: Report) -> None:
    step, opened_on = plan.step("deals"), deal.opened_on
    if opened_on is None:
        opened_on = first
        report.repair(deal.row, f"no opening date; taken as {first}, the first of the file")
    body: dict[str, object] = {
        "external": plan.external(deal.id),
        "owner": plan.ref(person_id(deal.owner)),
        "product": plan.ref(slug(deal.product)),
        "opened_on": day(opened_on),
        "stage": deal.stage if deal.stage in ("prospecting", "engaging") else "engaging",
    }
    if deal.account is not None:
        body["customer"] = plan.ref(slug(deal.account))
    step.add(body, deal.row)
    ref = plan.ref(deal.id)
    if deal.stage == "won":
        assert deal.closed_on is not None
        assert deal.amount is not None
        won = {"do": "win", "deal": ref, "on": day(deal.closed_on), "value": money(deal.amount, currency)}
        step.add(won, deal.row)
    elif deal.stage == "lost":
        assert deal.closed_on is not None
        step.add({"do": "lose", "deal": ref, "on": day(deal.closed_on), "reason": NO_REASON}, deal.row)
