"""What teams knows of what others own: the goals that duties serve, and the customers that setbacks are about; it also
hears what is decided on reviews."""

from __future__ import annotations

from typing import ClassVar

from sqlmodel import Field

from shared.consumer import Subscriptions
from shared.events.common import TargetsExternalLinked
from shared.events.targets import CustomerMerged, CustomerMet
from shared.facts import Fact, Facts
from shared.known import goals
from shared.store.types import Json

TARGETS, METRICS = "concert.targets", "concert.metrics"


class KnownCustomer(Fact, table=True):
    """A customer, and which one stands for it if it was a duplicate."""

    __tablename__ = "known_customer"
    kind: ClassVar[str] = "customer"
    told_by: ClassVar[str] = "targets"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    merged_into: str | None = None


customers = Facts(KnownCustomer)
# Deals are many, and nothing here is about them.
subscriptions = Subscriptions(
    TARGETS, METRICS, only={TARGETS: frozenset({"goal", "customer"}), METRICS: frozenset({"review"})}
)
subscriptions.keep(goals, customers)


@customers.on(CustomerMet)
def meet(customer: KnownCustomer, event: CustomerMet) -> None:
    customer.externals = event.externals


@customers.on(CustomerMerged)
def merge(customer: KnownCustomer, event: CustomerMerged) -> None:
    customer.merged_into = event.into


@customers.on(TargetsExternalLinked)
def link(customer: KnownCustomer, event: TargetsExternalLinked) -> None:
    if event.id is not None:
        customer.externals = customer.externals | {event.source: event.id}
