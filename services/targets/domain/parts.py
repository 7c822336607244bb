"""Whose an amount of money is: what each member has of it, and what each product.

An amount is dealt out in proportion to what is left of a whole, by the piece that splits a deal's value among its
credits. So nobody has more of it than is left of theirs, and once all of the whole is dealt out everybody has theirs to
the cent, however many steps it took.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from services.targets.domain.deals import Deal
from shared.events.money import Part
from shared.money import Money

NO_PRODUCT: Final = ""
Shares = Mapping[str, Money]


@dataclass(frozen=True, slots=True)
class Parts:
    """What each member has of an amount, and what each product; both sum to it to the cent."""

    members: Shares = field(default_factory=dict)
    products: Shares = field(default_factory=dict)

    @classmethod
    def of_deal(cls, deal: Deal) -> Parts:
        """Whose a won deal is: its members' by their credits, its products' by its lines."""
        if deal.value is None:
            return cls()
        members = [(credit["member"], Money(**credit["amount"])) for credit in deal.credits]
        lines = [(line["product"] or NO_PRODUCT, Money(**line["amount"])) for line in deal.lines]
        return cls(_joined(*members), _joined(*(lines or [(NO_PRODUCT, deal.value)])))

    @classmethod
    def kept(cls, stored: Mapping[str, Any]) -> Parts:
        """Parts as they are stored; of what was issued before parts were kept, none."""
        members, products = (
            {key: Money(**amount) for key, amount in stored.get(name, {}).items()} for name in ("members", "products")
        )
        return cls(members, products)

    def as_json(self) -> dict[str, Any]:
        """Parts as they are to be stored."""
        return {
            name: {key: amount.as_json() for key, amount in shares.items()}
            for name, shares in (("members", self.members), ("products", self.products))
        }

    def dealt(self, amount: Money) -> Parts:
        """An amount dealt out in proportion to these parts; of nobody if there are none."""
        return Parts(_in_proportion(amount, self.members), _in_proportion(amount, self.products))

    def told(self) -> dict[str, tuple[Part, ...]]:
        """Parts as the fields of an event."""
        return {
            "members": tuple(Part(of=key, amount=amount) for key, amount in self.members.items()),
            "products": tuple(Part(of=key, amount=amount) for key, amount in self.products.items() if key),
        }

    def __add__(self, other: Parts) -> Parts:
        return Parts(
            _joined(*self.members.items(), *other.members.items()),
            _joined(*self.products.items(), *other.products.items()),
        )

    def __sub__(self, other: Parts) -> Parts:
        return self + Parts(_negative(other.members), _negative(other.products))


NOBODYS: Final = Parts()


def _joined(*shares: tuple[str, Money]) -> Shares:
    whole: dict[str, Money] = {}
    for key, amount in shares:
        whole[key] = whole[key] + amount if key in whole else amount
    return whole


def _negative(shares: Shares) -> Shares:
    return {key: -amount for key, amount in shares.items()}


def _in_proportion(amount: Money, weights: Shares) -> Shares:
    whole = sum(weight.minor for weight in weights.values())
    if not whole:
        return {}
    parts = amount.split([Fraction(weight.minor, whole) for weight in weights.values()])
    return {key: part for key, part in zip(weights, parts, strict=True) if part.minor}
