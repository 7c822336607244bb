"""Alembic's way in: one connection, one service's tables; both are handed over by `shared.store.migrate`."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context


def render_plainly(kind: str, item: Any, autogenerate: Any) -> str | Literal[False]:
    """Write our column types as what the database sees, so that old revisions do not depend on code that changes."""
    if kind == "type" and isinstance(item, sa.types.TypeDecorator):
        return f"sa.{type(item.impl).__name__.replace('AutoString', 'Text').replace('String', 'Text')}()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes["metadata"],
    render_as_batch=True,
    render_item=render_plainly,
)
with context.begin_transaction():
    context.run_migrations()
