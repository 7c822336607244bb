"""Liaisons: two who keep in touch because work needs it, each so many days, for a time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any, ClassVar, Self

import sqlalchemy as sa
from sqlmodel import Field

from shared.errors import Refused
from shared.events.ties import LiaisonChanged, LiaisonEnded, LiaisonPaired
from shared.store import Entity


class LiaisonWithOneself(Refused):
    """A liaison is between two; {who} cannot be both of them."""

    status, at = 422, "/to"


class TooShort(Refused):
    """From {on} until {until} there is not once {days} days in which the two could meet."""

    status, at = 422, "/until"


class LiaisonIsEnded(Refused):
    """This liaison ended on {on}."""


class EndsBeforeItBegins(Refused):
    """This liaison begins on {begins}; it cannot end on {on}."""

    status, at = 422, "/on"


class NotTheirLiaison(Refused):
    """{member} is neither of the two, nor leads the team; a liaison is made by those it is for."""

    status, at = 422, "/from"


class Liaison(Entity, table=True):
    """Two who keep in touch: members, or a member and a department in which nobody is named yet."""

    __table_args__ = (sa.Index("liaison_from", "from_member"), sa.Index("liaison_to", "to_member"))
    kind: ClassVar[str] = "liaison"
    prefix: ClassVar[str] = "lia"
    hidden: ClassVar[frozenset[str]] = frozenset(
        {"from_member", "from_department", "to_member", "to_department"}
    )  # fmt: skip

    from_member: str | None = None
    from_department: str | None = None
    to_member: str | None = None
    to_department: str | None = None
    team: str | None = Field(default=None, index=True)
    """Whose work needs it."""
    begins_on: date
    until: date
    """The first day after it."""
    every_days: int
    status: str = Field(default="open", index=True)
    ended_on: date | None = None
    reason: str | None = None
    """Why it ended before its time."""
    review: str | None = Field(default=None, index=True)
    """The review on which it was decided."""
    option: str | None = None

    @classmethod
    def pair(cls, *, sender: str | None, may: Collection[str], **fields: Any) -> tuple[Self, LiaisonPaired]:
        """Let two keep in touch; a member pairs only themselves, or those of whom they are `may`."""
        liaison = cls.make(**fields)
        liaison._refuse_wrong()
        if sender is not None and sender not in {liaison.from_member, liaison.to_member, *may}:
            raise NotTheirLiaison(member=sender)
        return liaison, LiaisonPaired(
            **liaison._told(), review=liaison.review, option=liaison.option, externals=liaison.externals
        )

    def change(self, **fields: Any) -> LiaisonChanged | None:
        """Keep in touch for longer or more often, or name somebody for a department."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        self._refuse_if_ended()
        for name, value in new.items():
            setattr(self, name, value)
        self._refuse_wrong()
        return LiaisonChanged(**self._told())

    def end(self, on: date, reason: str | None) -> LiaisonEnded:
        """Need not keep in touch any more."""
        self._refuse_if_ended()
        if on < self.begins_on:
            raise EndsBeforeItBegins(begins=self.begins_on, on=on)
        self.status, self.ended_on, self.reason = "ended", on, reason
        return LiaisonEnded(on=on)

    def as_on(self, day: date) -> dict[str, Any] | None:
        """What it was at the end of a day; none when it had not begun."""
        if day < self.begins_on:
            return None
        if self.ended_on is not None and self.ended_on > day:
            return {"status": "open", "ended_on": None, "reason": None}
        return {}

    def _told(self) -> dict[str, Any]:
        return {
            "on": self.begins_on,
            "until": self.until,
            "every_days": self.every_days,
            "from_member": self.from_member,
            "from_department": self.from_department,
            "to_member": self.to_member,
            "to_department": self.to_department,
            "team": self.team,
        }

    def _refuse_wrong(self) -> None:
        one, other = (self.from_member, self.from_department), (self.to_member, self.to_department)
        if one == other:
            raise LiaisonWithOneself(who=one[0] or one[1])
        if (self.until - self.begins_on).days < self.every_days:
            raise TooShort(on=self.begins_on, until=self.until, days=self.every_days)

    def _refuse_if_ended(self) -> None:
        if self.ended_on is not None:
            raise LiaisonIsEnded(on=self.ended_on)
