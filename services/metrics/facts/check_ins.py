"""Check-ins as the views see them: that one member looked after another on a day, and never a word of it."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import sqlalchemy as sa

from shared.events.ties import CheckInChanged, CheckInNoted, CheckInWithdrawn
from shared.facts import Fact, Facts


class CheckInFact(Fact, table=True):
    """A check-in: from whom to whom, on which day, of which kind."""

    __tablename__ = "check_in_fact"
    __table_args__ = (
        sa.Index("check_in_fact_on", "on"),
        sa.Index("check_in_fact_from", "from_member", "on"),
        sa.Index("check_in_fact_to", "to_member", "on"),
    )
    kind: ClassVar[str] = "check_in"

    sort: str = ""
    on: date | None = None
    from_member: str = ""
    to_member: str = ""
    withdrawn: bool = False


# Check-ins are not summed: they are private to the two, and only the association graph counts them by pair.
check_ins = Facts(CheckInFact)


@check_ins.on(CheckInNoted)
def note(check_in: CheckInFact, event: CheckInNoted) -> None:
    check_in.from_member, check_in.to_member = event.from_member, event.to_member
    change(check_in, event)


@check_ins.on(CheckInChanged)
def change(check_in: CheckInFact, event: CheckInNoted | CheckInChanged) -> None:
    check_in.sort, check_in.on = event.kind, event.on


@check_ins.on(CheckInWithdrawn)
def withdraw(check_in: CheckInFact, event: CheckInWithdrawn) -> None:
    check_in.withdrawn = True
