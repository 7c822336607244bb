"""`/v1/customers`."""

from __future__ import annotations

from pydantic import Field

from services.targets.domain.customers import Customer
from shared.http.bodies import Body, Name, Named, Ref, Text
from shared.http.collection import Collection, fresh
from shared.instant import Day
from shared.store import Tx

customers = Collection(Customer, "customers", filters={"region": "region", "merged_into": "merged_into"})


class MeetCustomer(Named):
    """A customer to be known by name."""

    name: Name = Field(examples=["Cancity"])
    region: Name | None = Field(default=None, examples=["EMEA"])


class ChangeCustomer(Named):
    """What to change about a customer; what is not sent stays, null clears."""

    name: Name = ""
    region: Name | None = None


class LoseCustomer(Body):
    """The day from which a customer buys from us no more."""

    on: Day
    reason: Text | None = None


class MergeCustomer(Body):
    """The customer that stays."""

    into: Ref


@customers.create
async def meet_customer(tx: Tx, body: MeetCustomer) -> Customer:
    """Learn of a customer."""
    customer, met = Customer.meet(name=body.name, region=body.region, **fresh(Customer, body))
    return tx.save(customer, met)


@customers.amend
async def change_customer(tx: Tx, customer: Customer, body: ChangeCustomer) -> Customer:
    """Describe a customer differently."""
    return tx.save(customer, customer.change(**body.sent()))


@customers.verb("lose")
async def lose_customer(tx: Tx, customer: Customer, body: LoseCustomer) -> Customer:
    """Record that a customer buys from us no more."""
    return tx.save(customer, customer.lose(body.on, body.reason))


@customers.verb("merge")
async def merge_customer(tx: Tx, customer: Customer, body: MergeCustomer) -> Customer:
    """Join a duplicate with the customer that stays."""
    return tx.save(customer, customer.merge(await tx.get(Customer, body.into)))
