"""How much of each owner's events, and of each bulk, has been applied here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from shared.events import Envelope
from shared.store import Row, Tx
from shared.store.sql import Statement, insert_into, table_of
from shared.store.tables import BatchProgress, SourceProgress


class Counted:
    """What one transaction adds to the progress."""

    def __init__(self) -> None:
        self.owners: dict[str, dict[str, int]] = {}
        self.latest: dict[str, str] = {}
        self.batches: dict[str, int] = {}

    def add(self, owner: str, what: str) -> None:
        """One more event of an owner was applied, seen again, or skipped."""
        self.owners.setdefault(owner, {"applied": 0, "seen": 0, "skipped": 0})[what] += 1

    def note(self, owner: str, envelope: Envelope) -> None:
        """The time an event speaks of, and the bulk it belongs to."""
        self.latest[owner] = max(self.latest.get(owner, ""), envelope.time)
        if envelope.batch:
            self.batches[envelope.batch] = self.batches.get(envelope.batch, 0) + 1


async def count_progress(tx: Tx, counted: Counted) -> None:
    """Add what was counted to what is stored."""
    batches = [{"id": batch, "applied": count} for batch, count in sorted(counted.batches.items())]
    await _add(tx, BatchProgress, batches)
    owners = [
        {"owner": owner, **counts, "latest": counted.latest.get(owner, "")}
        for owner, counts in sorted(counted.owners.items())
    ]
    await _add(tx, SourceProgress, owners)


_adding: dict[tuple[type[Row], str], Statement] = {}


async def _add(tx: Tx, model: type[Row], rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    dialect = tx.session.dialect
    statement = _adding.get((model, dialect.name))
    if statement is None:
        statement = _adding[model, dialect.name] = _adding_statement(model, dialect)
    await tx.execute(statement, [statement.values(row) for row in rows])


def _adding_statement(model: type[Row], dialect: sa.Dialect) -> Statement:
    """Numbers are added to what is there, of texts the greater one stays."""
    table = table_of(model, dialect)
    insert = insert_into(table.table, dialect)
    changes: dict[str, Any] = {}
    for column in table.table.columns:
        if column.primary_key:
            continue
        given = insert.excluded[column.name]
        number = isinstance(column.type, sa.Integer)
        changes[column.name] = column + given if number else sa.case((given > column, given), else_=column)
    return Statement(insert.on_conflict_do_update(index_elements=table.keys, set_=changes), dialect, table.columns)
