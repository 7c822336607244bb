"""What customers answered, as the views see it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar, Final

import sqlalchemy as sa

from services.metrics.sums import ALL, Tally, cells
from shared.events.targets import CustomerAnswered, FeedbackWithdrawn
from shared.facts import Cell, Fact, Facts

CONTENT: Final = 4
"""From this score on, of 5, a customer counts as content."""
PROMOTES: Final = 9
"""From here on, of 10, somebody would recommend us."""
DETRACTS: Final = 6
"""Up to here they would not."""


class FeedbackFact(Fact, table=True):
    """A customer's answer, from 1 to 5."""

    __tablename__ = "feedback_fact"
    __table_args__ = (sa.Index("feedback_fact_on", "on"),)
    kind: ClassVar[str] = "feedback"

    on: date | None = None
    score: int = 0
    recommends: int | None = None
    customer: str = ""
    deal: str | None = None
    member: str | None = None
    team: str | None = None
    withdrawn: bool = False


def contributions(answer: FeedbackFact) -> Iterator[Cell]:
    """What an answer adds: itself, that it was a content one, and whether its customer would recommend us."""
    if answer.on is None or answer.withdrawn:
        return
    along = {ALL: "", "team": answer.team, "member": answer.member, "customer": answer.customer}
    yield from cells("answered", answer.on, along)
    if answer.score >= CONTENT:
        yield from cells("content", answer.on, along)
    if answer.recommends is not None:
        yield from cells("recommending", answer.on, along)
        if answer.recommends >= PROMOTES:
            yield from cells("promoters", answer.on, along)
        elif answer.recommends <= DETRACTS:
            yield from cells("detractors", answer.on, along)


feedback = Facts(FeedbackFact, sums=Tally, cells=contributions)


@feedback.on(CustomerAnswered)
def answer(fact: FeedbackFact, event: CustomerAnswered) -> None:
    fact.on, fact.score, fact.customer, fact.recommends = event.on, event.score, event.customer, event.recommends
    fact.deal, fact.member, fact.team = event.deal, event.member, event.team


@feedback.on(FeedbackWithdrawn)
def withdraw(fact: FeedbackFact, event: FeedbackWithdrawn) -> None:
    fact.withdrawn = True
