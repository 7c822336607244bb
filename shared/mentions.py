"""Where a service's own texts name somebody, and how many of its things are connected with them.

What people write may name anybody, and no programme can tell which of it is about whom. So nothing of it is erased by
itself: whoever answers for personal data is shown where it lies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from shared.http.bodies import Body, Ref, Text
from shared.http.documents import described
from shared.http.problems import parse
from shared.http.runtime import runtime_of
from shared.identity.permissions import require
from shared.store import Row, Snapshot
from shared.store.tables import KIT_TABLES, KeptAnswer

SHORTEST = 3
"""Parts of a name with fewer letters are in too many texts."""
_KEPT_WITH_THE_PERSON = frozenset({"person"})


class SeekMentions(Body):
    """By which id somebody is connected with things, and by which words texts may name them."""

    member: Ref
    words: list[Text] = Field(default_factory=list, max_length=50)


class Mention(BaseModel):
    """A thing whose texts name somebody, and in which fields."""

    service: str
    kind: str
    id: str
    fields: list[str]


class Mentions(BaseModel):
    """What one service has of somebody."""

    mentions: list[Mention]
    connected: dict[str, int] = Field(description="how many things of each kind have to do with the member")


def words_of(names: Iterable[str | None]) -> list[str]:
    """By which words texts may name somebody: the whole names, and their parts that are not too short."""
    whole = {each.strip() for each in names if each and each.strip()}
    parts = {part for each in whole for part in re.split(r"[\s,]+", each)}
    return sorted(each for each in whole | parts if len(each) >= SHORTEST)


async def mentions_of(
    snapshot: Snapshot, service: str, tables: Sequence[type[Row]], member: str, words: Sequence[str]
) -> Mentions:
    """Where the texts of these tables name somebody."""
    named = re.compile("|".join(rf"(?<!\w){re.escape(each)}(?!\w)" for each in words) or r"(?!)", re.IGNORECASE)
    found: list[Mention] = []
    connected: dict[str, int] = {}
    for model in tables:
        kind = getattr(model, "kind", "") or str(model.__tablename__)
        if kind in _KEPT_WITH_THE_PERSON or (model in KIT_TABLES and model is not KeptAnswer):
            continue
        columns = _texts(model)
        if not columns:
            continue
        if model is not KeptAnswer:
            count = int(await snapshot.scalar(_connected(model), member=_anywhere(member)))
            connected[kind] = connected.get(kind, 0) + count
        for row in await snapshot.rows(_naming(model, len(words)), **_spelt(words)) if words else ():
            fields = [column.name for column, text in zip(columns, row[1:], strict=True) if named.search(str(text))]
            if fields:
                found.append(Mention(service=service, kind=kind, id=str(row[0]), fields=fields))
    return Mentions(mentions=found, connected={kind: count for kind, count in connected.items() if count})


def mentions_router(service: str, tables: Sequence[type[Row]]) -> APIRouter:
    """`POST /v1/mentions` of a service; a POST, so that no name stands in an address."""
    router = APIRouter(tags=["members"])
    may = require("mentions:read")

    @router.post("/v1/mentions", operation_id=f"mentions_in_{service}",
                 openapi_extra=described(may, SeekMentions, {200: Mentions}), dependencies=[Depends(may)])  # fmt: skip
    async def seek_mentions(request: Request) -> Mentions:
        """Where the texts of this service name somebody; nothing is stored."""
        body = parse(SeekMentions, await request.body())

        async def query(snapshot: Snapshot) -> Mentions:
            return await mentions_of(snapshot, service, tables, body.member, [each for each in body.words if each])

        return await runtime_of(request).store.read(query)

    return router


def _texts(model: type[Row]) -> list[Any]:
    """The columns that hold text, or what is kept as text."""
    table: sa.Table = model.__table__  # type: ignore[attr-defined]
    key = next(iter(table.primary_key.columns))
    return [
        column
        for column in table.c
        if column is not key and isinstance(column.type, sa.String | sa.types.TypeDecorator)
    ]


@cache
def _naming(model: type[Row], words: int) -> Any:
    """What selects the rows in whose texts one of so many words stands."""
    table: sa.Table = model.__table__  # type: ignore[attr-defined]
    key = sa.type_coerce(table.c.key, sa.Text) if model is KeptAnswer else next(iter(table.primary_key.columns))
    texts = [sa.type_coerce(column, sa.Text) for column in _texts(model)]
    hits = [hit for text in texts for place in range(words) for hit in (
        _holds(text, f"word{place}"), _holds(text, f"lower{place}"), _holds(sa.func.lower(text), f"lower{place}"),
    )]  # fmt: skip
    return sa.select(key, *texts).where(sa.or_(*hits))


def _spelt(words: Sequence[str]) -> dict[str, str]:
    """The words for that, as they are and in small letters."""
    as_is = {f"word{place}": _anywhere(word) for place, word in enumerate(words)}
    return as_is | {f"lower{place}": _anywhere(word.lower()) for place, word in enumerate(words)}


@cache
def _connected(model: type[Row]) -> Any:
    """What counts the rows in whose texts an id stands."""
    texts = [sa.type_coerce(column, sa.Text) for column in _texts(model)]
    return sa.select(sa.func.count()).select_from(model).where(sa.or_(*(_holds(text, "member") for text in texts)))


def _holds(text: Any, name: str) -> sa.ColumnElement[bool]:
    found: sa.ColumnElement[bool] = text.like(sa.bindparam(name, type_=sa.Text()), escape="/")
    return found


def _anywhere(word: str) -> str:
    """The pattern of a text with a word in it."""
    return f"%{re.sub('[/%_]', lambda found: f'/{found[0]}', word)}%"
