"""Equipment: what members work with, issued to one at a time and given back."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Self

from sqlmodel import Field

from services.teams.domain.members import Member
from shared.errors import Refused
from shared.events.workplace import (
    EquipmentAdded,
    EquipmentChanged,
    EquipmentIssued,
    EquipmentRetired,
    EquipmentReturned,
)  # fmt: skip
from shared.membership import Spell, begun, covers, latest_on
from shared.store import Entity
from shared.store.types import Json


class IssuedAlready(Refused):
    """This is with {holder} since {since}; it is given back before another one has it."""


class NotIssued(Refused):
    """Nobody has this; there is nothing to give back."""


class EquipmentIsRetired(Refused):
    """This was retired on {on}; it is not issued any more."""


class IssuedBeforeItCameBack(Refused):
    """This came back on {back}; it cannot have been issued on {on}."""

    status, at = 422, "/on"


class ReturnedBeforeItWasIssued(Refused):
    """This was issued on {issued}; it cannot have come back on {on}."""

    status, at = 422, "/on"


class Equipment(Entity, table=True):
    """A piece of equipment: who has it, and who had it when."""

    kind: ClassVar[str] = "equipment"
    prefix: ClassVar[str] = "eqp"
    word: ClassVar[str] = "piece of equipment"
    shown_as: ClassVar[dict[str, str]] = {"sort": "kind"}
    hidden: ClassVar[frozenset[str]] = frozenset({"holdings"})

    sort: str = Field(index=True)
    label: str | None = None
    """What it is called: an inventory number, a model."""
    holder: str | None = Field(default=None, index=True)
    since: date | None = None
    retired_on: date | None = None
    holdings: list[Spell] = Field(default_factory=list, sa_type=Json)
    """Who had it from when to when."""

    @classmethod
    def add(cls, *, sort: str, **fields: Any) -> tuple[Self, EquipmentAdded]:
        """Have one more."""
        piece = cls.make(sort=sort, **fields)
        return piece, EquipmentAdded(kind=sort, externals=piece.externals)

    def change(self, **fields: Any) -> EquipmentChanged | None:
        """Describe it differently."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        for name, value in new.items():
            setattr(self, name, value)
        return EquipmentChanged(kind=self.sort)

    def issue(self, member: Member, on: date) -> EquipmentIssued:
        """Hand it to a member."""
        self._refuse_if_retired()
        if self.holder is not None:
            raise IssuedAlready(holder=self.holder, since=self.since)
        back = max((each["to"] for each in self.holdings), default="")
        if on.isoformat() < back:
            raise IssuedBeforeItCameBack(back=back, on=on)
        member.employment(on, "/on")
        self.holder, self.since = member.id, on
        self.holdings = begun(self.holdings, member.id, on)
        return EquipmentIssued(
            member=member.id, on=on, department=member.position(on)["department"],
            team=latest_on(member.memberships, on),
        )  # fmt: skip

    def give_back(self, on: date) -> EquipmentReturned:
        """Take it back from who has it."""
        if self.holder is None or self.since is None:
            raise NotIssued
        if on < self.since:
            raise ReturnedBeforeItWasIssued(issued=self.since, on=on)
        self.holdings = [each if each["to"] else {**each, "to": on.isoformat()} for each in self.holdings]
        self.holder = self.since = None
        return EquipmentReturned(on=on)

    def retire(self, on: date) -> EquipmentRetired:
        """Not issue it any more."""
        self._refuse_if_retired()
        if self.holder is not None:
            raise IssuedAlready(holder=self.holder, since=self.since)
        self.retired_on = on
        return EquipmentRetired(on=on)

    def as_on(self, day: date) -> dict[str, Any]:
        """Who had it on a day."""
        held = next((each for each in self.holdings if covers(each, day)), None)
        retired = self.retired_on if self.retired_on is not None and self.retired_on <= day else None
        who = {"holder": held["of"], "since": held["from"]} if held else {"holder": None, "since": None}
        return who | {"retired_on": retired}

    def _refuse_if_retired(self) -> None:
        if self.retired_on is not None:
            raise EquipmentIsRetired(on=self.retired_on)
