"""Lists of deals as CRMs export them: which columns mean what, how stages are called, what is repaired or refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from concert.imports import cells
from concert.imports.cells import BadCell
from concert.imports.report import Report
from concert.imports.tables import Row, Unreadable, each, read_header, read_table
from shared.money import Money

MISSPELT_PRODUCTS = {"GTXPro": "GTX Pro"}
NO_COMPANY = "(no company)"
WON, LOST = "won", "lost"
STAGES = {
    "won": WON, "closed won": WON, "lost": LOST, "closed lost": LOST,
    "prospecting": "prospecting", "appointment scheduled": "prospecting",
    "engaging": "engaging", "qualification": "engaging", "qualified to buy": "engaging",
    "presentation scheduled": "presentation", "decision maker bought-in": "decision", "contract sent": "contract",
    "needs analysis": "needs-analysis", "value proposition": "value-proposition", "id. decision makers": "decision",
    "perception analysis": "perception", "proposal/price quote": "proposal", "negotiation/review": "negotiation",
}  # fmt: skip
"""What the stages of the known exports are called here, so that each export of the same deals says the same."""


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
    names_company: bool = False
    """Whether the product stands in the deal's name, before a dash and the company."""

    @property
    def columns(self) -> list[str]:
        """The columns an export must have."""
        return [self.id, self.owner, self.product, self.account, self.stage, self.opened, self.closed, self.amount]


FORMS = (
    Form("CRM", "opportunity_id", "sales_agent", "product", "account", "deal_stage", "engage_date", "close_date",
         "close_value"),
    Form("HubSpot", "Record ID", "Deal owner", "Deal Name", "Associated Company", "Deal Stage", "Create Date",
         "Close Date", "Amount", names_company=True),
    Form("Salesforce report", "Opportunity ID", "Opportunity Owner", "Opportunity Name", "Account Name", "Stage",
         "Created Date", "Close Date", "Amount"),
    Form("Salesforce API", "Id", "OwnerId", "Name", "AccountId", "StageName", "CreatedDate", "CloseDate", "Amount"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Deal:
    """A deal as a file tells it."""

    row: Row
    id: str
    owner: str
    product: str | None
    name: str | None
    account: str | None
    stage: str
    opened_on: date | None
    closed_on: date | None
    amount: Money | None

    @property
    def closed(self) -> bool:
        """Whether it was won or lost."""
        return self.stage in (WON, LOST)


def read_deals(path: Path, report: Report, currency: str) -> list[Deal]:
    """The deals of a file, whichever export it is. Raises Unreadable."""
    form = form_of(path)
    rows = list(read_table(path, report, required=form.columns))
    rows = _without_other_calendars(rows, form, report)
    deals = list(each(rows, report, _reading(form, report, currency)))
    if not deals:
        raise Unreadable(f"{path.name} holds no deal that can be imported." + _first_refusal(report))
    return deals


def form_of(path: Path) -> Form:
    """Which kind of export a file is, told by its header. Raises Unreadable."""
    header = {name.lower() for name in read_header(path)}
    best = max(FORMS, key=lambda form: len(header & {name.lower() for name in form.columns}))
    if len(header & {name.lower() for name in best.columns}) >= len(best.columns) // 2:
        return best
    known = "; ".join(f"{form.name}: {', '.join(form.columns)}" for form in FORMS)
    raise Unreadable(f"{path.name}, line 1: these are not the columns of a list of deals. Known are {known}.")


def _first_refusal(report: Report) -> str:
    return f" First reason: {report.refused[0]}." if report.refused else ""


def _reading(form: Form, report: Report, currency: str) -> Callable[[Row], Deal]:
    seen: dict[str, int] = {}

    def read(row: Row) -> Deal:
        deal = _deal(row, form, report, currency)
        if deal.id in seen:
            raise BadCell(f"{form.id} {deal.id} stands in line {seen[deal.id]} already")
        seen[deal.id] = row.line
        return deal

    return read


def _deal(row: Row, form: Form, report: Report, currency: str) -> Deal:
    written = row.need(form.stage)
    stage = STAGES.get(written.lower())
    if stage is None:
        raise BadCell(f"{form.stage} is {written!r}; known are {', '.join(sorted(STAGES))}")
    account = row.name(form.account)
    product, name = _product_of(row, form, account)
    deal = Deal(
        row=row,
        id=row.need(form.id),
        owner=row.need(form.owner),
        product=MISSPELT_PRODUCTS.get(product or "", product),
        name=name,
        account=account,
        stage=stage,
        opened_on=row.day(form.opened),
        closed_on=row.day(form.closed),
        amount=row.money(form.amount, currency),
    )
    _refuse_half_closed(deal, form)
    if deal.product != product:
        report.repair(row.file, row.line, f"product {product} taken as {deal.product}")
    return deal


def _product_of(row: Row, form: Form, account: str | None) -> tuple[str | None, str | None]:
    """The product a deal is about; if that cannot be told from the deal's name, the name."""
    written = row.need(form.product)
    if not form.names_company:
        return written, None
    product = written.removesuffix(f" - {account or NO_COMPANY}").strip()
    return (product, None) if product and product != written else (None, written)


def _refuse_half_closed(deal: Deal, form: Form) -> None:
    if not deal.closed:
        return
    if deal.closed_on is None:
        raise BadCell(f"{form.closed} is empty, but the deal is {deal.stage}")
    if deal.stage == WON and deal.amount is None:
        raise BadCell(f"{form.amount} is empty, but the deal is won")
    if deal.opened_on is not None and deal.closed_on < deal.opened_on:
        raise BadCell(f"{form.closed} is {deal.closed_on}, before {form.opened}, {deal.opened_on}")


def _without_other_calendars(rows: Sequence[Row], form: Form, report: Report) -> list[Row]:
    """The rows without those whose days may be written day first, as other rows of the file prove to be."""
    votes = [(row, cells.day_first(value)) for row in rows for value in _days(row, form) if "/" in value]
    if not any(vote for _, vote in votes) or any(vote is False for _, vote in votes):
        return list(rows)
    proof = next(row for row, vote in votes if vote)
    why = (f"the days of this file have the day first, as in line {proof.line}, and cannot be told from days with the "
           "month first; write them as 2017-03-01")  # fmt: skip
    doubtful = {row.line for row, _ in votes}
    for line in sorted(doubtful):
        report.refuse(rows[0].file, line, why)
    return [row for row in rows if row.line not in doubtful]


def _days(row: Row, form: Form) -> list[str]:
    return [value for column in (form.opened, form.closed) if (value := row.text(column))]
