"""What targets tells: customers, products, deals, the money around them, and what is aimed at.

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


@event("concert.targets.deal-lost.v1")
class DealLost(Event):
    """A deal was lost; the reason and the competitor are kept by targets."""

    on: date


@event("concert.targets.deal-reopened.v1")
class DealReopened(Event):
    """A closed deal is open again, as if it had not been closed."""

    on: date
