"""What has to be settled before teams are reviewed: what for, at which risk, who was heard, and that all know."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Final, Self

from sqlmodel import Field

from shared.errors import Refused
from shared.events.charters import ReviewCharterChanged, ReviewCharterDrawnUp
from shared.store import Entity

PARTS: Final = {
    "purpose": "a statement of what they are for",
    "assessed_on": "an assessment of what they risk for those concerned (DPIA)",
    "consulted_on": "a consultation of those concerned, or of who speaks for them",
    "told_on": "a notice to everybody concerned",
}
"""What a charter needs to be whole, each in words."""


class NotSwitchedOn(Refused):
    """Reviews are not switched on: there is not yet {missing}. `POST /v1/review-charters` settles it."""


class NotYetHappened(Refused):
    """{what} cannot be confirmed for {on}; today is {today}."""

    status = 422


class ReviewCharter(Entity, table=True):
    """The grounds on which an organisation reviews its teams."""

    __tablename__ = "review_charter"
    kind: ClassVar[str] = "review_charter"
    prefix: ClassVar[str] = "chart"
    word: ClassVar[str] = "charter"

    purpose: str | None = None
    assessment: str | None = None
    """Where the assessment lies."""
    assessed_on: date | None = None
    consulted_on: date | None = None
    told_on: date | None = None
    drawn_up_on: date
    drawn_up_at: str = Field(index=True)

    @classmethod
    def draw_up(cls, today: date, **fields: Any) -> tuple[Self, ReviewCharterDrawnUp]:
        """Settle what is known so far."""
        charter = cls.make(drawn_up_on=today, **fields)
        charter._refuse_what_is_to_come(today)
        return charter, ReviewCharterDrawnUp(missing=tuple(charter.missing), externals=charter.externals)

    def change(self, today: date, **fields: Any) -> ReviewCharterChanged | None:
        """Confirm what was missing, or put something else in its place."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        for name, value in new.items():
            setattr(self, name, value)
        self._refuse_what_is_to_come(today)
        return ReviewCharterChanged(missing=tuple(self.missing))

    @property
    def missing(self) -> list[str]:
        """The parts that are not settled yet."""
        return [part for part in PARTS if getattr(self, part) is None]

    def _refuse_what_is_to_come(self, today: date) -> None:
        for part, what in PARTS.items():
            on = getattr(self, part)
            if isinstance(on, date) and on > today:
                raise NotYetHappened(what=what[:1].upper() + what[1:], on=on, today=today, pointer=f"/{part}")


def refuse_unless_whole(charter: ReviewCharter | None) -> None:
    """Nobody is reviewed before all of it is settled."""
    missing = list(PARTS) if charter is None else charter.missing
    if missing:
        raise NotSwitchedOn(missing="; ".join(PARTS[part] for part in missing))
