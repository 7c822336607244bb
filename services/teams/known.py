"""What teams knows of what others own: the goals that duties serve, and the customers that setbacks are about."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlmodel import Field

from shared.consumer import Subscriptions
from shared.events.common import TargetsExternalLinked
from shared.events.goals import GoalClosed, GoalSet
from shared.events.targets import CustomerMerged, CustomerMet
from shared.facts import Fact, Facts
from shared.store.types import Json

TARGETS = "concert.targets"


class KnownGoal(Fact, table=True):
    """A goal, and whether it is still pursued."""

    __tablename__ = "known_goal"
    kind: ClassVar[str] = "goal"
    told_by: ClassVar[str] = "targets"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    closed: bool = False


class KnownCustomer(Fact, table=True):
    """A customer, and which one stands for it if it was a duplicate."""

    __tablename__ = "known_customer"
    kind: ClassVar[str] = "customer"
    told_by: ClassVar[str] = "targets"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    merged_into: str | None = None


goals, customers = Facts(KnownGoal), Facts(KnownCustomer)
# Deals are many, and nothing here is about them.
subscriptions = Subscriptions(TARGETS, only={TARGETS: frozenset({"goal", "customer"})})
subscriptions.keep(goals, customers)


@goals.on(GoalSet)
@customers.on(CustomerMet)
def meet(thing: Any, event: GoalSet | CustomerMet) -> None:
    thing.externals = event.externals


@goals.on(GoalClosed)
def close(goal: KnownGoal, event: GoalClosed) -> None:
    goal.closed = True


@customers.on(CustomerMerged)
def merge(customer: KnownCustomer, event: CustomerMerged) -> None:
    customer.merged_into = event.into


@goals.on(TargetsExternalLinked)
@customers.on(TargetsExternalLinked)
def link(thing: Any, event: TargetsExternalLinked) -> None:
    if event.id is not None:
        thing.externals = thing.externals | {event.source: event.id}
