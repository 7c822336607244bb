"""Check-ins: one member looks after another, offers help, asks or tells something; what is said stays between them."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Self

from sqlmodel import Field

from shared.errors import Refused
from shared.events.ties import CheckInChanged, CheckInNoted, CheckInWithdrawn
from shared.store import Entity


class WithOneself(Refused):
    """{member} cannot check in with themselves; a check-in is between two."""

    status, at = 422, "/to"


class NotOneOfTheTwo(Refused):
    """A check-in is noted by one of the two it is between; {member} is neither."""

    status, at = 422, "/from"


class IsYetToCome(Refused):
    """A check-in is noted once it has been; {on} is after today, {today}."""

    status, at = 422, "/on"


class CheckInIsWithdrawn(Refused):
    """This check-in was withdrawn."""


class IsErased(Refused):
    """The personal data of one of the two was erased; nothing is noted of what was said to them any more."""

    at = "/note"


class MemberCheckIn(Entity, table=True):
    """One member has looked after another."""

    kind: ClassVar[str] = "check_in"
    prefix: ClassVar[str] = "chk"
    word: ClassVar[str] = "check-in"
    shown_as: ClassVar[dict[str, str]] = {"sort": "kind", "from_member": "from", "to_member": "to"}
    __tablename__ = "check_in"

    from_member: str = Field(index=True)
    to_member: str = Field(index=True)
    on: date
    sort: str
    note: str | None = None
    withdrawn: bool = False

    @classmethod
    def note_down(
        cls, *, sender: str | None, today: date, from_member: str, to_member: str, **fields: Any
    ) -> tuple[Self, CheckInNoted]:
        """Note that it has been; a member notes only their own."""
        if from_member == to_member:
            raise WithOneself(member=to_member)
        if sender is not None and sender not in (from_member, to_member):
            raise NotOneOfTheTwo(member=sender)
        _refuse_after(today, fields["on"])
        check_in = cls.make(from_member=from_member, to_member=to_member, **fields)
        return check_in, CheckInNoted(
            kind=check_in.sort, on=check_in.on, from_member=from_member, to_member=to_member,
            externals=check_in.externals,
        )  # fmt: skip

    def change(self, today: date, **fields: Any) -> CheckInChanged | None:
        """Put it right; between whom it was stays."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        if self.withdrawn:
            raise CheckInIsWithdrawn
        _refuse_after(today, new.get("on", self.on))
        for name, value in new.items():
            setattr(self, name, value)
        return CheckInChanged(kind=self.sort, on=self.on)

    def withdraw(self) -> CheckInWithdrawn | None:
        """It was none after all; what was said is forgotten."""
        if self.withdrawn:
            return None
        self.withdrawn, self.note = True, None
        return CheckInWithdrawn()

    def forget(self) -> CheckInChanged | None:
        """Forget what was said, and keep that they spoke."""
        if self.note is None:
            return None
        self.note = None
        return CheckInChanged(kind=self.sort, on=self.on)


def _refuse_after(today: date, on: date) -> None:
    if on > today:
        raise IsYetToCome(on=on, today=today)
