"""What is known of a company without the product: a plain list of what was agreed on, and where everybody was when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

from tests.journeys.past.acts import DAYS

FIRST, MONTHS = date(2026, 1, 1), ("2026-01", "2026-02", "2026-03")
DIMENSIONS = ("team", "group", "member", "customer", "product")
Shared = Sequence[tuple[str, int]]
Whose = Sequence[tuple[str | None, int]]


def month_of(day: date) -> str:
    """The month of a day."""
    return f"{day:%Y-%m}"


@dataclass(frozen=True)
class Agreed:
    """What holds of a deal from a day on: cents by product, line by line, and by member."""

    on: date
    lines: Shared
    credits: Shared

    @property
    def cents(self) -> int:
        """All of it."""
        return sum(cents for _, cents in self.lines)


@dataclass
class Deal:
    """A deal, for whom it is, and what was agreed on since it was won; nothing while it is open."""

    id: str
    owner: str
    team: str
    customer: str
    opened: date
    agreed: list[Agreed] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    """Who was credited the last time: also of a deal whose closing was taken back."""
    invoice: str = ""
    """What asks for all that was agreed on first."""

    @property
    def won(self) -> Agreed:
        """What it was won for."""
        return self.agreed[0]

    def booked(self) -> Iterator[tuple[date, int, Agreed]]:
        """What counts on which day: the winning, and of each amendment what it comes to and what it replaces."""
        for first in self.agreed[:1]:
            yield first.on, 1, first
        for before, after in pairwise(self.agreed):
            yield after.on, -1, before
            yield after.on, 1, after


@dataclass
class Known:
    """Who and what there is, where members were when, and all that was won and lost."""

    teams: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    customers: list[str] = field(default_factory=list)
    products: list[str] = field(default_factory=list)
    stays: list[list[tuple[date, str]]] = field(default_factory=list)
    grouped: list[list[tuple[date, str | None]]] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    lost: dict[str, list[date]] = field(default_factory=dict)

    def ids(self, dim: str) -> list[str]:
        """Those of the company along a dimension."""
        return getattr(self, f"{dim}s")  # type: ignore[no-any-return]

    def last(self, place: int) -> date:
        """The day of the last that happened to a member."""
        return max(self.stays[place][-1][0], self.grouped[place][-1][0])

    def team_on(self, place: int, day: date) -> str:
        """The team of a member."""
        return [team for since, team in self.stays[place] if since <= day][-1]

    def group_on(self, member: str, day: date) -> str | None:
        """The group of a member, which they leave with their team, or for another one when the team is split."""
        return [group for since, group in self.grouped[self.members.index(member)] if since <= day][-1]

    @property
    def won(self) -> list[Deal]:
        """The deals that are won."""
        return [deal for deal in self.deals if deal.agreed]

    def revenue(self, month: str, dim: str) -> Counter[str]:
        """What each along a dimension has of what counts in a month, in cents."""
        return self._summed(
            dim, ((deal, each) for deal in self.won for each in deal.booked() if month_of(each[0]) == month)
        )

    def invoiced(self, month: str, dim: str) -> Counter[str]:
        """What each has of the invoices of a month: an invoice stays whose its deal was when it was entered."""
        asked = (deal for deal in self.won if deal.invoice and month_of(deal.won.on) == month)
        return self._summed(dim, ((deal, (deal.won.on, 1, deal.won)) for deal in asked))

    def _summed(self, dim: str, bookings: Iterator[tuple[Deal, tuple[date, int, Agreed]]]) -> Counter[str]:
        found: Counter[str] = Counter()
        for deal, (day, sign, agreed) in bookings:
            for key, cents in self.parts(deal, day, agreed, dim):
                if key is not None:
                    found[key] += sign * cents
        return found

    def parts(self, deal: Deal, day: date, agreed: Agreed, dim: str) -> Whose:
        """Who has what of something that was agreed on, along a dimension; groups by who is in them that day."""
        whose: dict[str, Whose] = {
            "team": [(deal.team, agreed.cents)],
            "customer": [(deal.customer, agreed.cents)],
            "product": agreed.lines,
            "member": agreed.credits,
            "group": [(self.group_on(member, day), cents) for member, cents in agreed.credits],
        }
        return whose[dim]

    def winners(self, deal: Deal, dim: str) -> set[str | None]:
        """For whom a deal counts as one that was won: what is amended later wins nothing."""
        whose: dict[str, set[str | None]] = {
            "team": {deal.team},
            "customer": {deal.customer},
            "product": {product for product, _ in deal.won.lines},
            "member": {deal.owner},
            "group": {self.group_on(deal.owner, deal.won.on)},
        }
        return whose[dim]

    def counted(self, month: str, dim: str) -> Counter[str | None]:
        """How many deals each won in a month."""
        return Counter(key for deal in self.won if month_of(deal.won.on) == month for key in self.winners(deal, dim))

    def customers_of(self, dim: str) -> dict[tuple[str, str], list[int]]:
        """By month and whom along a dimension: customers at the start, new, won back, lost, and at the end, day by
        day; a customer is of those for whom the deal was won that won them first, or back."""
        found = {(month, key): [0] * 5 for month in MONTHS for key in self.ids(dim)}

        def count(month: str, whose: set[str | None], place: int) -> None:
            for key in whose - {None}:
                if (month, str(key)) in found:
                    found[month, str(key)][place] += 1

        for customer in self.customers:
            has: set[str | None] | None = None
            ever = False
            for day in (FIRST + timedelta(days=place) for place in range(DAYS)):
                month = month_of(day)
                if day.day == 1 and has is not None:
                    count(month, has, 0)
                if has is not None and day in self.lost.get(customer, ()):
                    count(month, has, 3)
                    has = None
                won = [each for each in self.won if (each.customer, each.won.on) == (customer, day)]
                if won and has is None:
                    has = self.winners(min(won, key=lambda each: each.id), dim)
                    count(month, has, 2 if ever else 1)
                    ever = True
                if (day + timedelta(days=1)).day == 1 and has is not None:
                    count(month, has, 4)
        return found
