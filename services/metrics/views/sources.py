"""Where measures come from: which facts feed them, and by what they can be narrowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.deal_cells import Belongs, Part, contributions_of
from services.metrics.facts.deals import DealFact, deals
from services.metrics.facts.feedback import FeedbackFact, feedback
from services.metrics.facts.money import ExpenseFact, InvoiceFact, ReceiptFact, expenses, invoices, receipts
from services.metrics.facts.requests import RequestFact, requests
from shared.facts import Cell, Fact, Facts

BY_TEAM: Final = ("region", "department")
"""What a deal, and all that follows from it, has from its team."""
_deal = DealFact.__table__.c  # type: ignore[attr-defined]
_feedback = FeedbackFact.__table__.c  # type: ignore[attr-defined]
_invoice = InvoiceFact.__table__.c  # type: ignore[attr-defined]
_receipt = ReceiptFact.__table__.c  # type: ignore[attr-defined]
_expense = ExpenseFact.__table__.c  # type: ignore[attr-defined]
_request = RequestFact.__table__.c  # type: ignore[attr-defined]


def credited(member: str) -> sa.ColumnElement[bool]:
    """The condition of deals that a member is credited for."""
    return _mentions(_deal.credits, member)


def _mentions(column: Any, key: str) -> sa.ColumnElement[bool]:
    # Ids hold no character that means something to LIKE but the underscore; whole ids stand between the quotes.
    return sa.type_coerce(column, sa.Text).like(f'%"{key}"%')


@dataclass(frozen=True, slots=True)
class Source:
    """Facts of one kind, the measures they feed, and the columns that say whose they are."""

    model: type[Fact]
    keeper: Facts[Any]
    measures: frozenset[str]
    columns: Mapping[str, sa.ColumnElement[Any]]
    narrowed: bool = False
    """Whether a part of a fact can pass a filter: deals, that members share and that have products."""

    def cells(self, fact: Any, belongs: Belongs | None, product: str | None) -> Iterable[Cell]:
        """What a fact, or the part of it that these members and this product have, adds to the sums."""
        if belongs is None and (product is None or not self.narrowed):
            return self.keeper.cells(fact)
        return contributions_of(fact, Part(fact, belongs, product))

    def concerns(self, member: str) -> sa.ColumnElement[bool]:
        """The condition of facts that a member may have a part in."""
        owned = self.columns["member"] == member
        return sa.or_(owned, credited(member), _mentions(_deal.owners, member)) if self.narrowed else owned

    def holds(self, product: str) -> sa.ColumnElement[bool]:
        """The condition of deals with a product: among their lines, or without lines as what they are about."""
        return sa.or_(_mentions(_deal.lines, product), sa.and_(_deal.lines == [], _deal.product == product))

    def knows(self, dim: str) -> bool:
        """Whether its facts can be narrowed by a dimension."""
        if dim == "group":
            return "member" in self.columns
        return dim in self.columns or (dim in BY_TEAM and "team" in self.columns)


SOURCES: Final = (
    Source(
        DealFact,
        deals,
        frozenset({"opened", "taken", "given", "won", "lost", "stage_in", "stage_out"}),
        {"team": _deal.team, "member": _deal.owner, "customer": _deal.customer, "product": _deal.product},
        narrowed=True,
    ),
    Source(
        FeedbackFact,
        feedback,
        frozenset({"answered", "content"}),
        {"team": _feedback.team, "member": _feedback.member, "customer": _feedback.customer},
    ),
    Source(
        InvoiceFact,
        invoices,
        frozenset({"invoiced", "invoiced_of_won", "credited", "written_off", "taken_of_invoiced", "owed"}),
        {"team": _invoice.team, "customer": _invoice.customer},
    ),
    Source(
        ReceiptFact,
        receipts,
        frozenset({"received", "overpaid", "settled_of_invoiced", "owed"}),
        {"team": _receipt.team, "customer": _receipt.customer},
    ),
    Source(
        ExpenseFact,
        expenses,
        frozenset({"spent"}),
        {"department": _expense.department, "kind": _expense.spent_for},
    ),
    Source(
        RequestFact,
        requests,
        frozenset({"asked", "resolved", "kept", "missed", "reopened"}),
        {"department": _request.to_department, "kind": _request.asks_for},
    ),
)


def sources_of(measure: str) -> Sequence[Source]:
    """The facts that feed a measure; none for those that are not narrowed by several dimensions at once."""
    plain = measure.partition(":")[0]
    return [source for source in SOURCES if plain in source.measures]
