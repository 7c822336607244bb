"""Pages of a collection: what is asked for by filters and days, as far as it is for the reader."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa
from pydantic_core import to_json

from shared.errors import Fault, Invalid
from shared.http.collection import Collection, N
from shared.http.pages import Cursor
from shared.identity.permissions import Principal
from shared.membership import on_day
from shared.store import Snapshot
from shared.store.sql import table_of


async def page_of(
    collection: Collection[N],
    snapshot: Snapshot,
    wanted: Mapping[str, str],
    cursor: Cursor,
    limit: int,
    on: date | None,
    reader: Principal | None,
    currency: str | None = None,
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of things, oldest first, and where the next one begins."""
    table = table_of(collection.entity, snapshot.session.dialect).table
    allowed = await collection.readable(snapshot, reader) if collection.readable and reader else None
    conditions: list[sa.ColumnElement[bool]] = [allowed] if allowed is not None else []
    belonging: list[tuple[str, str]] = []
    for name, value in wanted.items():
        column = table.c[collection.filters[name]]
        resolved = await snapshot.resolve(collection.refs[name].kind, value) if name in collection.refs else value
        if resolved is None:
            conditions.append(sa.false())
        elif name in collection.dated:
            # The text of the spells leads to those who ever belonged; which of them did on that day is asked below.
            belonging.append((collection.dated[name], resolved))
            ever = f'"of":{to_json(resolved).decode()}'
            conditions.append(sa.type_coerce(column, sa.Text).contains(ever, autoescape=True))
        else:
            conditions.append(column == _typed(name, column, resolved))
    day = on or await collection.today(snapshot) if belonging else date.min
    items: list[dict[str, Any]] = []
    last = cursor.last
    while True:
        select = sa.select(table).where(*conditions, table.c.id > last).order_by(table.c.id).limit(limit + 1)
        things = await snapshot.all(collection.entity, select)
        shown_now = await collection.present(snapshot, things[:limit], reader, currency)
        for thing, fields in zip(things, shown_now, strict=False):
            last = thing.id
            changed = collection.on_day(thing, on) if on is not None and collection.on_day else {}
            belongs = all(key in on_day(getattr(thing, spells), day) for spells, key in belonging)
            if belongs and changed is not None:
                items.append(fields | changed)
            if len(items) == limit:
                break
        more = len(things) > limit or (bool(things) and last != things[-1].id)
        if len(items) == limit or not more:
            return items, Cursor(last).text() if more else None


def _typed(name: str, column: Any, value: Any) -> Any:
    """A filter's text as the column has it; raises Invalid."""
    kind = column.type.python_type
    try:
        if kind is date:
            return date.fromisoformat(value)
        if kind is bool:
            return {"true": True, "false": False}[value]
        return kind(value) if kind is int else value
    except (ValueError, KeyError) as error:
        raise Invalid(f"{name} cannot be {value!r}.", [Fault(f"/{name}", "not of this kind")]) from error
