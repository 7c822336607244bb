"""What targets tells of whom it sells to, and what: customers, products, deals, and what customers say of it.

Amounts are exact money; shares are decimal strings. Notes and reasons in free words stay with targets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from shared.events import Event, event
from shared.money import Money


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
class Costed:
    """What the lines of an agreement cost, in their order, and what of it each credit has; none of a line that is not
    known."""

    lines: tuple[Money | None, ...]
    credits: tuple[Money, ...] = ()
    cost: Money | None = None


@event("concert.targets.deal-costed.v1")
class DealCosted(Event):
    """It became known what was sold had cost on the day of its sale, which counts as if it had been known then.

    The event says it of all that was agreed on: of the winning, then of each amendment.
    """

    agreed: tuple[Costed, ...]


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
    recommends: int | None = None
    """How likely they are to recommend us, from 0 to 10, where they were asked."""


@event("concert.targets.feedback-withdrawn.v1")
class FeedbackWithdrawn(Event):
    """An answer was none; it counts nowhere."""

    on: date
