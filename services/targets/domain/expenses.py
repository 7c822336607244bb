"""Expenses: what departments have spent, on what, and for whom."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, ClassVar, Final, Self

import sqlalchemy as sa
from sqlmodel import Field

from services.targets.domain.room import Room
from shared.errors import Refused
from shared.events.money import ExpenseBooked, ExpenseReversed
from shared.money import Money
from shared.store import Entity
from shared.store.types import MoneyText


class ExpenseIsReversed(Refused):
    """This expense was reversed on {on}."""


class ReversedBeforeSpent(Refused):
    """The money was spent on {spent}; it cannot have come back on {on}."""

    status, at = 422, "/on"


class ExpenseFollows(Refused):
    """This expense follows from {cause}; correct that, and the expense follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """For whom or for what money was spent, by id."""

    team: str | None = None
    member: str | None = None
    customer: str | None = None
    product: str | None = None


NOBODYS: Final = Whose()


class Expense(Entity, table=True):
    """Money a department has spent on something of a kind."""

    __table_args__ = (sa.Index("expense_department", "department", "on"),)
    kind: ClassVar[str] = "expense"
    prefix: ClassVar[str] = "exp"
    shown_as: ClassVar[dict[str, str]] = {"spent_for": "kind"}
    hidden: ClassVar[frozenset[str]] = frozenset({"cause_version"})

    department: str
    spent_for: str
    amount: Money = Field(sa_type=MoneyText)
    on: date
    warning: str | None = None
    """What a budget had to say when it was booked."""
    cause: str | None = Field(default=None, index=True)
    """The subject of another service that it follows from, `training/<id>`; none if somebody booked it."""
    cause_version: int | None = None
    """The version of the subject that it follows from."""
    reversed_on: date | None = None
    team: str | None = None
    """For whom or what it was spent, where that is said; so are the others."""
    member: str | None = None
    customer: str | None = None
    product: str | None = None

    def worth(self) -> Money | None:
        """An expense adds its amount to the books until it is reversed."""
        return None if self.reversed_on else self.amount

    @classmethod
    def book(
        cls,
        *,
        department: str,
        spent_for: str,
        amount: Money,
        on: date,
        room: Room | None,
        whose: Whose = NOBODYS,
        **identity: Any,
    ) -> tuple[Self, ExpenseBooked]:
        """Record an expense, as far as the budget of its day has room for it."""
        if room is not None:
            room.check()
        said = {"department": department, "spent_for": spent_for, "amount": amount, "on": on, **asdict(whose)}
        return cls._made(said, room, identity)

    @classmethod
    def follow(
        cls,
        cause: str,
        cause_version: int,
        *,
        department: str,
        spent_for: str,
        amount: Money,
        on: date,
        room: Room | None,
        **identity: Any,
    ) -> tuple[Self, ExpenseBooked]:
        """Record what another service's fact has cost: it is spent, so no budget stops it; it is only warned of."""
        said = {"department": department, "spent_for": spent_for, "amount": amount, "on": on, "cause": cause}
        return cls._made(said, room, identity | {"cause_version": cause_version})

    @classmethod
    def _made(cls, said: dict[str, Any], room: Room | None, identity: dict[str, Any]) -> tuple[Self, ExpenseBooked]:
        expense = cls.make(**said, warning=room.warning() if room is not None else None, **identity)
        return expense, ExpenseBooked(**said, externals=expense.externals)

    def give_way(self) -> ExpenseReversed | None:
        """What it followed from is not so any more: from its own day on it was not spent."""
        if self.reversed_on is not None:
            return None
        self.reversed_on = self.on
        return ExpenseReversed(on=self.on)

    def reverse(self, on: date) -> ExpenseReversed:
        """Record that the money came back."""
        if self.cause is not None:
            raise ExpenseFollows(cause=self.cause.replace("/", " "))
        if self.reversed_on is not None:
            raise ExpenseIsReversed(on=self.reversed_on)
        if on < self.on:
            raise ReversedBeforeSpent(spent=self.on, on=on)
        self.reversed_on = on
        return ExpenseReversed(on=on)
