"""Feedback: what customers answered when they were asked how content they are."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Final, Self

from sqlmodel import Field

from shared.errors import Refused
from shared.events.targets import CustomerAnswered, FeedbackWithdrawn
from shared.store import Entity

CONTENT: Final = 4
"""From this score on, of 5, a customer counts as content."""


class FeedbackIsWithdrawn(Refused):
    """This answer was withdrawn on {on}."""


class AnotherCustomersDeal(Refused):
    """The deal is one of {other}, the answer is one of {customer}."""

    status, at = 422, "/deal"


class Feedback(Entity, table=True):
    """A customer's answer, from 1 to 5, and what it was about."""

    kind: ClassVar[str] = "feedback"
    prefix: ClassVar[str] = "fdb"

    customer: str = Field(index=True)
    score: int
    recommends: int | None = None
    """How likely they are to recommend us, from 0 to 10, where they were asked."""
    on: date
    deal: str | None = None
    member: str | None = None
    team: str | None = None
    """The deal's team, or the member's of that day."""
    comment: str | None = None
    withdrawn_on: date | None = None

    @classmethod
    def answer(
        cls, *, customer: str, score: int, on: date, deals_customer: str | None = None, **fields: Any
    ) -> tuple[Self, CustomerAnswered]:
        """Note an answer; `deals_customer` is whose deal it is about."""
        if deals_customer not in (None, customer):
            raise AnotherCustomersDeal(other=deals_customer, customer=customer)
        made = cls.make(customer=customer, score=score, on=on, **fields)
        return made, CustomerAnswered(
            customer=customer, score=score, on=on, deal=made.deal, member=made.member, team=made.team,
            externals=made.externals, recommends=made.recommends,
        )  # fmt: skip

    def withdraw(self, on: date) -> FeedbackWithdrawn:
        """Take an answer back that was none."""
        if self.withdrawn_on is not None:
            raise FeedbackIsWithdrawn(on=self.withdrawn_on)
        self.withdrawn_on = on
        return FeedbackWithdrawn(on=on)
