"""What was agreed on learns what it cost, line by line, where that was not known when it was agreed on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from shared.events.targets import Costed
from shared.money import Money

CostOf = Callable[[str, Decimal, date, str], Money | None]
"""What so much of a product cost on a day, in a currency."""


def costed(terms: dict[str, Any], cost_of: CostOf, day: date) -> bool:
    """Let the lines of an agreement say what they cost; whether anything has become known."""
    lines = [dict(line) for line in terms["lines"]]
    for line in lines:
        if line["cost"] is None and line["product"] is not None:
            cost = cost_of(line["product"], Decimal(line["quantity"]), day, line["amount"]["currency"])
            line["cost"] = cost.as_json() if cost is not None else None
    if lines == terms["lines"]:
        return False
    terms["lines"] = lines
    known = [Money(**line["cost"]) for line in lines if line["cost"] is not None]
    if len(known) == len(lines):
        terms["cost"] = Money.total(known, known[0].currency).as_json()
    return True


def told_of(terms: Mapping[str, Any]) -> Costed:
    """What an agreement is told to have cost, line by line and credit by credit."""
    lines = tuple(Money(**line["cost"]) if line["cost"] is not None else None for line in terms["lines"])
    known = [each for each in lines if each is not None]
    cost = Money.total(known, known[0].currency) if known and len(known) == len(lines) else None
    shares = [Decimal(credit["share"]) for credit in terms["credits"]]
    return Costed(lines=lines, credits=tuple(cost.split(shares)) if cost is not None else (), cost=cost)
