"""The routes by which things of a collection are read: one, a list of them, and what happened to one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Depends, Header, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic_core import from_json, to_json

from shared.errors import NotFound
from shared.http.collection import After, Collection, Limit, Prefer, Reference
from shared.http.documents import described
from shared.http.listing import page_of
from shared.http.pages import Cursor, asked_only, link_next
from shared.http.runtime import runtime_of
from shared.http.waiting import patience_of, tokens_of
from shared.http.writes import as_json, is_known, version_headers
from shared.identity.permissions import Principal, require
from shared.instant import Day
from shared.money import Currency
from shared.store import Entity, Snapshot
from shared.store.tables import Journal

_journal = Journal.__table__.c  # type: ignore[attr-defined]
_HISTORY = (
    sa.select(_journal.version, _journal.type, _journal.time, _journal.data)
    .where(_journal.subject == sa.bindparam("subject"), _journal.version > sa.bindparam("above"))
    .order_by(_journal.version)
    .limit(sa.bindparam("limit"))
)


class HistoryItem(BaseModel):
    """One event of a thing's history."""

    version: int
    type: str
    time: str
    data: dict[str, Any] | None


def add_get(collection: Collection[Any]) -> None:
    may = require(f"{collection.name}:read")
    asked_day, asked_currency = _on_query(collection, "as it was on this day"), _currency_query(collection)

    async def endpoint(
        request: Request,
        ref: Reference,
        principal: Principal = Depends(may),
        after: After = [],  # noqa: B006
        on: Day | None = asked_day,
        currency: Currency | None = asked_currency,
        prefer: Prefer = None,
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        asked_only(request, {"after"} | _lights(collection))

        async def query(snapshot: Snapshot) -> tuple[Any, dict[str, Any]]:
            thing = await collection.for_reader(snapshot, await snapshot.get(collection.entity, ref), ref, principal)
            (fields,) = await collection.present(snapshot, [thing], principal, currency)
            return thing, fields

        progress = runtime_of(request).progress
        thing, fields = await progress.read(tokens_of(after), patience_of(prefer), query)
        if on is not None:
            fields = _as_on(collection, thing, fields, on, ref)
        headers = version_headers(thing)
        # What it is in another currency changes with the rates, which are no part of its version.
        if currency is None and is_known(headers, if_none_match):
            return Response(status_code=304, headers=headers)
        return Response(as_json(fields), headers=headers, media_type="application/json")

    collection.route(
        endpoint,
        "/{ref}",
        "GET",
        f"get_{collection.called}",
        summary=f"One {collection.word}",
        openapi_extra=described(may, None, {200: collection.read, 304: None}, missing=True),
    )


def _lights(collection: Collection[Any]) -> set[str]:
    """What asks for a day, where the truth is dated, and for a currency, where there is money to show in it."""
    return ({"on"} if collection.on_day else set()) | ({"currency"} if collection.convert else set())


def _on_query(collection: Collection[Any], description: str) -> Any:
    return Query(default=None, description=description, include_in_schema="on" in _lights(collection))


def _currency_query(collection: Collection[Any]) -> Any:
    description = "what it is in this currency, beside it as `converted`; refused where a rate is missing"
    return Query(default=None, description=description, include_in_schema="currency" in _lights(collection))


def _as_on(collection: Collection[Any], thing: Entity, fields: dict[str, Any], day: date, ref: str) -> dict[str, Any]:
    changed = collection.on_day(thing, day) if collection.on_day else {}
    if changed is None:
        raise NotFound(f"On {day} there was no {collection.word} {ref}.")
    return fields | changed


def add_list(collection: Collection[Any]) -> None:
    may = require(f"{collection.name}:read")
    asked_day, asked_currency = _on_query(collection, "as things were on this day"), _currency_query(collection)

    async def endpoint(
        request: Request,
        principal: Principal = Depends(may),
        limit: Limit = 50,
        cursor: Annotated[str | None, Query(description="the `next` of the page before")] = None,
        after: After = [],  # noqa: B006
        on: Day | None = asked_day,
        currency: Currency | None = asked_currency,
        prefer: Prefer = None,
    ) -> Response:
        asked_only(request, {"limit", "cursor", "after"} | _lights(collection) | collection.filters.keys())
        wanted = {name: request.query_params[name] for name in collection.filters if name in request.query_params}

        async def query(snapshot: Snapshot) -> tuple[list[dict[str, Any]], str | None]:
            return await page_of(collection, snapshot, wanted, Cursor.read(cursor), limit, on, principal, currency)

        progress = runtime_of(request).progress
        items, following = await progress.read(tokens_of(after), patience_of(prefer), query)
        headers = link_next(request, following)
        return Response(as_json({"items": items, "next": following}), headers=headers, media_type="application/json")

    described_filters = [
        {"name": name, "in": "query", "required": False, "schema": {"type": "string"}} for name in collection.filters
    ]
    collection.route(
        endpoint,
        "",
        "GET",
        f"list_{collection.name}",
        summary=f"List {collection.name}",
        openapi_extra=described(may, None, {200: collection.read}, page=True, parameters=described_filters),
    )


def add_history(collection: Collection[Any]) -> None:
    may = require(f"{collection.name}:read")

    async def endpoint(
        request: Request,
        ref: Reference,
        principal: Principal = Depends(may),
        limit: Limit = 50,
        cursor: Annotated[str | None, Query()] = None,
    ) -> Response:
        async def query(snapshot: Snapshot) -> Sequence[Sequence[Any]]:
            thing = await collection.for_reader(snapshot, await snapshot.get(collection.entity, ref), ref, principal)
            above = Cursor.read(cursor).number
            return await snapshot.rows(_HISTORY, subject=thing.subject, above=above, limit=limit + 1)

        records = await runtime_of(request).store.read(query)
        body = ",".join(
            f'{{"version":{version},"type":"{kind}","time":"{time}","data":{_told(collection, data)}}}'
            for version, kind, time, data in records[:limit]
        )
        following = Cursor(str(records[limit - 1][0])).text() if len(records) > limit else None
        end = "null" if following is None else f'"{following}"'
        return Response(
            f'{{"items":[{body}],"next":{end}}}',
            headers=link_next(request, following),
            media_type="application/json",
        )

    collection.route(
        endpoint,
        "/{ref}/history",
        "GET",
        f"history_of_{collection.called}",
        summary=f"What happened to a {collection.word}, event by event",
        openapi_extra=described(may, None, {200: HistoryItem}, page=True, missing=True),
    )


def _told(collection: Collection[Any], data: str | None) -> str:
    """What an event says, as far as the history tells it."""
    if data is None or not collection.untold:
        return data or "null"
    told = {name: value for name, value in from_json(data).items() if name not in collection.untold}
    return to_json(told).decode()
