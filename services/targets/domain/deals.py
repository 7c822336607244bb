"""Deals: a chance to sell, from its opening to the day it is won or lost, and who gets which credit for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Self

import sqlalchemy as sa
from sqlmodel import Field

from services.targets.domain.costs import CostOf, costed, told_of
from services.targets.domain.crediting import Shares, check_shares, refuse_others, shares_in
from shared.errors import Refused
from shared.events.targets import (
    Credit,
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
    InRole,
    Line,
)
from shared.handovers import Sale, handed
from shared.money import Money
from shared.store import Entity
from shared.store.types import Json, MoneyText


class DealIsClosed(Refused):
    """This deal was {status} on {on}; reopen it to correct it."""


class DealIsOpen(Refused):
    """This deal is open; there is nothing to reopen."""


class DealIsInvoiced(Refused):
    """{invoiced} of this deal is invoiced; void its invoices before it is reopened."""


class DealIsNotWon(Refused):
    """This deal is {status}; only what was agreed on with a won deal is amended."""


class AmendedBeforeWon(Refused):
    """This deal was won or last amended on {last}; it cannot be amended on {on}."""

    status, at = 422, "/on"


class AmendedInAnotherCurrency(Refused):
    """This deal was won in {currency}; it is not amended in {other}."""

    status, at = 422, "/value/currency"


class AmendedBelowInvoices(Refused):
    """{invoiced} of this deal is invoiced, {difference} more than the {value} it would come to; credit that first."""

    at = "/value"


class DealIsLost(Refused):
    """This deal was lost on {on}; there is nothing that anybody contributed."""


class InRoleTwice(Refused):
    """{member} stands in the role {role} more than once."""

    status, at = 422, "/roles"


class OwnerByHandover(Refused):
    """This deal was handed over to {owner} on {since}; it gets another owner by being handed over again."""

    at = "/owner"


class ClosedBeforeHandedOver(Refused):
    """This deal was handed over on {last}; it cannot be closed on {on}."""

    status, at = 422, "/on"


class DealHandedOverBefore(Refused):
    """This deal was opened or last handed over on {last}; on {on} it cannot be handed over."""

    status, at = 422, "/on"


class ClosedBeforeOpened(Refused):
    """A deal opened on {opened} cannot be closed on {closed}."""

    status, at = 422, "/on"


@dataclass(frozen=True, slots=True)
class Sold:
    """A line of a deal as it is won: amounts already exact, cost as of the day of the sale."""

    product: str | None
    quantity: Decimal
    amount: Money
    cost: Money | None


class Deal(Entity, table=True):
    """A chance to sell something to somebody."""

    __table_args__ = (
        sa.Index("deal_closed", "status", "closed_on"),
        sa.Index("deal_customer_closed", "customer", "closed_on"),
    )
    kind: ClassVar[str] = "deal"
    hidden: ClassVar[frozenset[str]] = frozenset({"estimate", "estimate_currency", "owners", "settled"})

    name: str | None = None
    owner: str = Field(index=True)
    team: str | None = Field(default=None, index=True)
    customer: str | None = None
    product: str | None = None
    stage: str = "prospecting"
    status: str = "open"
    opened_on: date
    closed_on: date | None = None
    value: Money | None = Field(default=None, sa_type=MoneyText)
    estimate: int = Field(default=0, sa_type=sa.BigInteger)
    """What it was hoped to bring while it was open, in minor units: what it brought takes its place in the value."""
    estimate_currency: str = ""
    cost: Money | None = Field(default=None, sa_type=MoneyText)
    """What the lines cost together; none while the cost of any of them is not known."""
    lines: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    credits: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    settled: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """The credits that it had when a closing was taken back: closing it again does not change them."""
    assists: list[str] = Field(default_factory=list, sa_type=Json)
    roles: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """Who filled which role in it, for what each contributed; credits say whose revenue it is."""
    amendments: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """What was agreed on before each of them, oldest first, with the day and the reason of the change, and who has
    entered it: a member, a tool, or the change of credits that others have approved."""
    amended_on: date | None = Field(default=None, index=True)
    owners: list[list[str]] = Field(default_factory=list, sa_type=Json)
    """Who had it from which day on, oldest first, where it was ever handed over."""
    lost_reason: str | None = None
    competitor: str | None = None

    def worth(self) -> Money | None:
        """A won deal adds its value to the books."""
        return self.value if self.status == "won" else None

    @classmethod
    def open(cls, *, owner: str, opened_on: date, stage: str = "prospecting", **fields: Any) -> tuple[Self, DealOpened]:
        """Take up a chance to sell."""
        deal = cls.make(owner=owner, opened_on=opened_on, stage=stage, **fields)
        deal._estimate()
        return deal, DealOpened(
            owner=owner,
            opened_on=opened_on,
            stage=stage,
            customer=deal.customer,
            product=deal.product,
            team=deal.team,
            value=deal.value,
            externals=deal.externals,
        )

    def change(self, **fields: Any) -> DealChanged | None:
        """Describe an open deal differently; only the fields given change."""
        changed = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not changed:
            return None
        self._refuse_if_closed()
        if "owner" in changed and self.owners:
            raise OwnerByHandover(owner=self.owner, since=self.owners[-1][0])
        for name, value in changed.items():
            setattr(self, name, value)
        self._estimate()
        return DealChanged(
            owner=self.owner,
            opened_on=self.opened_on,
            customer=self.customer,
            product=self.product,
            team=self.team,
            value=self.value,
        )

    def move(self, stage: str, on: date) -> DealMoved | None:
        """Bring the deal to another stage."""
        if stage == self.stage and self.status == "open":
            return None
        self._refuse_if_closed()
        self.stage = stage
        return DealMoved(stage=stage, on=on)

    def hand_over(self, to: str, on: date) -> DealHandedOver | None:
        """Let another member have the open deal from a day on; the days before stay with who had it."""
        self._refuse_if_closed()
        last = self.owners[-1][0] if self.owners else self.opened_on.isoformat()
        if on.isoformat() < last:
            raise DealHandedOverBefore(last=last, on=on)
        if self.owners and self.owners[-1] == [on.isoformat(), to]:
            return None
        before, self.owners, self.owner = self.owner, handed(self.owners, to, on, self.owner), to
        return DealHandedOver(owner=to, on=on, before=before)

    @property
    def sale(self) -> Sale:
        """What it says of who looks after its customer."""
        won = self.status == "won"
        return Sale(self.id, self.owner, self.team, self.opened_on, self.closed_on, won, self.owners)

    def win(
        self,
        on: date,
        value: Money,
        lines: Sequence[Sold],
        shares: Shares,
        assists: list[str],
        *,
        stated: bool = False,
    ) -> DealWon:
        """Close the deal as won; the shares of those who are credited sum to 1, and are those it had where it was won
        before, unless they are `stated` as another system has them."""
        self._refuse_if_closed()
        if not stated:
            refuse_others(shares_in(self.settled), shares)
        self._refuse_if_before_opening(on)
        self.status, self.stage, self.closed_on, self.assists = "won", "won", on, assists
        sold, credits = self._agree(value, lines, shares)
        return DealWon(
            on=on,
            value=value,
            owner=self.owner,
            lines=sold,
            credits=credits,
            assists=tuple(assists),
            customer=self.customer,
            product=self.product,
            team=self.team,
            cost=self.cost,
        )

    def amend(
        self,
        on: date,
        value: Money,
        lines: Sequence[Sold],
        shares: Shares,
        reason: str,
        invoiced: Money | None = None,
        *,
        stated: bool = False,
        by: str | None = None,
    ) -> DealAmended:
        """Agree on something else from a day on; what was before that day keeps what it had, and so do the credits,
        unless they are `stated` as another system has them, or others have agreed on them."""
        if self.status != "won" or self.value is None or self.closed_on is None:
            raise DealIsNotWon(status=self.status)
        if not stated:
            refuse_others(self.shares, shares)
        last = self.amended_on or self.closed_on
        if on < last:
            raise AmendedBeforeWon(last=last, on=on)
        if value.currency != self.value.currency:
            raise AmendedInAnotherCurrency(currency=self.value.currency, other=value.currency)
        if invoiced is not None and invoiced > value:
            raise AmendedBelowInvoices(invoiced=invoiced, value=value, difference=invoiced - value)
        before = {"on": on.isoformat(), "reason": reason, "by": by, "value": self.value.as_json(), "lines": self.lines,
                  "credits": self.credits, "cost": self.cost.as_json() if self.cost is not None else None}  # fmt: skip
        sold, credits = self._agree(value, lines, shares)
        self.amendments, self.amended_on = [*self.amendments, before], on
        return DealAmended(on=on, value=value, lines=sold, credits=credits, cost=self.cost)

    def learn_costs(self, cost_of: CostOf) -> DealCosted | None:
        """Learn what was sold had cost, where that was not known when it was agreed on; what is known stays."""
        if self.status != "won" or self.closed_on is None or self.value is None:
            return None
        days = [self.closed_on, *(date.fromisoformat(each["on"]) for each in self.amendments)]
        as_it_is: dict[str, Any] = {"lines": self.lines, "credits": self.credits}
        terms = [dict(each) for each in [*self.amendments, as_it_is]]
        known = [costed(each, cost_of, day) for each, day in zip(terms, days, strict=True)]
        if not any(known):
            return None
        told = tuple(told_of(each) for each in terms)
        self.amendments, self.lines, self.cost = terms[:-1], terms[-1]["lines"], told[-1].cost
        return DealCosted(agreed=told)

    def credit(
        self, on: date, shares: Shares, reason: str, invoiced: Money | None = None, by: str | None = None
    ) -> DealAmended:
        """Be whose others have agreed on that it is, from a day on; value and lines stay."""
        if self.status != "won" or self.value is None:
            raise DealIsNotWon(status=self.status)
        lines = [_sold(line) for line in self.lines]
        return self.amend(on, self.value, lines, shares, reason, invoiced, stated=True, by=by)

    def staff(self, roles: Sequence[tuple[str, str]]) -> DealStaffed | None:
        """Say who filled which role in it: all of them at once, each a role and a member."""
        if self.status == "lost":
            raise DealIsLost(on=self.closed_on)
        for role, member in roles:
            if roles.count((role, member)) > 1:
                raise InRoleTwice(member=member, role=role)
        said = tuple(InRole(role=role, member=member) for role, member in sorted(roles))
        plain = [vars(each) for each in said]
        if plain == self.roles:
            return None
        self.roles = plain
        return DealStaffed(roles=said)

    @property
    def staffing(self) -> dict[str, list[str]]:
        """The members who filled each role."""
        found: dict[str, list[str]] = {}
        for each in self.roles:
            found.setdefault(each["role"], []).append(each["member"])
        return found

    @property
    def shares(self) -> list[tuple[str, Decimal]]:
        """Who is credited which share; of an open deal that was won before, who was."""
        return shares_in(self.credits or self.settled)

    def _agree(
        self, value: Money, lines: Sequence[Sold], shares: Shares
    ) -> tuple[tuple[Line, ...], tuple[Credit, ...]]:
        """Keep what was agreed on, with credits that sum to the value. Raises CreditedTwice, CreditsDoNotSum."""
        check_shares(shares)
        amounts = value.split([share for _, share in shares])
        credits = tuple(
            Credit(member=member, share=str(share), amount=amount)
            for (member, share), amount in zip(shares, amounts, strict=True)
        )
        sold = tuple(
            Line(product=line.product, quantity=str(line.quantity), amount=line.amount, cost=line.cost)
            for line in lines
        )
        self.value = value
        self.lines = [_plain(line) for line in sold]
        self.credits = [_plain(credit) for credit in credits]
        costs = [line.cost for line in lines]
        self.cost = Money.total([cost for cost in costs if cost], value.currency) if costs and all(costs) else None
        return sold, credits

    def lose(self, on: date, reason: str, competitor: str | None) -> DealLost:
        """Close the deal as lost, and say why."""
        self._refuse_if_closed()
        self._refuse_if_before_opening(on)
        self.status, self.stage, self.closed_on = "lost", "lost", on
        self.lost_reason, self.competitor = reason, competitor
        return DealLost(on=on)

    def reopen(self, on: date, invoiced: Money | None = None) -> DealReopened:
        """Take a closing back, unless invoices ask for it; what was told of it is corrected, not forgotten."""
        if self.status == "open":
            raise DealIsOpen
        if invoiced is not None:
            raise DealIsInvoiced(invoiced=invoiced)
        self.status, self.stage, self.closed_on = "open", "reopened", None
        self.settled = self.credits or self.settled
        self.lines, self.credits, self.assists, self.cost = [], [], [], None
        self.amendments, self.amended_on = [], None
        self.lost_reason = self.competitor = None
        return DealReopened(on=on)

    def _estimate(self) -> None:
        self.estimate, self.estimate_currency = (self.value.minor, self.value.currency) if self.value else (0, "")

    def _refuse_if_closed(self) -> None:
        if self.status != "open":
            raise DealIsClosed(status=self.status, on=self.closed_on)

    def _refuse_if_before_opening(self, on: date) -> None:
        if self.owners and on.isoformat() < self.owners[-1][0]:
            raise ClosedBeforeHandedOver(last=self.owners[-1][0], on=on)
        if on < self.opened_on:
            raise ClosedBeforeOpened(opened=self.opened_on, closed=on)


def _sold(line: dict[str, Any]) -> Sold:
    cost = Money(**line["cost"]) if line["cost"] is not None else None
    return Sold(line["product"], Decimal(line["quantity"]), Money(**line["amount"]), cost)


def _plain(part: Line | Credit) -> dict[str, Any]:
    return {name: value.as_json() if isinstance(value, Money) else value for name, value in vars(part).items()}
