"""Bodies and values that the tests of targets write down often."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from services.targets.domain.deals import Deal, Sold
from services.targets.domain.invoices import Invoice
from shared.money import Money


def eur(amount: str) -> dict[str, str]:
    """An amount in a body."""
    return {"amount": amount, "currency": "EUR"}


def target_body(level: str, ref: str | None, value: Any, period: str = "2026-Q1", **fields: Any) -> dict[str, Any]:
    """A target of revenue, unless the fields say another metric."""
    return {"metric": "revenue", "scope": {"level": level, "ref": ref}, "period": period, "value": value} | fields


def euros(amount: str) -> Money:
    """An amount."""
    return Money(amount, "EUR")


def day(text: str) -> date:
    """A day."""
    return date.fromisoformat(text)


def open_deal(**fields: Any) -> Deal:
    """A deal that has been opened."""
    given: dict[str, Any] = {"owner": "mbr_a", "opened_on": day("2026-01-05"), "id": "deal_1", "externals": {}} | fields
    return Deal.open(**given)[0]


def won_deal(value: str = "100.00", on: str = "2026-02-01", lines: list[Sold] | None = None) -> Deal:
    """A deal that has been won."""
    deal = open_deal(customer="cust_1", team="team_1")
    deal.win(day(on), euros(value), lines or [], [("mbr_a", Decimal(1))], [])
    return deal


def invoice_of(deal: Deal, amount: str, on: str = "2026-02-10", **fields: Any) -> Invoice:
    """An invoice for a deal of which nothing else is invoiced."""
    given: dict[str, Any] = {"due_on": day("2026-03-12"), "invoiced": None, "tax": None} | fields
    return Invoice.issue(deal, amount=euros(amount), on=day(on), id="inv_1", externals={}, **given)[0]
