"""The plan of an import: rows for the bulk routes, in an order in which everything is known when it is used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import sha256
from typing import Any

from concert.imports.tables import Row

Body = dict[str, Any]


@dataclass(slots=True)
class Step:
    """Rows for one collection; what follows may need what they make."""

    collection: str
    rows: list[Body] = field(default_factory=list)
    origins: list[Row | None] = field(default_factory=list)
    """The row of the file that each came from, to name it if it is refused."""

    def add(self, body: Body, origin: Row | None = None) -> None:
        """One more row."""
        self.rows.append(body)
        self.origins.append(origin)


@dataclass(slots=True)
class Plan:
    """What an import would do."""

    source: str
    steps: dict[str, Step] = field(default_factory=dict)
    period: str = ""
    """The years the facts lie in, to show them at the end: `2016/2018` as first and last."""

    def step(self, name: str, collection: str | None = None) -> Step:
        """The step of this name; steps are carried out in the order in which they were first named."""
        return self.steps.setdefault(name, Step(collection or name))

    def external(self, name: str) -> dict[str, str]:
        """What the source calls a thing, as a body says it."""
        return {"source": self.source, "id": name}

    def ref(self, name: str) -> str:
        """A reference to a thing by what the source calls it."""
        return f"ext:{self.source}:{name}"


def slug(text: str) -> str:
    """A name as an id: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def person_id(name: str) -> str:
    """An id for a person whom the source knows by name only: always the same, and not readable as the name."""
    return "p-" + sha256(" ".join(name.lower().split()).encode()).hexdigest()[:16]


def money(amount: Decimal, currency: str, places: int = 2) -> dict[str, str]:
    """An amount as a body says it, rounded half-even to the currency's decimals."""
    exact = amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    return {"amount": f"{exact:f}", "currency": currency}


def day(value: date) -> str:
    """A day as a body says it."""
    return value.isoformat()


def totals(plan: Plan) -> Mapping[str, int]:
    """How many rows each step has."""
    return {name: len(step.rows) for name, step in plan.steps.items()}
