"""What a thing of an owner's tells in the course of its life, and what the events of a thing add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from shared.events import Event


class Told(NamedTuple):
    """One event of a thing, and what it changes about the money that its owner's books have for it, in cents."""

    subject: str
    version: int
    event: Event
    more: int


Life = Iterator[Told]


@dataclass(slots=True)
class Thing:
    """Something that an owner has, and how many events it has told."""

    subject: str
    version: int = 0

    @property
    def id(self) -> str:
        """Its id, as other things name it."""
        return self.subject.partition("/")[2]

    def tells(self, event: Event, more: int = 0) -> Told:
        """Its next event."""
        self.version += 1
        return Told(self.subject, self.version, event, more)


@dataclass(slots=True)
class Figures:
    """What the views must show over all days, in their words; money in cents."""

    whole: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By view and figure."""
    by_team: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Of sales, by figure and team."""
    by_month: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Of sales, by figure and month."""

    def add(self, view: str, figure: str, amount: int = 1) -> None:
        """Something more, or less, of a figure."""
        self.whole[view, figure] += amount

    def won(self, team: str, on: date, cents: int, deals: int) -> None:
        """So much more revenue, from so many more deals, for a team on a day."""
        for view in ("sales", "finance"):
            self.whole[view, "revenue"] += cents
        self.whole["sales", "deals_won"] += deals
        for figure, amount in (("revenue", cents), ("deals_won", deals)):
            self.by_team[figure, team] += amount
            self.by_month[figure, on.isoformat()[:7]] += amount
