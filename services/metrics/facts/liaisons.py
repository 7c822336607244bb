"""Liaisons as the views see them: who is to keep in touch with whom, how often and for how long."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from sqlmodel import Field

from shared.events.ties import LiaisonChanged, LiaisonEnded, LiaisonPaired
from shared.facts import Fact, Facts


class LiaisonFact(Fact, table=True):
    """Two who keep in touch: members, or a member and a department in which nobody is named."""

    __tablename__ = "liaison_fact"
    kind: ClassVar[str] = "liaison"

    from_member: str | None = None
    from_department: str | None = None
    to_member: str | None = None
    to_department: str | None = None
    team: str | None = None
    begins_on: date | None = None
    until: date | None = None
    every_days: int = 0
    ended_on: date | None = None
    review: str | None = Field(default=None, index=True)
    """The review on which it was decided."""
    option: str | None = None


# Liaisons are not summed: what counts is how often the two met, and that is known of the meetings and check-ins.
liaisons = Facts(LiaisonFact)


@liaisons.on(LiaisonPaired)
def pair(liaison: LiaisonFact, event: LiaisonPaired) -> None:
    liaison.review, liaison.option = event.review, event.option
    change(liaison, event)


@liaisons.on(LiaisonChanged)
def change(liaison: LiaisonFact, event: LiaisonPaired | LiaisonChanged) -> None:
    liaison.team, liaison.begins_on = event.team, event.on
    liaison.until, liaison.every_days = event.until, event.every_days
    liaison.from_member, liaison.from_department = event.from_member, event.from_department
    liaison.to_member, liaison.to_department = event.to_member, event.to_department


@liaisons.on(LiaisonEnded)
def end(liaison: LiaisonFact, event: LiaisonEnded) -> None:
    liaison.ended_on = event.on
