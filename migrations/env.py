"""Alembic's way in: one connection, one service's tables; both are handed over by `shared.store.migrate`."""

from __future__ import annotations

import json
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.operations.ops import AddColumnOp


def render_plainly(kind: str, item: Any, autogenerate: Any) -> str | Literal[False]:
    """Write our column types as what the database sees, so that old revisions do not depend on code that changes."""
    if kind == "type" and isinstance(item, sa.types.TypeDecorator):
        return f"sa.{type(item.impl).__name__.replace('AutoString', 'Text').replace('String', 'Text')}()"
    return False


def differs(of: Any, there: Any, declared: Any, stored: sa.types.TypeEngine[Any], wanted: Any) -> bool | None:
    """Whether a column must be changed: every text is written as TEXT, so one text does not differ from another."""
    meant = wanted.impl if isinstance(wanted, sa.types.TypeDecorator) else wanted
    return False if isinstance(stored, sa.String) and isinstance(meant, sa.String) else None


def prepare(of: Any, revision: Any, directives: list[Any]) -> None:
    """No revision for a service whose tables have not changed; new columns that must hold something begin with what
    new rows begin with."""
    if directives and directives[0].upgrade_ops.is_empty():
        directives.clear()
    for directive in directives:
        for change in directive.upgrade_ops.ops:
            for each in getattr(change, "ops", ()):
                if isinstance(each, AddColumnOp) and not each.column.nullable:
                    each.column.server_default = sa.DefaultClause(sa.text(beginning_of(each.column)))


def beginning_of(column: sa.Column[Any]) -> str:
    """What a column begins with, as SQL."""
    default: Any = column.default
    value = default.arg({}) if default.is_callable else default.arg
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    text = value if isinstance(value, str) else json.dumps(value)
    return "'" + text.replace("'", "''") + "'"


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes["metadata"],
    render_as_batch=True,
    render_item=render_plainly,
    compare_type=differs,
    process_revision_directives=prepare if context.config.attributes.get("revising") else None,
)
with context.begin_transaction():
    context.run_migrations()
