"""What targets tells: customers, products, deals, the money around them, and what is aimed at.

Amounts are exact money; shares are decimal strings. Notes and reasons in free words stay with targets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from shared.events import Event, event
from shared.money import Money
from shared.period import Period


@dataclass(frozen=True, kw_only=True)
class Line:
    """One product of a won deal: how much of it, for how much, and what it cost as of the day of the sale."""

    product: str | None
    quantity: str
    amount: Money
    cost: Money | None = None


@dataclass(frozen=True, kw_only=True)
class Credit:
    """A member's part of a won deal; the amounts of all credits sum to the deal's value to the cent."""

    member: str
    share: str
    amount: Money


@event("concert.targets.customer-met.v1")
class CustomerMet(Event):
    """Somebody we may sell to is known by name."""

    name: str
    region: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.targets.customer-changed.v1")
class CustomerChanged(Event):
    """A customer has another name or region; the event says both."""

    name: str
    region: str | None = None


@event("concert.targets.customer-lost.v1")
class CustomerLost(Event):
    """A customer has left us on a day; the reason is kept by targets."""

    on: date


@event("concert.targets.customer-merged.v1")
class CustomerMerged(Event):
    """A customer was a duplicate of another one, which stands for both from now on."""

    into: str


@event("concert.targets.customer-handed-over.v1")
class CustomerHandedOver(Event):
    """A member looks after a customer from a day on; `before` did until then, if anybody."""

    owner: str
    on: date
    before: str | None = None


@event("concert.targets.product-listed.v1")
class ProductListed(Event):
    """Something we sell."""

    name: str
    price: Money | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.targets.product-changed.v1")
class ProductChanged(Event):
    """A product has another name or list price; the event says both."""

    name: str
    price: Money | None = None


@event("concert.targets.product-costed.v1")
class ProductCosted(Event):
    """From a day on, one unit of a product costs us so much."""

    cost: Money
    since: date


@event("concert.targets.deal-opened.v1")
class DealOpened(Event):
    """A chance to sell has been found."""

    owner: str
    opened_on: date
    stage: str
    customer: str | None = None
    product: str | None = None
    team: str | None = None
    value: Money | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.targets.deal-changed.v1")
class DealChanged(Event):
    """An open deal is described differently; the event says all of it."""

    owner: str
    opened_on: date
    customer: str | None = None
    product: str | None = None
    team: str | None = None
    value: Money | None = None


@event("concert.targets.deal-moved.v1")
class DealMoved(Event):
    """A deal has reached another stage."""

    stage: str
    on: date


@event("concert.targets.deal-won.v1")
class DealWon(Event):
    """A deal was won; the team it was won for keeps it."""

    on: date
    value: Money
    owner: str
    lines: tuple[Line, ...] = ()
    credits: tuple[Credit, ...] = ()
    assists: tuple[str, ...] = ()
    customer: str | None = None
    product: str | None = None
    team: str | None = None
    cost: Money | None = None
    """What the lines cost together; none while the cost of any of them is not known."""


@event("concert.targets.deal-amended.v1")
class DealAmended(Event):
    """What was agreed on with a won deal is another thing from a day on; the event says the whole of it.

    The difference counts on that day, and what was before it keeps what it had. The reason is kept by targets.
    """

    on: date
    value: Money
    lines: tuple[Line, ...] = ()
    credits: tuple[Credit, ...] = ()
    cost: Money | None = None


@dataclass(frozen=True, kw_only=True)
class InRole:
    """A member who filled a role in a deal."""

    role: str
    member: str


@event("concert.targets.deal-handed-over.v1")
class DealHandedOver(Event):
    """Another member has an open deal from a day on; the days before stay with who had it."""

    owner: str
    on: date
    before: str


@event("concert.targets.deal-staffed.v1")
class DealStaffed(Event):
    """Who filled which role in a deal; the event says all of them."""

    roles: tuple[InRole, ...] = ()


@event("concert.targets.role-weights-set.v1")
class RoleWeightsSet(Event):
    """What the roles in a deal weigh, of deals closed on a day or later; the weights sum to 1."""

    since: date
    weights: dict[str, str] = field(default_factory=dict)


@event("concert.targets.deal-lost.v1")
class DealLost(Event):
    """A deal was lost; the reason and the competitor are kept by targets."""

    on: date


@event("concert.targets.deal-reopened.v1")
class DealReopened(Event):
    """A closed deal is open again, as if it had not been closed."""

    on: date


@event("concert.targets.invoice-entered.v1")
class InvoiceEntered(Event):
    """A won deal, or a part of it, has been invoiced; the amount is net of tax.

    It also says when the deal was won and for which customer and team. These cannot become untrue while the invoice
    counts: a deal with an invoice that is not voided is not reopened.
    """

    deal: str
    amount: Money
    on: date
    due_on: date
    won_on: date
    tax: Money | None = None
    customer: str | None = None
    team: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.targets.invoice-credited.v1")
class InvoiceCredited(Event):
    """A part of what an invoice asks for is not asked for any more, from a day on."""

    amount: Money
    on: date


@event("concert.targets.invoice-written-off.v1")
class InvoiceWrittenOff(Event):
    """A part of what an invoice asks for is not expected any more, from a day on."""

    amount: Money
    on: date


@event("concert.targets.invoice-voided.v1")
class InvoiceVoided(Event):
    """An invoice was issued in error; it counts nowhere, as if it had not been issued."""

    on: date


@event("concert.targets.receipt-booked.v1")
class ReceiptBooked(Event):
    """Money has come in for an invoice.

    `applied` is the part that settles the invoice; what was paid beyond it stays on account. The invoice's days,
    customer and team are those of the invoice and do not change.
    """

    invoice: str
    amount: Money
    applied: Money
    on: date
    invoiced_on: date
    due_on: date
    customer: str | None = None
    team: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.targets.receipt-reversed.v1")
class ReceiptReversed(Event):
    """Money that had come in went back on a day; until then it was there."""

    on: date


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What a budget plans from a day on, until the next of its days."""

    on: date
    amount: Money


@event("concert.targets.budget-planned.v1")
class BudgetPlanned(Event):
    """A department may spend so much in a period; the rows say when, and sum to the amount."""

    department: str
    period: Period
    amount: Money
    on_overrun: str
    rows: tuple[Planned, ...]
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.targets.budget-changed.v1")
class BudgetChanged(Event):
    """A budget has another amount, other rows, or does something else when it is overrun; the event says all three."""

    amount: Money
    on_overrun: str
    rows: tuple[Planned, ...]


@event("concert.targets.expense-booked.v1")
class ExpenseBooked(Event):
    """A department has spent money on something of a kind."""

    department: str
    spent_for: str
    amount: Money
    on: date
    cause: str | None = None
    """The subject that it follows from, `training/<id>`, if somebody else's fact made it."""
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.targets.expense-reversed.v1")
class ExpenseReversed(Event):
    """Money that a department had spent came back on a day; until then it was spent."""

    on: date


@dataclass(frozen=True, kw_only=True)
class Due:
    """What a target asks for from a day on, until the next of its days: money, or a number as a decimal string."""

    on: date
    value: Money | str


@event("concert.targets.target-set.v1")
class TargetSet(Event):
    """So much of a metric is aimed at in a period: by the organisation, a department, team, group or member."""

    metric: str
    level: str
    period: Period
    value: Money | str
    ref: str | None = None
    distribution: tuple[Due, ...] = ()
    stretch: Money | str | None = None
    goal: str | None = None
    parent: str | None = None
    set_after_start: bool = False
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.targets.target-changed.v1")
class TargetChanged(Event):
    """A target aims at another value, is distributed differently or serves another goal; the event says all of it.

    What was approved is not any more. The reason is kept by targets.
    """

    value: Money | str
    distribution: tuple[Due, ...] = ()
    stretch: Money | str | None = None
    goal: str | None = None


@event("concert.targets.target-approved.v1")
class TargetApproved(Event):
    """Somebody else has agreed to a target; what other currencies were worth in its own that day is its plan rate."""

    on: date
    plan_rates: dict[str, str] = field(default_factory=dict)


@event("concert.targets.target-cascaded.v1")
class TargetCascaded(Event):
    """A target is made of others, which sum to it, or to a stated share more."""

    children: tuple[str, ...]
    over_assignment: str


@event("concert.targets.target-placed.v1")
class TargetPlaced(Event):
    """A target that was there already is a part of another one from now on."""

    parent: str


@event("concert.targets.target-closed.v1")
class TargetClosed(Event):
    """A target is not worked on any more; what was attained stays to be seen."""

    on: date


@event("concert.targets.rate-set.v1")
class RateSet(Event):
    """From a day on one unit of a currency is worth so much of another; the rate is a decimal string."""

    base: str
    quote: str
    on: date
    rate: str
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.targets.rate-changed.v1")
class RateChanged(Event):
    """The rate of that day was another one."""

    rate: str


@event("concert.targets.customer-answered.v1")
class CustomerAnswered(Event):
    """A customer said how content they are, from 1 to 5; what they said in words stays with targets."""

    customer: str
    score: int
    on: date
    deal: str | None = None
    member: str | None = None
    team: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.targets.feedback-withdrawn.v1")
class FeedbackWithdrawn(Event):
    """An answer was none; it counts nowhere."""

    on: date
