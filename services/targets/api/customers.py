"""`/v1/customers`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from services.targets.api.handovers import customers_held
from services.targets.domain.customers import Customer
from shared.http.bodies import Body, Name, Named, Ref, Text, shown
from shared.http.collection import Collection, fresh
from shared.identity.permissions import Principal
from shared.instant import Day, now
from shared.known import local_day
from shared.store import Snapshot, Tx


class WithOwner(BaseModel):
    """Who looks after a customer."""

    owner: str | None = Field(
        default=None,
        description="to whom they were handed over last, else who has the last deal with them that is open or won",
    )


async def present(snapshot: Snapshot, found: Sequence[Customer], reader: Principal | None) -> list[dict[str, Any]]:
    """Customers, with who looks after them today."""
    day = await local_day(snapshot, now())
    owners = {each.id: each.owner for each in await customers_held(snapshot, [each.id for each in found], day)}
    return [shown(each) | {"owner": owners.get(each.id)} for each in found]


customers = Collection(
    Customer,
    "customers",
    filters={"region": "region", "merged_into": "merged_into"},
    present=present,
    extra=WithOwner,
)


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
