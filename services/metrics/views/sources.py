"""Where measures come from: which facts feed them, and by what they can be narrowed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.deal_cells import Belongs, Part, contributions_of
from services.metrics.facts.deals import DealFact, deals
from services.metrics.facts.feedback import FeedbackFact, feedback
from services.metrics.facts.money import (
    NAMED,
    ExpenseFact,
    InvoiceFact,
    ReceiptFact,
    expense_cells,
    expenses,
    invoices,
    receipts,
)
from services.metrics.facts.money_cells import Asked, invoice_cells, receipt_cells
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


def _agreed(start: date, end: date) -> sa.ColumnElement[bool]:
    return sa.or_(sa.and_(_deal.closed_on >= start, _deal.closed_on < end), _deal.amendments != [])


def credited(member: str) -> sa.ColumnElement[bool]:
    """The condition of deals that a member is credited for."""
    return mentions(_deal.credits, member)


def mentions(column: Any, key: str) -> sa.ColumnElement[bool]:
    """The condition of facts whose column names something by its id."""
    # Ids hold no character that means something to LIKE but the underscore; whole ids stand between the quotes.
    return sa.type_coerce(column, sa.Text).like(f'%"{key}"%')


@dataclass(frozen=True, slots=True)
class Source:
    """Facts of one kind, the measures they feed, and the columns that say whose they are."""

    model: type[Fact]
    keeper: Facts[Any]
    measures: frozenset[str]
    columns: Mapping[str, sa.ColumnElement[Any]]
    part: Callable[[Any, Belongs | None, str | None], Iterable[Cell]] | None = None
    """What the part of a fact adds to the sums that passes a filter: of a deal, that members share and that has
    products, of the money that it brings in, and of what was spent for a member."""
    members: Sequence[Any] = ()
    """Columns that name the members who share a fact."""
    products: Sequence[Any] = ()
    """Columns that name its products."""
    later: Sequence[Any] = ()
    """Columns of what was agreed on later, that name members and products who had no part in it before."""
    happened: Mapping[str, Callable[[date, date], sa.ColumnElement[bool]]] = field(default_factory=dict)
    """By measure the condition of facts that add to it on some days; of other measures any fact may."""

    @property
    def narrowed(self) -> bool:
        """Whether a part of a fact can pass a filter."""
        return self.part is not None

    def cells(self, fact: Any, belongs: Belongs | None, product: str | None) -> Iterable[Cell]:
        """What a fact, or the part of it that these members and this product have, adds to the sums."""
        if self.part is None or (belongs is None and product is None):
            return self.keeper.cells(fact)
        return self.part(fact, belongs, product)

    def concerns(self, member: str, *, ever: bool = False) -> sa.ColumnElement[bool]:
        """The condition of facts that a member may have a part in, or may `ever` have got one in."""
        owned = [self.columns["member"] == member] if "member" in self.columns else []
        columns = [*self.members, *(self.later if ever else ())]
        return sa.or_(sa.false(), *owned, *(mentions(column, member) for column in columns))

    def holds(self, product: str, *, ever: bool = False) -> sa.ColumnElement[bool]:
        """The condition of facts with a product, or that may `ever` have got it: of deals among their lines, or without
        lines as what they are about."""
        about = [self.columns["product"] == product] if "product" in self.columns else []
        bare = [sa.and_(*(column == [] for column in self.products), *about)] if about else []
        columns = [*self.products, *(self.later if ever else ())]
        return sa.or_(sa.false(), *bare, *(mentions(column, product) for column in columns))

    def knows(self, dim: str) -> bool:
        """Whether its facts can be narrowed by a dimension."""
        if dim == "group":
            return self.knows("member")
        if (dim == "member" and self.members) or (dim == "product" and self.products):
            return True
        return dim in self.columns or (dim in BY_TEAM and "team" in self.columns)


SOURCES: Final = (
    Source(
        DealFact,
        deals,
        frozenset({"opened", "taken", "given", "won", "lost", "assisted", "stage_in", "stage_out"}),
        {"team": _deal.team, "member": _deal.owner, "customer": _deal.customer, "product": _deal.product},
        part=lambda deal, belongs, product: contributions_of(deal, Part(deal, belongs, product)),
        members=(_deal.credits, _deal.owners, _deal.assists),
        products=(_deal.lines,),
        later=(_deal.amendments,),
        happened={"won": _agreed},
    ),
    Source(
        FeedbackFact,
        feedback,
        frozenset({"answered", "content", "recommending", "promoters", "detractors"}),
        {"team": _feedback.team, "member": _feedback.member, "customer": _feedback.customer},
    ),
    Source(
        InvoiceFact,
        invoices,
        frozenset({"invoiced", "invoiced_of_won", "credited", "written_off", "taken_of_invoiced", "owed"}),
        {"team": _invoice.team, "customer": _invoice.customer},
        part=lambda invoice, belongs, product: invoice_cells(invoice, Asked(belongs, product)),
        members=(_invoice.parts,),
        products=(_invoice.parts,),
    ),
    Source(
        ReceiptFact,
        receipts,
        frozenset({"received", "overpaid", "settled_of_invoiced", "owed"}),
        {"team": _receipt.team, "customer": _receipt.customer},
        part=lambda receipt, belongs, product: receipt_cells(receipt, Asked(belongs, product)),
        members=(_receipt.parts,),
        products=(_receipt.parts,),
    ),
    Source(
        ExpenseFact,
        expenses,
        frozenset({"spent"}),
        {"department": _expense.department, "kind": _expense.spent_for, **{dim: _expense[dim] for dim in NAMED}},
        part=lambda expense, belongs, product: expense_cells(expense, belongs),
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
