"""A company that never rests: some hundreds of lives at a time, each of which tells its next event when its turn comes.

What the views must show of all that was told is counted beside; of a life that is over nothing else is kept, so the
company is as large after an hour as after a minute.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import date, timedelta
from itertools import count
from random import Random
from typing import Final

from shared.events.targets import CustomerChanged, CustomerMet, ProductListed
from shared.events.teams import OrganisationDescribed, TeamFormed
from tests.soak import people, sales
from tests.soak.lives import Figures, Life, Thing, Told

FIRST: Final = date(2023, 1, 1)
DAYS: Final = 365
SPAN: Final = {"from": "2023-01-01", "to": "2025-01-01"}
"""The days in which all of it happens."""
AT_A_TIME: Final = 400
TEAMS: Final = tuple(f"team_{number}" for number in range(10))
PRODUCTS: Final = tuple(f"prod_{number}" for number in range(20))
FEWEST, MOST = 40, 200
"""Members who sell at a time."""
CUSTOMERS: Final = 500


class Company:
    """Tells one event after the other; the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.figures = Figures()
        self._staff: list[sales.Seller] = []
        self._customers: list[str] = []
        self._numbers = count()
        self._lives: list[Life] = []
        self._founding = deque([self._founded(), *(self._member() for _ in range(FEWEST))])
        self._kinds: tuple[Callable[[], Life], ...] = (
            *[self._deal] * 60, *[self._expense] * 20, *[self._request] * 12, *[self._meeting] * 4,
            *[self._customer] * 2, *[self._member] * 2,
        )  # fmt: skip

    def tell(self) -> Told:
        """The next event of one of the lives."""
        while self._founding:
            for told in self._founding[0]:
                return told
            self._founding.popleft()
        while len(self._lives) < AT_A_TIME:
            self._lives.append(self.chance.choice(self._kinds)())
        while True:
            place = self.chance.randrange(AT_A_TIME)
            for told in self._lives[place]:
                return told
            self._lives[place] = self.chance.choice(self._kinds)()

    def _thing(self, kind: str, prefix: str) -> Thing:
        return Thing(f"{kind}/{prefix}_{next(self._numbers):010d}")

    def _day(self) -> date:
        return FIRST + timedelta(days=self.chance.randrange(DAYS))

    def _founded(self) -> Life:
        told = OrganisationDescribed(name="Soak", zone="UTC", currency="EUR", first_month=1)
        yield Thing("organisation/organisation").tells(told)
        for team in TEAMS:
            yield Thing(f"team/{team}").tells(TeamFormed(name=team, department="sales"))
        for product in PRODUCTS:
            yield Thing(f"product/{product}").tells(ProductListed(name=product))
        for _ in range(CUSTOMERS // 5):
            yield from self._customer()

    def _customer(self) -> Life:
        thing = self._thing("customer", "cust")
        if len(self._customers) < CUSTOMERS:
            self._customers.append(thing.id)
            yield thing.tells(CustomerMet(name=thing.id))
            yield thing.tells(CustomerChanged(name=thing.id, region=self.chance.choice(("north", "south"))))

    def _member(self) -> Life:
        if len(self._staff) < MOST:
            thing = self._thing("member", "mbr")
            yield from people.member(
                thing, self.chance, self._day(), TEAMS, self._staff, FEWEST, self.figures
            )  # fmt: skip

    def _deal(self) -> Life:
        customer, products = self.chance.choice(self._customers), self.chance.sample(PRODUCTS, 2)
        thing, sellers = self._thing("deal", "deal"), self.chance.sample(self._staff, 3)
        return sales.deal(thing, self.chance, self._day(), sellers, customer, products, self.figures)

    def _expense(self) -> Life:
        return sales.expense(self._thing("expense", "exp"), self.chance, self._day(), self.figures)

    def _request(self) -> Life:
        asker = self.chance.choice(self._staff)
        return people.request(self._thing("request", "req"), self.chance, self._day(), asker, self.figures)

    def _meeting(self) -> Life:
        there = self.chance.sample(self._staff, 4)
        return people.meeting(self._thing("meeting", "mtg"), self.chance, self._day(), there, self.figures)
