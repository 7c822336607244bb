"""Facts: what a service knows of things it does not own, each the fold of one subject's events in version order.

Beside a fact stand its sums: a fact contributes to cells, and when it changes the cells move from what it contributed
before to what it contributes now. A contribution depends on that fact alone, so any interleaving of subjects gives the
same sums. Whatever needs another subject, the clock or a setting is computed when it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any, ClassVar, Generic, TypeVar, cast

import sqlalchemy as sa
from sqlmodel import Field

from shared.events import Event
from shared.ids import shard_of
from shared.store.entity import Referred, Row
from shared.store.sql import Statement, Table, insert_into, table_of
from shared.store.tx import Tx

Key = tuple[Any, ...]
Numbers = tuple[int, ...]
Cell = tuple[Key, Numbers]


class Fact(Referred):
    """What is known of one thing of another service."""

    names: ClassVar[str] = ""
    """Of which kind the external ids of this fact are names, if not of its own."""
    told_by: ClassVar[str] = "teams"
    """The service that owns the thing, and can say whether there is one that was not heard of."""

    id: str = Field(primary_key=True)
    shard: int = 0
    total: int = Field(default=0, sa_type=sa.BigInteger)
    total_currency: str = Field(default="")


class Sum(Row):
    """A cell that facts add up in: the key columns, then `parts` (how many contributions), then the numbers."""

    parts: int = 0


F = TypeVar("F", bound=Fact)
Fold = TypeVar("Fold", bound=Callable[..., None])


class Facts(Generic[F]):
    """The fold of one kind of subject: which event changes which fields, and what a fact contributes to."""

    def __init__(
        self,
        model: type[F],
        *,
        sums: type[Sum] | None = None,
        cells: Callable[[F], Iterable[Cell]] | None = None,
        further: Sequence[tuple[type[Sum], Callable[[F], Iterable[Cell]]]] = (),
    ) -> None:
        self.model = model
        self.kind = model.kind
        self.sums = sums
        self.further = further
        """More tables of sums that a fact contributes to, each with what it contributes."""
        self._cells = cells
        self._folds: dict[type[Event], Callable[[F, Any], None]] = {}

    def on(self, event: type[Event]) -> Callable[[Fold], Fold]:
        """Say what an event changes about a fact: `fold(fact, event)`."""

        def register(fold: Fold) -> Fold:
            self._folds[event] = fold
            return fold

        return register

    def fold(self, fact: F, event: Event) -> None:
        """Let a fact learn of an event; events nobody asked for change nothing."""
        change = self._folds.get(type(event))
        if change is not None:
            change(fact, event)

    def cells(self, fact: F) -> Sequence[Cell]:
        """What a fact contributes to the sums."""
        return tuple(self._cells(fact)) if self._cells else ()

    @property
    def tables(self) -> Sequence[type[Sum]]:
        """Every table of sums that a fact contributes to."""
        return [*([self.sums] if self.sums is not None else []), *(sums for sums, _ in self.further)]

    @property
    def shapes(self) -> list[str]:
        """What is kept, column by column, and from which events: another version may keep more, or hear of more."""
        columns = [f"{table.__table__.name} {sorted(table.__table__.c.keys())}" for table in (self.model, *self.tables)]  # type: ignore[attr-defined]
        return [*columns, f"{self.kind} {sorted(event.type for event in self._folds)}"]

    def contributions(self, fact: F) -> Sequence[Sequence[Cell]]:
        """What a fact contributes to each of the tables."""
        first = [self.cells(fact)] if self.sums is not None else []
        return [*first, *(tuple(cells(fact)) for _, cells in self.further)]

    async def open(self, tx: Tx, ids: Sequence[str]) -> dict[str, F]:
        """The facts with these ids, new ones blank."""
        table = table_of(self.model, tx.session.dialect)
        records = await tx.session.fetch(table.several, table.several.values({"keys": ids}))
        facts = {str(record[0]): cast(F, table.row(record)) for record in records}
        for missing in ids:
            if missing not in facts:
                facts[missing] = self.model.make(id=missing, shard=shard_of(f"{self.kind}/{missing}"))
        return facts


class Moves:
    """How far each cell of the sums moves in one transaction."""

    def __init__(self) -> None:
        self._moved: dict[type[Sum], dict[Key, list[int]]] = {}

    def move(self, sums: type[Sum], before: Sequence[Cell], after: Sequence[Cell]) -> None:
        """Take away what a fact contributed before and add what it contributes now."""
        if before == after:
            return
        cells = self._moved.setdefault(sums, {})
        # What a fact contributed first stays as it was for most of them: it was opened before it is won.
        same, shorter = 0, min(len(before), len(after))
        while same < shorter and before[same] == after[same]:
            same += 1
        for sign, contributions in ((-1, before[same:]), (1, after[same:])):
            for key, numbers in contributions:
                cell = cells.get(key)
                if cell is None:
                    cells[key] = [1, *numbers] if sign > 0 else [-1, *(-number for number in numbers)]
                    continue
                cell[0] += sign
                # Most of a contribution is nothing: a deal that is opened brings no money yet.
                for place, number in enumerate(numbers, 1):
                    if number:
                        cell[place] += sign * number

    async def store(self, tx: Tx) -> None:
        """Move the stored cells, in sorted order, and drop those that nothing contributes to any more."""
        for sums, cells in self._moved.items():
            statements = _cells_of(sums, tx.session.dialect)
            moved = sorted((key, numbers) for key, numbers in cells.items() if any(numbers))
            if not moved:
                continue
            await tx.session.execute(statements.add, [statements.added((*key, *numbers)) for key, numbers in moved])
            emptied = [statements.cleaned(key) for key, numbers in moved if numbers[0] < 0]
            if emptied:
                await tx.session.execute(statements.clean, emptied)


class _Cells:
    """The statements that move the cells of one table, compiled once."""

    def __init__(self, table: Table) -> None:
        column = table.table.c
        numbers = [name for name in table.columns if name not in table.keys]
        insert = insert_into(table.table, table.dialect)
        add = insert.on_conflict_do_update(
            index_elements=table.keys, set_={name: column[name] + insert.excluded[name] for name in numbers}
        )
        self.add = Statement(add, table.dialect, table.columns)
        self.added = self.add.of_values(table.keys + numbers)
        self.clean = Statement(sa.delete(table.table).where(table.match, column["parts"] == sa.literal_column("0")),
                               table.dialect)  # fmt: skip
        self.cleaned = self.clean.of_values(table.keys)


@cache
def _cells_of(sums: type[Sum], dialect: sa.Dialect) -> _Cells:
    return _Cells(table_of(sums, dialect))


def total_over(cells: Iterable[Cell]) -> Iterator[Cell]:
    """Cells with equal keys joined into one."""
    joined: dict[Key, list[int]] = {}
    for key, numbers in cells:
        if key in joined:
            joined[key] = [have + more for have, more in zip(joined[key], numbers, strict=True)]
        else:
            joined[key] = list(numbers)
    return ((key, tuple(numbers)) for key, numbers in joined.items())
