"""Customers: whom we sell to, and whether they still buy from us."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Self

from sqlmodel import Field

from shared.errors import Refused
from shared.events.targets import CustomerChanged, CustomerHandedOver, CustomerLost, CustomerMerged, CustomerMet
from shared.handovers import handed
from shared.store import Entity
from shared.store.types import Json


class CustomerIsMerged(Refused):
    """This customer was joined with {into}; use that one."""


class CannotMergeWithItself(Refused):
    """A customer cannot be joined with itself."""


class CustomerAlreadyLost(Refused):
    """This customer was already lost on {on}."""


class HandedOverBefore(Refused):
    """This customer was handed over on {last} already; on {on} it cannot be."""

    status, at = 422, "/on"


class Customer(Entity, table=True):
    """Somebody who buys from us, or may one day."""

    kind: ClassVar[str] = "customer"
    prefix: ClassVar[str] = "cust"
    hidden: ClassVar[frozenset[str]] = frozenset({"owners"})

    name: str
    region: str | None = None
    lost_on: date | None = None
    lost_reason: str | None = None
    merged_into: str | None = Field(default=None, index=True)
    owners: list[list[str]] = Field(default_factory=list, sa_type=Json)
    """Who looked after them from which day on, oldest first, where they were ever handed over."""

    @classmethod
    def meet(cls, *, name: str, region: str | None, **identity: Any) -> tuple[Self, CustomerMet]:
        """Learn of a customer."""
        customer = cls.make(name=name, region=region, **identity)
        return customer, CustomerMet(name=name, region=region, externals=customer.externals)

    def change(self, *, name: str | None = None, **fields: Any) -> CustomerChanged | None:
        """Describe the customer differently; only the fields given change."""
        self._refuse_if_merged()
        before = (self.name, self.region)
        self.name = name if name is not None else self.name
        self.region = fields.get("region", self.region)
        if (self.name, self.region) == before:
            return None
        return CustomerChanged(name=self.name, region=self.region)

    def lose(self, on: date, reason: str | None) -> CustomerLost:
        """Record that they buy from us no more; a deal won later wins them back."""
        self._refuse_if_merged()
        if self.lost_on is not None and self.lost_on >= on:
            raise CustomerAlreadyLost(on=self.lost_on)
        self.lost_on, self.lost_reason = on, reason
        return CustomerLost(on=on)

    def hand_over(self, to: str, on: date, before: str | None) -> CustomerHandedOver | None:
        """Let a member look after them from a day on; `before` is who did until then."""
        self._refuse_if_merged()
        if self.owners and on.isoformat() < self.owners[-1][0]:
            raise HandedOverBefore(last=self.owners[-1][0], on=on)
        if self.owners and self.owners[-1] == [on.isoformat(), to]:
            return None
        self.owners = handed(self.owners, to, on, before)
        return CustomerHandedOver(owner=to, on=on, before=before)

    def merge(self, into: Customer) -> CustomerMerged:
        """Join this duplicate with the customer that stays."""
        self._refuse_if_merged()
        into._refuse_if_merged()
        if into.id == self.id:
            raise CannotMergeWithItself
        self.merged_into = into.id
        return CustomerMerged(into=into.id)

    def _refuse_if_merged(self) -> None:
        if self.merged_into is not None:
            raise CustomerIsMerged(into=self.merged_into)
