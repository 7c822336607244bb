"""Customers and products as the views see them."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from sqlmodel import Field

from shared.events.common import TargetsExternalLinked
from shared.events.targets import (
    CustomerChanged,
    CustomerHandedOver,
    CustomerLost,
    CustomerMerged,
    CustomerMet,
    ProductChanged,
    ProductListed,
)  # fmt: skip
from shared.facts import Fact, Facts
from shared.handovers import handed
from shared.store.types import Json


class CustomerFact(Fact, table=True):
    """A customer: name, region, and the day they were lost, if they were."""

    __tablename__ = "customer_fact"
    kind: ClassVar[str] = "customer"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    name: str = ""
    region: str | None = None
    lost_on: list[str] = Field(default_factory=list, sa_type=Json)
    """Every day on which the customer was lost, in order."""
    merged_into: str | None = None
    owners: list[list[str]] = Field(default_factory=list, sa_type=Json)
    """Who looked after them from which day on, where they were ever handed over."""


class ProductFact(Fact, table=True):
    """A product's name."""

    __tablename__ = "product_fact"
    kind: ClassVar[str] = "product"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    name: str = ""


customers, products = Facts(CustomerFact), Facts(ProductFact)


@customers.on(CustomerMet)
def meet(customer: CustomerFact, event: CustomerMet) -> None:
    customer.name, customer.region, customer.externals = event.name, event.region, event.externals


@customers.on(CustomerChanged)
def change(customer: CustomerFact, event: CustomerChanged) -> None:
    customer.name, customer.region = event.name, event.region


@customers.on(CustomerLost)
def lose(customer: CustomerFact, event: CustomerLost) -> None:
    customer.lost_on = sorted([*customer.lost_on, event.on.isoformat()])


@customers.on(CustomerHandedOver)
def hand_over(customer: CustomerFact, event: CustomerHandedOver) -> None:
    customer.owners = handed(customer.owners, event.owner, event.on, event.before)


@customers.on(CustomerMerged)
def merge(customer: CustomerFact, event: CustomerMerged) -> None:
    customer.merged_into = event.into


@products.on(ProductListed)
def list_product(product: ProductFact, event: ProductListed) -> None:
    product.name, product.externals = event.name, event.externals


@products.on(ProductChanged)
def change_product(product: ProductFact, event: ProductChanged) -> None:
    product.name = event.name


@customers.on(TargetsExternalLinked)
@products.on(TargetsExternalLinked)
def link(fact: Any, event: TargetsExternalLinked) -> None:
    if event.id is not None:
        fact.externals = fact.externals | {event.source: event.id}


def lost_before(customer: CustomerFact, day: date) -> list[date]:
    """The days before this one on which the customer was lost."""
    return [date.fromisoformat(lost) for lost in customer.lost_on if lost < day.isoformat()]
