"""Products: what we sell, and what a unit of it costs us from which day on."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar, Self

from sqlmodel import Field

from shared.events.targets import ProductChanged, ProductCosted, ProductListed
from shared.money import Money
from shared.rates import Rates, as_money, in_minor
from shared.store import Entity
from shared.store.types import Json, MoneyText


class Product(Entity, table=True):
    """Something we sell."""

    kind: ClassVar[str] = "product"
    prefix: ClassVar[str] = "prod"

    name: str
    price: Money | None = Field(default=None, sa_type=MoneyText)
    costs: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """Dated unit costs, oldest first: `{"from": day, "cost": money}`."""

    @classmethod
    def list_for_sale(cls, *, name: str, price: Money | None, **identity: Any) -> tuple[Self, ProductListed]:
        """Offer a product."""
        product = cls.make(name=name, price=price, **identity)
        return product, ProductListed(name=name, price=price, externals=product.externals)

    def change(self, *, name: str | None = None, **fields: Any) -> ProductChanged | None:
        """Describe the product differently; only the fields given change."""
        before = (self.name, self.price)
        self.name = name if name is not None else self.name
        self.price = fields.get("price", self.price)
        if (self.name, self.price) == before:
            return None
        return ProductChanged(name=self.name, price=self.price)

    def cost_from(self, since: date, cost: Money) -> ProductCosted | None:
        """Say what a unit costs from a day on; deals whose cost is known keep it, others learn it."""
        dated = {"from": since.isoformat(), "cost": cost.as_json()}
        if dated in self.costs:
            return None
        others = [each for each in self.costs if each["from"] != dated["from"]]
        self.costs = sorted([*others, dated], key=lambda each: str(each["from"]))
        return ProductCosted(cost=cost, since=since)

    def cost_on(self, day: date) -> Money | None:
        """What a unit cost on a day; none if that is not known."""
        known = [each for each in self.costs if each["from"] <= day.isoformat()]
        return Money(**known[-1]["cost"]) if known else None

    def cost_of(self, quantity: Decimal, day: date, currency: str, rates: Rates) -> Money | None:
        """What so much of it cost on a day, in a currency at the rate of that day; none if either is not known."""
        unit = self.cost_on(day)
        rate = rates.of(unit.currency, currency, day) if unit is not None else None
        if unit is None or rate is None:
            return None
        return as_money(in_minor(Fraction(quantity) * unit.minor, unit.currency, currency, rate), currency)
