"""Deals as the views see them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import zip_longest
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field

from services.metrics.facts.courses import Course, courses
from services.metrics.facts.deal_cells import contributions
from services.metrics.sums import Tally
from shared.events.targets import (
    Costed,
    DealAmended,
    DealChanged,
    DealCosted,
    DealHandedOver,
    DealLost,
    DealMoved,
    DealOpened,
    DealReopened,
    DealStaffed,
    DealWon,
)
from shared.facts import Fact, Facts
from shared.handovers import Sale, handed, owner_on
from shared.store.types import Json

STAFFED: Final = sa.literal_column("roles", sa.Text()) != sa.literal_column("'[]'")
"""Whether it is known of a deal who filled which role, as its index says it."""


HANDED_OVER: Final = sa.literal_column("owners", sa.Text()) != sa.literal_column("'[]'")
"""Whether a deal was ever handed over, as its index says it."""


class DealFact(Fact, table=True):
    """A deal: when it was opened and closed, for whom, and what it brought."""

    __tablename__ = "deal_fact"
    __table_args__ = (
        sa.Index("deal_fact_team", "team", "closed_on"),
        sa.Index("deal_fact_owner", "owner", "closed_on"),
        # The first won deal of a customer, the first by its id of several of a day, is found without looking at others.
        sa.Index("deal_fact_customer", "customer", "status", "closed_on", "id"),
        sa.Index("deal_fact_closed", "status", "closed_on"),
        sa.Index("deal_fact_opened", "opened_on"),
        sa.Index("deal_fact_amended", "amended_on"),
        # Roles are known of few deals, and few are handed over.
        sa.Index("deal_fact_handed_over", "opened_on", sqlite_where=HANDED_OVER, postgresql_where=HANDED_OVER),
        sa.Index("deal_fact_staffed", "closed_on", sqlite_where=STAFFED, postgresql_where=STAFFED),
    )
    kind: ClassVar[str] = "deal"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    owner: str = ""
    team: str | None = None
    customer: str | None = None
    product: str | None = None
    status: str = "open"
    opened_on: date | None = None
    closed_on: date | None = None
    stages: list[list[str]] = Field(default_factory=list, sa_type=Json)
    """The stages it went through, each with the day it was reached."""
    estimate: int = Field(default=0, sa_type=sa.BigInteger)
    """What it was hoped to bring while it was open, in minor units."""
    estimate_currency: str = ""
    value: int = Field(default=0, sa_type=sa.BigInteger)
    cost: int | None = Field(default=None, sa_type=sa.BigInteger)
    currency: str = ""
    lines: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    credits: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    amendments: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """What was agreed on later, oldest first: each its day and the whole as it is from then on."""
    amended_on: date | None = None
    """The day of the last of them."""
    assists: list[str] = Field(default_factory=list, sa_type=Json)
    """Who helped to win it without being credited."""
    roles: list[dict[str, str]] = Field(default_factory=list, sa_type=Json)
    """`{"role", "member"}`: who filled which role."""
    owners: list[list[str]] = Field(default_factory=list, sa_type=Json)
    """Who had it from which day on, oldest first, where it was ever handed over."""

    def owner_on(self, day: date) -> str:
        """Who had it at the end of a day."""
        if not self.owners:
            return self.owner
        held = owner_on(self.owners, day)
        return held[0] if held is not None else self.owner

    def open_before(self, day: date) -> bool:
        """Whether it was open when a day began."""
        opened = self.opened_on is not None and self.opened_on < day
        return opened and (self.closed_on is None or self.closed_on >= day)

    @property
    def sale(self) -> Sale:
        """What it says of who looks after its customer."""
        opened = self.opened_on or date.max
        return Sale(self.id, self.owner, self.team, opened, self.closed_on, self.status == "won", self.owners)


deals = Facts(DealFact, sums=Tally, cells=contributions, further=((Course, courses),))


@deals.on(DealOpened)
def open_deal(deal: DealFact, event: DealOpened) -> None:
    deal.externals = event.externals
    deal.stages = [[event.stage, event.opened_on.isoformat()]]
    _describe(deal, event)


@deals.on(DealChanged)
def change_deal(deal: DealFact, event: DealChanged) -> None:
    _describe(deal, event)
    if deal.stages:
        deal.stages = [[deal.stages[0][0], event.opened_on.isoformat()], *deal.stages[1:]]


@deals.on(DealMoved)
def move_deal(deal: DealFact, event: DealMoved) -> None:
    deal.stages = [*deal.stages, [event.stage, event.on.isoformat()]]


@deals.on(DealHandedOver)
def hand_over(deal: DealFact, event: DealHandedOver) -> None:
    deal.owners, deal.owner = handed(deal.owners, event.owner, event.on, event.before), event.owner


@deals.on(DealWon)
def win_deal(deal: DealFact, event: DealWon) -> None:
    deal.status, deal.closed_on = "won", event.on
    deal.owner, deal.team, deal.customer, deal.product = event.owner, event.team, event.customer, event.product
    deal.currency = event.value.currency
    agreed = _agreed(event)
    deal.value, deal.cost, deal.lines, deal.credits = (agreed[each] for each in ("value", "cost", "lines", "credits"))
    deal.amendments, deal.amended_on, deal.assists = [], None, list(event.assists)
    deal.total, deal.total_currency = deal.value, deal.currency


@deals.on(DealAmended)
def amend_deal(deal: DealFact, event: DealAmended) -> None:
    deal.amendments = [*deal.amendments, {"on": event.on.isoformat()} | _agreed(event)]
    deal.amended_on, deal.total = event.on, event.value.minor


@deals.on(DealCosted)
def cost_deal(deal: DealFact, event: DealCosted) -> None:
    first, *later = event.agreed
    said = _costed(first, deal.lines, deal.credits)
    deal.cost, deal.lines, deal.credits = said["cost"], said["lines"], said["credits"]
    deal.amendments = [
        each | _costed(told, each["lines"], each["credits"])
        for each, told in zip(deal.amendments, later, strict=True)
    ]  # fmt: skip


def _costed(told: Costed, lines: list[dict[str, Any]], credits: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "cost": told.cost.minor if told.cost else None,
        "lines": [line | {"cost": cost.minor if cost else None}
                  for line, cost in zip(lines, told.lines, strict=True)],
        "credits": [credit | {"cost": cost.minor if cost else None}
                    for credit, cost in zip_longest(credits, told.credits)],
    }  # fmt: skip


@deals.on(DealStaffed)
def staff_deal(deal: DealFact, event: DealStaffed) -> None:
    deal.roles = [{"role": each.role, "member": each.member} for each in event.roles]


@deals.on(DealLost)
def lose_deal(deal: DealFact, event: DealLost) -> None:
    deal.status, deal.closed_on = "lost", event.on


@deals.on(DealReopened)
def reopen_deal(deal: DealFact, event: DealReopened) -> None:
    deal.status, deal.closed_on, deal.value, deal.cost = "open", None, 0, None
    deal.lines, deal.credits, deal.assists, deal.total, deal.total_currency = [], [], [], 0, ""
    deal.amendments, deal.amended_on = [], None


def _agreed(event: DealWon | DealAmended) -> dict[str, Any]:
    """What is told of a deal that is won: amounts in minor units, and the cost by credit."""
    costs = event.cost.split([Decimal(credit.share) for credit in event.credits]) if event.cost else []
    return {
        "value": event.value.minor,
        "cost": event.cost.minor if event.cost else None,
        "lines": [
            {"product": line.product, "minor": line.amount.minor, "cost": line.cost.minor if line.cost else None}
            for line in event.lines
        ],
        "credits": [
            {"member": credit.member, "minor": credit.amount.minor, "cost": cost.minor if cost else None}
            for credit, cost in zip_longest(event.credits, costs)
        ],
    }


def _describe(deal: DealFact, event: DealOpened | DealChanged) -> None:
    deal.owner, deal.opened_on = event.owner, event.opened_on
    deal.team, deal.customer, deal.product = event.team, event.customer, event.product
    deal.estimate = event.value.minor if event.value else 0
    deal.currency = event.value.currency if event.value else deal.currency
    deal.estimate_currency = event.value.currency if event.value else ""
