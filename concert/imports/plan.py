"""The plan of an import: rows for the bulk routes, in an order in which everything is known when it is spoken of."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any

from concert.imports.tables import Row
from shared.money import Money, UnitPrice, line_amount

Body = dict[str, Any]
_LONGEST_ID = 120
_UNLIKE_OTHERS = {"+": "plus", "#": "sharp"}


@dataclass(slots=True)
class Facts:
    """Rows about one thing: sent together and in this order."""

    bodies: list[Body]
    origin: Row | None = None
    """The row of the file they come from, to name it if one of them is refused."""
    instead: Body | None = None
    """What to send if the first of them is refused because another import has told it differently."""
    settled_by: str | None = None
    """The rule whose refusal means that what they say is already so."""


@dataclass(slots=True)
class Step:
    """Rows for one collection; what follows may need what they make."""

    collection: str
    facts: list[Facts] = field(default_factory=list)

    def add(self, *bodies: Body, origin: Row | None = None, instead: Body | None = None,
            settled_by: str | None = None) -> None:  # fmt: skip
        """What is to be said about one thing."""
        self.facts.append(Facts(list(bodies), origin, instead, settled_by))

    def rows(self) -> Iterator[Body]:
        """All rows, in order."""
        for facts in self.facts:
            yield from facts.bodies

    @property
    def size(self) -> int:
        """How many rows there are."""
        return sum(len(facts.bodies) for facts in self.facts)


@dataclass(frozen=True, slots=True)
class Span:
    """Days whose figures are shown at the end, half-open."""

    name: str
    start: date
    end: date


@dataclass(slots=True)
class Plan:
    """What an import would do."""

    source: str
    steps: dict[str, Step] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)

    def step(self, name: str, collection: str | None = None) -> Step:
        """The step of this name; steps are carried out in the order in which they were first named."""
        return self.steps.setdefault(name, Step(collection or name))

    def external(self, name: str) -> dict[str, str]:
        """What the source calls a thing, as a body says it."""
        return {"source": self.source, "id": name}

    def ref(self, name: str) -> str:
        """A reference to a thing by what the source calls it."""
        return f"ext:{self.source}:{name}"


@dataclass(slots=True)
class Totals:
    """What the rows of a plan add up to."""

    opened: int = 0
    won: int = 0
    lost: int = 0
    revenue: dict[str, Money] = field(default_factory=dict)
    """By currency; amounts in different currencies are not added."""
    targets: dict[str, Money] = field(default_factory=dict)

    @property
    def open(self) -> int:
        """How many deals stay open."""
        return self.opened - self.won - self.lost


def totals(plan: Plan) -> Totals:
    """The deals and targets of a plan, counted and added up."""
    found = Totals()
    for step in plan.steps.values():
        if step.collection == "deals":
            for row in step.rows():
                _count_deal(found, row)
        elif step.collection == "targets":
            for row in step.rows():
                _add(found.targets, Money(**row["value"]))
    return found


def _count_deal(found: Totals, row: Body) -> None:
    if row.get("do") == "lose":
        found.lost += 1
    elif row.get("do") == "win":
        found.won += 1
        _add(found.revenue, worth(row))
    elif "external" in row:
        found.opened += 1


def worth(win: Body) -> Money:
    """What a deal is won for."""
    if "value" in win:
        return Money(**win["value"])
    amounts = [line_amount(Decimal(line["quantity"]), UnitPrice(**line["unit_price"])) for line in win["lines"]]
    return Money.total(amounts, amounts[0].currency)


def _add(sums: dict[str, Money], amount: Money) -> None:
    sums[amount.currency] = sums.get(amount.currency, Money.zero(amount.currency)) + amount


@lru_cache(maxsize=16_384)
def slug(text: str) -> str:
    """A name as an id: small letters and digits of any script, with dashes between; always the same for a name."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    for sign, word in _UNLIKE_OTHERS.items():
        plain = plain.replace(sign, f" {word} ")
    made = re.sub(r"[\W_]+", "-", plain.casefold()).strip("-")
    return made if 0 < len(made) <= _LONGEST_ID else "x-" + digest(text)


@lru_cache(maxsize=16_384)
def digest(text: str) -> str:
    """A short id that does not tell what it is made from: capitals and blanks do not matter."""
    return sha256(" ".join(text.casefold().split()).encode()).hexdigest()[:16]


def person_id(name: str) -> str:
    """An id for a person whom the source knows by name only: always the same, and not readable as the name."""
    return "p-" + digest(name)


def day(value: date) -> str:
    """A day as a body says it."""
    return value.isoformat()
