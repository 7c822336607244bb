"""Whose customers and open deals are, and which of them are to be handed over: one rule for everybody who shows it.

A customer is with who looks after them: the member to whom they were handed over last, else who has the last deal with
them that is open or won. A customer or an open deal is to be handed over when its owner does not work here any more, or
has left the team of it after they took it over. Who has only lost deals, or buys no more, needs no owner.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from shared.careers import Career
from shared.membership import on_day

Why = Literal["left", "moved"]
Owned = Sequence[Sequence[str]]
"""Who had something from which day on, oldest first; the first of them from the beginning."""


@dataclass(frozen=True, slots=True)
class Sale:
    """A deal, as far as it says who looks after its customer."""

    id: str
    owner: str
    team: str | None
    opened_on: date
    closed_on: date | None
    won: bool
    owners: Owned = ()

    def open_on(self, day: date) -> bool:
        """Whether it was to be won or lost at the end of a day."""
        return self.opened_on <= day and (self.closed_on is None or self.closed_on > day)

    def held_on(self, day: date) -> Held:
        """Who had it at the end of a day."""
        owner, since = owner_on(self.owners, day) or (self.owner, self.opened_on)
        return Held(self.id, owner, self.team, max(since, self.opened_on))


@dataclass(frozen=True, slots=True)
class Held:
    """A customer or an open deal: whose it is since when, and for which team."""

    id: str
    owner: str
    team: str | None
    since: date

    def why(self, owner: Career | None, day: date) -> Why | None:
        """Why it is to be handed over at the end of a day, if it is; of an owner never heard of nothing is said."""
        if owner is None:
            return None
        if not on_day(owner.employments, day):
            return "left"
        if self.team is None or self.team in on_day(owner.memberships, day):
            return None
        ends = [str(each["to"]) for each in owner.memberships if each["of"] == self.team and each["to"] is not None]
        return "moved" if any(self.since.isoformat() < end <= day.isoformat() for end in ends) else None


def owner_on(owners: Owned, day: date) -> tuple[str, date] | None:
    """Who had something at the end of a day, and since when, where that is known of itself."""
    held = [each for each in owners if each[0] <= day.isoformat()]
    return (held[-1][1], date.fromisoformat(held[-1][0]) if held[-1][0] else date.min) if held else None


def handed(owners: Owned, to: str, on: date, before: str | None) -> list[list[str]]:
    """The owners with one more from a day on."""
    first = [["", before]] if before is not None and not owners else []
    return [*first, *(list(each) for each in owners if each[0] < on.isoformat()), [on.isoformat(), to]]


def customer_held(customer: str, owners: Owned, sales: Iterable[Sale], lost: Sequence[date], day: date) -> Held | None:
    """Who looks after a customer at the end of a day; nobody has to, of who buys no more."""
    known = [
        (each.closed_on if each.won and each.closed_on and each.closed_on <= day else each.opened_on, each.id, each)
        for each in sales
        if each.opened_on <= day and (each.open_on(day) or each.won)
    ]
    if not known:
        return None
    last, _, sale = max(known, key=lambda each: each[:2])
    if not sale.open_on(day) and any(last <= gone <= day for gone in lost):
        return None
    held = sale.held_on(day)
    explicit = owner_on(owners, day)
    if explicit is None:
        return Held(customer, held.owner, held.team, held.since)
    return Held(customer, explicit[0], held.team, explicit[1])
