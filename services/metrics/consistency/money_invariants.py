"""What must hold of money, net of tax and for each currency: invoices, receipts and expenses."""

from __future__ import annotations

import sqlalchemy as sa

from services.metrics.consistency.sides import WORTH, Invariant, added, summed, together
from services.metrics.facts.deals import DealFact
from services.metrics.facts.money import ExpenseFact, InvoiceFact, ReceiptFact
from services.metrics.facts.money_cells import DUE

_deals: sa.Table = DealFact.__table__  # type: ignore[attr-defined]
_invoices: sa.Table = InvoiceFact.__table__  # type: ignore[attr-defined]
_receipts: sa.Table = ReceiptFact.__table__  # type: ignore[attr-defined]
_deal, _invoice, _receipt = _deals.c, _invoices.c, _receipts.c
_expense = ExpenseFact.__table__.c  # type: ignore[attr-defined]
_COUNTS = _invoice.voided_on.is_(None)
_THERE = _receipt.reversed_on.is_(None)
_INVOICED_OF_DEAL = (
    sa.select(sa.func.sum(_invoice.amount))
    .where(_invoice.deal == _deal.id, _COUNTS)
    .correlate(_deals)
    .scalar_subquery()
)
_SETTLED_OF_INVOICE = (
    sa.select(sa.func.sum(_receipt.applied))
    .where(_receipt.invoice == _invoice.id, _THERE)
    .correlate(_invoices)
    .scalar_subquery()
)
_WON_AS_TOLD = sa.and_(_invoice.deal == _deal.id, _deal.status == "won", _deal.closed_on == _invoice.won_on)
_HAS_DEAL = sa.exists().where(_WON_AS_TOLD).correlate(_invoices)

MONEY_INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "invoices of won deals + not yet invoiced = revenue",
        "invoices of won deals, and of each deal what no invoice asks for",
        "revenue of all days",
        together(
            (1, added(_invoice.currency, _invoice.amount, _COUNTS, _deal.status == "won",
                      of=sa.join(_invoices, _deals, _invoice.deal == _deal.id))),
            (1, added(_deal.currency, WORTH - sa.func.coalesce(_INVOICED_OF_DEAL, 0), _deal.status == "won")),
        ),
        summed("won"),
    ),
    Invariant(
        "invoices by the day of winning = invoices of won deals + orphans",
        "invoices by the day their deal was won, from the sums",
        "invoices whose deal is here as won on that day, and those for which it is not (yet)",
        summed("invoiced_of_won"),
        together(
            (1, added(_invoice.currency, _invoice.amount, _COUNTS, of=sa.join(_invoices, _deals, _WON_AS_TOLD))),
            (1, added(_invoice.currency, _invoice.amount, _COUNTS, sa.not_(_HAS_DEAL))),
        ),
    ),
    Invariant(
        "invoiced = received + credited + written off + outstanding",
        "invoices of all days, from the sums",
        "what receipts settle of these invoices, what was taken from them, and what is open of each",
        summed("invoiced"),
        together(
            (1, added(_receipt.currency, _receipt.applied, _THERE, _COUNTS,
                      of=sa.join(_receipts, _invoices, _receipt.invoice == _invoice.id))),
            (1, summed("credited")),
            (1, summed("written_off")),
            (1, added(_invoice.currency, _invoice.amount - _invoice.reduced - sa.func.coalesce(_SETTLED_OF_INVOICE, 0),
                      _COUNTS)),
        ),
    ),
    Invariant(
        "outstanding by day due = invoices - what was taken - what is settled",
        "what is owed by the day it is due, from the sums",
        "invoices without what was taken from them, and receipts, one by one",
        summed("owed", DUE),
        together(
            (1, added(_invoice.currency, _invoice.amount - _invoice.reduced, _COUNTS)),
            (-1, added(_receipt.currency, _receipt.applied, _THERE)),
        ),
    ),
    Invariant(
        "received = settled + overpaid",
        "receipts of all days, from the sums",
        "what receipts settle, one by one, and what is overpaid",
        summed("received"),
        together((1, added(_receipt.currency, _receipt.applied, _THERE)), (1, summed("overpaid"))),
    ),
    *(
        Invariant(
            f"{name} of all {dim}s = {name}",
            f"{name} of all {dim}s and of none, from the sums",
            f"{name} of all days, from the sums",
            summed(measure, dim),
            summed(measure),
        )
        for name, measure in (("invoiced", "invoiced"), ("received", "received"), ("outstanding", "owed"))
        for dim in ("member", "product")
    ),
    Invariant(
        "spent by department = spent",
        "expenses of all departments",
        "expenses, one by one",
        summed("spent", "department"),
        added(_expense.currency, _expense.amount, _expense.reversed_on.is_(None)),
    ),
    Invariant(
        "selling expense in finance = sales department spend in accounting",
        "selling expense of all days, from the sums",
        "expenses of the sales department, one by one",
        summed("spent", "department", key="sales"),
        added(_expense.currency, _expense.amount, _expense.reversed_on.is_(None), _expense.department == "sales"),
    ),
)  # fmt: skip
