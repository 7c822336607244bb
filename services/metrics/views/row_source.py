"""What a source of rows is: facts of one kind, which of them a question selects, and how one is shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from services.metrics.views.frame import Reading
from shared.facts import Fact
from shared.money import Money

Conditions = Callable[[Reading], Awaitable[list[sa.ColumnElement[bool]]]]
Counted = Callable[[Reading, Sequence[Any]], Awaitable[Sequence[Mapping[str, Any]]]]
"""What is to be said of each of some facts, in their order, of how it counts: its `part`, and what that comes from."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows of a figure come from, which of them a question selects, and how one is shown."""

    model: type[Fact]
    conditions: Conditions
    show: Callable[[Any], dict[str, Any]]
    theirs: Callable[[Sequence[str]], sa.ColumnElement[bool]] | None = None
    """Which of them are for who may see the figures of these members, and not of all; none where all are."""
    office: str = ""
    """The scope of who is shown all of them, where others, tools too, are shown those of `theirs` only."""
    then: Source | None = None
    """What comes after these: facts of another kind, whose ids are greater."""
    counted: Counted | None = None
    """What each adds to the figure: as the parts of all rows add up, the figure is; of a share or a mean, what stands
    above and below. None where each counts as one."""

    async def shown(self, reading: Reading, facts: Sequence[Any]) -> list[dict[str, Any]]:
        """Facts as rows, each with how it counts."""
        rows = [self.show(fact) for fact in facts]
        if self.counted is None:
            return rows
        return [{**row, **counts} for row, counts in zip(rows, await self.counted(reading, facts), strict=True)]


def simple(kind: str, *fields: str) -> Callable[[Any], dict[str, Any]]:
    """A fact as a row: these fields, and its amount if it has one."""

    def show(fact: Any) -> dict[str, Any]:
        row = {"ref": fact.id, "kind": kind} | {name: getattr(fact, name) for name in fields}
        if getattr(fact, "currency", None) and hasattr(fact, "amount"):
            row["amount"] = Money.of_minor(fact.amount, fact.currency).as_json()
        return row

    return show
