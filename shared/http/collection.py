"""A collection of things behind `/v1/<name>`: one declaration gives it every route that every collection has.

A service declares how a thing is made, changed and what its verbs are; listing, reading, upserting by another
system's id, linking ids, bulk and history follow from that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Generic, TypeVar, cast, get_type_hints

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic_core import from_json, to_json

from shared.errors import Conflict, Fault, Invalid, NotFound
from shared.events.common import linked_event
from shared.http.bodies import Body, ExternalName, Named, read_model, shown
from shared.http.bulk import bulk_route, cause_of
from shared.http.documents import described
from shared.http.pages import Cursor, asked_only, link_next
from shared.http.problems import parse, parse_object
from shared.http.runtime import runtime_of
from shared.http.waiting import patience_of, tokens_of
from shared.http.writes import Answer, as_json, expect, version_headers, write
from shared.identity.permissions import Principal, require
from shared.ids import new_id
from shared.instant import Day, now
from shared.membership import on_day
from shared.store import Entity, Snapshot, Tx
from shared.store.entity import Referred
from shared.store.sql import table_of
from shared.store.tables import Journal
from shared.store.tx import missing

N = TypeVar("N", bound=Entity)
Handler = Callable[..., Awaitable[Any]]
Present = Callable[[Snapshot, Sequence[Any], Principal | None], Awaitable[list[dict[str, Any]]]]
Readable = Callable[[Snapshot, Principal], Awaitable[sa.ColumnElement[bool] | None]]
"""Which things of a collection are for a reader: a condition on their columns, or none where all of them are."""
_journal = Journal.__table__.c  # type: ignore[attr-defined]
_HISTORY = (
    sa.select(_journal.version, _journal.type, _journal.time, _journal.data)
    .where(_journal.subject == sa.bindparam("subject"), _journal.version > sa.bindparam("above"))
    .order_by(_journal.version)
    .limit(sa.bindparam("limit"))
)
Limit = Annotated[int, Query(ge=1, le=200, description="how many items at most")]
After = Annotated[list[str], Query(description="wait until these versions are here, `deal/<id>@7`; repeatable")]
Prefer = Annotated[str | None, Header(description="`wait=<seconds>`: how long to wait, default 5, at most 30")]
Reference = Annotated[str, Path(description="our id, or `ext:<source>:<id>`")]


@dataclass(frozen=True, slots=True)
class Verb:
    """Something that can be done to a thing of a collection."""

    name: str
    run: Handler
    body: type[Body]
    undoes: bool
    routed: bool = True


class Collection(Generic[N]):
    """The things of one kind that a service owns."""

    def __init__(
        self,
        entity: type[N],
        name: str,
        *,
        filters: Mapping[str, str] | None = None,
        refs: Mapping[str, type[Referred]] | None = None,
        present: Present | None = None,
        extra: type[BaseModel] | None = None,
        on_day: Callable[[Any, date], dict[str, Any] | None] | None = None,
        dated: Mapping[str, str] | None = None,
        today: Callable[[Snapshot], Awaitable[date]] | None = None,
        readable: Readable | None = None,
        untold: frozenset[str] = frozenset(),
        called: str | None = None,
    ) -> None:
        self.entity = entity
        self.name = name
        self.dated = dict(dated or {})
        """Filters for what belonged to something on the day that is asked about: each with the spells it reads."""
        self.filters = dict(filters or {}) | self.dated
        """Query parameters that narrow a list, each with the column it compares."""
        self.refs = dict(refs or {})
        """Those of the filters that are references, each with what it refers to."""
        self.called = called or entity.kind
        """What operations on one of its things are named after: their kind, unless that is taken."""
        self.read = read_model(entity, extra)
        self.verbs: dict[str, Verb] = {}
        self.router = APIRouter(prefix=f"/v1/{name}", tags=[name])
        self.untold = untold
        """What of its events a history leaves out, because it is shown elsewhere, by stricter rules."""
        self.on_day = on_day
        self._today = today or _day_of_the_clock
        self._present = present
        self._readable = readable
        self._create: Handler | None = None
        self._create_body: type[Named] | None = None
        self._amend: Handler | None = None
        self._amend_body: type[Named] | None = None
        self._link: Callable[[Tx, Any, ExternalName], Awaitable[Any]] | None = None
        self._built = False

    # -- declaring ---------------------------------------------------------------------------------------------

    def create(self, handler: Handler) -> Handler:
        """`POST /v1/<name>`: `handler(tx, body)` makes the thing."""
        self._create, self._create_body = handler, get_type_hints(handler)["body"]
        return handler

    def amend(self, handler: Handler) -> Handler:
        """`PATCH` and the update half of `PUT`: `handler(tx, thing, body)` changes the fields sent."""
        self._amend, self._amend_body = handler, get_type_hints(handler)["body"]
        return handler

    def links(self, handler: Callable[[Tx, Any, ExternalName], Awaitable[Any]]) -> Any:
        """`POST /v1/<name>/{id}/externals`, where another system's id is not told like any other field."""
        self._link = handler
        return handler

    def verb(self, name: str, *, undoes: bool = False, routed: bool = True) -> Callable[[Handler], Handler]:
        """`POST /v1/<name>/{id}/<verb>`: `handler(tx, thing, body)`. One that undoes lets verbs be repeated; one that
        is not routed is answered by a route of its own, and is a verb in a bulk all the same."""

        def register(handler: Handler) -> Handler:
            self.verbs[name] = Verb(name, handler, get_type_hints(handler)["body"], undoes, routed)
            return handler

        return register

    # -- the work behind the routes ----------------------------------------------------------------------------

    async def present(self, snapshot: Snapshot, things: Sequence[N], reader: Principal | None) -> list[dict[str, Any]]:
        """Things as they are shown to a reader."""
        if self._present is not None:
            return await self._present(snapshot, things, reader)
        return [shown(thing) for thing in things]

    async def for_reader(self, snapshot: Snapshot, thing: N, ref: str, reader: Principal) -> N:
        """A thing that is for this reader; one that is not is as if it were not there. Raises NotFound."""
        condition = await self._readable(snapshot, reader) if self._readable else None
        if condition is not None:
            column = table_of(self.entity, snapshot.session.dialect).table.c.id
            if await snapshot.scalar(sa.select(column).where(column == thing.id, condition)) is None:
                raise missing(self.entity, ref)
        return thing

    async def all_for(
        self, snapshot: Snapshot, meant: sa.ColumnElement[bool], reader: Principal
    ) -> tuple[list[dict[str, Any]], int]:
        """All things that meet a condition, as far as they are for this reader, and how many are not."""
        table = table_of(self.entity, snapshot.session.dialect).table
        allowed = await self._readable(snapshot, reader) if self._readable else None
        things = await snapshot.all(self.entity, sa.select(table).where(meant).order_by(table.c.id))
        if allowed is None:
            return await self.present(snapshot, things, reader), 0
        ids = {row[0] for row in await snapshot.rows(sa.select(table.c.id).where(meant, allowed))}
        mine = [each for each in things if each.id in ids]
        return await self.present(snapshot, mine, reader), len(things) - len(mine)

    async def loaded(self, tx: Tx, ref: str, writer: Principal) -> N:
        """A thing to change by somebody whom it is for; raises NotFound."""
        return await self.for_reader(tx, await tx.load(self.entity, ref), ref, writer)

    async def made(self, tx: Tx, raw: bytes) -> N:
        """A new thing from a body."""
        assert self._create is not None
        assert self._create_body is not None
        body = parse(self._create_body, raw)
        for name in body.names():
            if await tx.resolve(self.entity.kind, f"ext:{name.source}:{name.id}") is not None:
                raise Conflict(f"ext:{name.source}:{name.id} already names another {self._word}.")
        return cast(N, await self._create(tx, body))

    async def upserted(self, tx: Tx, raw: bytes, name: ExternalName, writer: Principal) -> tuple[N, bool]:
        """The thing another system calls so, made or changed by a body that names it; says whether it was made."""
        ref = f"ext:{name.source}:{name.id}"
        existing = await tx.seek(self.entity, ref)
        if existing is None:
            return await self.made(tx, raw), True
        await self.for_reader(tx, existing, ref, writer)
        return await self.changed(tx, existing, raw), False

    async def changed(self, tx: Tx, thing: N, raw: bytes) -> N:
        """A thing with the fields of a body."""
        if self._amend is None or self._amend_body is None:
            return await self._unchanged(tx, thing, raw)
        body = parse(self._amend_body, raw)
        for name in body.names():
            known = thing.externals.get(name.source)
            if known is not None and known != name.id:
                raise Conflict(f"This {self._word} is called {known!r} by {name.source}, not {name.id!r}.")
        for name in body.names():
            await self.linked(tx, thing, name)
        return cast(N, await self._amend(tx, thing, body))

    async def linked(self, tx: Tx, thing: N, name: ExternalName) -> N:
        """A thing with what another system calls it; nothing changes if that is known."""
        if await tx.resolve(self.entity.kind, f"ext:{name.source}:{name.id}") not in (None, thing.id):
            raise Conflict(f"ext:{name.source}:{name.id} already names another {self._word}.")
        return cast(N, await self._link(tx, thing, name)) if self._link else link(tx, thing, name)

    async def _unchanged(self, tx: Tx, thing: N, raw: bytes) -> N:
        """A thing that is never changed by an update, if the body says what is already so."""
        assert self._create_body is not None
        sent = parse_object(raw)
        (fields,) = await self.present(tx, [thing], None)
        have = parse_object(as_json(fields))
        names = self._create_body.model_fields.keys() - {"external", "externals"}
        stored = {name: have[name] for name in names if have.get(name) is not None}
        # Read as the whole body, so that two ways of writing the same value are the same.
        said = parse_object(as_json(parse(self._create_body, as_json(stored | sent)).model_dump(mode="json")))
        for field, value in said.items():
            if field not in names or field not in sent or value == have.get(field):
                continue
            if not await self._same_thing(tx, field, value, have.get(field)):
                raise Conflict(
                    f"This {self._word} is not changed once it is stored; {field} is {have.get(field)!r} and cannot"
                    f" become {value!r}. Correct it with a verb.",
                    [Fault(f"/{field}", "differs from what is stored")],
                )
        return thing

    async def _same_thing(self, tx: Tx, field: str, sent: Any, have: Any) -> bool:
        if isinstance(sent, str) and sent.startswith("ext:"):
            return bool(await tx.resolve(self.refs[field].kind if field in self.refs else field, sent) == have)
        return False

    @property
    def _word(self) -> str:
        return self.entity.word or self.entity.kind

    # -- routes ------------------------------------------------------------------------------------------------

    def routes(self) -> APIRouter:
        """The collection's routes, for the service's app."""
        if not self._built:
            self._built = True
            if self._create is not None:
                self._add_create()
                bulk_route(self)
            self._add_list()
            self._add_get()
            self._add_history()
            if self._create is not None:
                self._add_put()
                self._add_externals()
            if self._amend is not None:
                self._add_patch()
            for verb in self.verbs.values():
                if verb.routed:
                    self._add_verb(verb)
        return self.router

    def _add_create(self) -> None:
        may = require(f"{self.name}:write")

        async def endpoint(request: Request, principal: Principal = Depends(may)) -> Response:
            raw = await request.body()

            async def decide(tx: Tx) -> Answer:
                return await self.answer(tx, await self.made(tx, raw), 201, principal)

            return await write(request, principal, decide, body=raw)

        self._route(endpoint, "", "POST", f"create_{self.called}", self._create_body, 201, self._create)

    def _add_put(self) -> None:
        may = require(f"{self.name}:write")

        async def endpoint(request: Request, ref: Reference, principal: Principal = Depends(may)) -> Response:
            raw = await request.body()

            async def decide(tx: Tx) -> Answer:
                if not ref.startswith("ext:"):
                    thing = await self.loaded(tx, ref, principal)
                    expect(request, thing, required=True)
                    return await self.answer(tx, await self.changed(tx, thing, raw), 200, principal)
                expect(request, await tx.seek(self.entity, ref))
                name = external_of(ref)
                thing, made = await self.upserted(tx, _with_name(raw, name), name, principal)
                return await self.answer(tx, thing, 201 if made else 200, principal)

            return await write(request, principal, decide, body=raw)

        summary = f"Create or update a {self._word} by another system's id"
        body = self._create_body
        self._route(endpoint, "/{ref}", "PUT", f"put_{self.called}", body, 200, None, summary, also=201)

    def _add_patch(self) -> None:
        may = require(f"{self.name}:write")

        async def endpoint(request: Request, ref: Reference, principal: Principal = Depends(may)) -> Response:
            raw = await request.body()

            async def decide(tx: Tx) -> Answer:
                thing = await self.loaded(tx, ref, principal)
                expect(request, thing, required=True)
                return await self.answer(tx, await self.changed(tx, thing, raw), 200, principal)

            return await write(request, principal, decide, body=raw)

        self._route(endpoint, "/{ref}", "PATCH", f"change_{self.called}", self._amend_body, 200, self._amend)

    def _add_verb(self, verb: Verb) -> None:
        may = require(f"{self.name}:write")

        async def endpoint(request: Request, ref: Reference, principal: Principal = Depends(may)) -> Response:
            raw = await request.body()
            body = parse(verb.body, raw or b"{}")

            async def decide(tx: Tx) -> Answer:
                thing = await self.loaded(tx, ref, principal)
                expect(request, thing)
                return await self.answer(tx, await verb.run(tx, thing, body), 200, principal)

            return await write(request, principal, decide, body=raw, cause=cause_of(verb.name, raw))

        operation = f"{verb.name.replace('-', '_')}_{self.called}"
        self._route(endpoint, f"/{{ref}}/{verb.name}", "POST", operation, verb.body, 200, verb.run)

    def _add_externals(self) -> None:
        may = require(f"{self.name}:write")

        async def endpoint(request: Request, ref: Reference, principal: Principal = Depends(may)) -> Response:
            raw = await request.body()
            name = parse(ExternalName, raw)

            async def decide(tx: Tx) -> Answer:
                thing = await self.loaded(tx, ref, principal)
                expect(request, thing)
                return await self.answer(tx, await self.linked(tx, thing, name), 200, principal)

            return await write(request, principal, decide, body=raw)

        summary = f"Say what another system calls a {self._word}"
        self._route(endpoint, "/{ref}/externals", "POST", f"link_{self.called}", ExternalName, 200, None, summary)

    def _add_get(self) -> None:
        may = require(f"{self.name}:read")
        asked_day = self._on_query("as it was on this day")

        async def endpoint(
            request: Request,
            ref: Reference,
            principal: Principal = Depends(may),
            after: After = [],  # noqa: B006
            on: Day | None = asked_day,
            prefer: Prefer = None,
            if_none_match: Annotated[str | None, Header()] = None,
        ) -> Response:
            asked_only(request, {"after"} | self._days)

            async def query(snapshot: Snapshot) -> tuple[N, dict[str, Any]]:
                thing = await self.for_reader(snapshot, await snapshot.get(self.entity, ref), ref, principal)
                (fields,) = await self.present(snapshot, [thing], principal)
                return thing, fields

            progress = runtime_of(request).progress
            thing, fields = await progress.read(tokens_of(after), patience_of(prefer), query)
            if on is not None:
                fields = self._as_on(thing, fields, on, ref)
            headers = version_headers(thing)
            if if_none_match is not None and (headers["ETag"] in if_none_match or if_none_match.strip() == "*"):
                return Response(status_code=304, headers=headers)
            return Response(as_json(fields), headers=headers, media_type="application/json")

        self._route(endpoint, "/{ref}", "GET", f"get_{self.called}", None, 200, None, f"One {self._word}", also=304)

    @property
    def _days(self) -> set[str]:
        """What asks for a day, where the truth is dated."""
        return {"on"} if self.on_day else set()

    def _on_query(self, description: str) -> Any:
        return Query(default=None, description=description, include_in_schema=bool(self._days))

    def _as_on(self, thing: N, fields: dict[str, Any], day: date, ref: str) -> dict[str, Any]:
        changed = self.on_day(thing, day) if self.on_day else {}
        if changed is None:
            raise NotFound(f"On {day} there was no {self._word} {ref}.")
        return fields | changed

    def _add_list(self) -> None:
        may = require(f"{self.name}:read")
        asked_day = self._on_query("as things were on this day")

        async def endpoint(
            request: Request,
            principal: Principal = Depends(may),
            limit: Limit = 50,
            cursor: Annotated[str | None, Query(description="the `next` of the page before")] = None,
            after: After = [],  # noqa: B006
            on: Day | None = asked_day,
            prefer: Prefer = None,
        ) -> Response:
            asked_only(request, {"limit", "cursor", "after"} | self._days | self.filters.keys())
            wanted = {name: request.query_params[name] for name in self.filters if name in request.query_params}

            async def query(snapshot: Snapshot) -> tuple[list[dict[str, Any]], str | None]:
                return await self.page(snapshot, wanted, Cursor.read(cursor), limit, on, principal)

            progress = runtime_of(request).progress
            items, following = await progress.read(tokens_of(after), patience_of(prefer), query)
            headers = link_next(request, following)
            return Response(
                as_json({"items": items, "next": following}), headers=headers, media_type="application/json"
            )

        described_filters = [
            {"name": name, "in": "query", "required": False, "schema": {"type": "string"}} for name in self.filters
        ]
        self.router.add_api_route(
            "",
            endpoint,
            methods=["GET"],
            name=f"list_{self.name}",
            operation_id=f"list_{self.name}",
            summary=f"List {self.name}",
            openapi_extra=described(may, None, {200: self.read}, page=True, parameters=described_filters),
        )

    async def page(
        self,
        snapshot: Snapshot,
        wanted: Mapping[str, str],
        cursor: Cursor,
        limit: int,
        on: date | None,
        reader: Principal | None,
    ) -> tuple[list[dict[str, Any]], str | None]:
        """A page of things, oldest first, and where the next one begins."""
        table = table_of(self.entity, snapshot.session.dialect).table
        allowed = await self._readable(snapshot, reader) if self._readable and reader else None
        conditions: list[sa.ColumnElement[bool]] = [allowed] if allowed is not None else []
        belonging: list[tuple[str, str]] = []
        for name, value in wanted.items():
            column = table.c[self.filters[name]]
            resolved = await snapshot.resolve(self.refs[name].kind, value) if name in self.refs else value
            if resolved is None:
                conditions.append(sa.false())
            elif name in self.dated:
                # The text of the spells leads to those who ever belonged; which of them did on that day is asked below.
                belonging.append((self.dated[name], resolved))
                ever = f'"of":{to_json(resolved).decode()}'
                conditions.append(sa.type_coerce(column, sa.Text).contains(ever, autoescape=True))
            else:
                conditions.append(column == _typed(name, column, resolved))
        day = on or await self._today(snapshot) if belonging else date.min
        items: list[dict[str, Any]] = []
        last = cursor.last
        while True:
            select = sa.select(table).where(*conditions, table.c.id > last).order_by(table.c.id).limit(limit + 1)
            things = await snapshot.all(self.entity, select)
            shown_now = await self.present(snapshot, things[:limit], reader)
            for thing, fields in zip(things, shown_now, strict=False):
                last = thing.id
                changed = self.on_day(thing, on) if on is not None and self.on_day else {}
                belongs = all(key in on_day(getattr(thing, spells), day) for spells, key in belonging)
                if belongs and changed is not None:
                    items.append(fields | changed)
                if len(items) == limit:
                    break
            more = len(things) > limit or (bool(things) and last != things[-1].id)
            if len(items) == limit or not more:
                return items, Cursor(last).text() if more else None

    def _add_history(self) -> None:
        may = require(f"{self.name}:read")

        async def endpoint(
            request: Request,
            ref: Reference,
            principal: Principal = Depends(may),
            limit: Limit = 50,
            cursor: Annotated[str | None, Query()] = None,
        ) -> Response:
            async def query(snapshot: Snapshot) -> Sequence[Sequence[Any]]:
                thing = await self.for_reader(snapshot, await snapshot.get(self.entity, ref), ref, principal)
                above = Cursor.read(cursor).number
                return await snapshot.rows(_HISTORY, subject=thing.subject, above=above, limit=limit + 1)

            records = await runtime_of(request).store.read(query)
            body = ",".join(
                f'{{"version":{version},"type":"{kind}","time":"{time}","data":{self._told(data)}}}'
                for version, kind, time, data in records[:limit]
            )
            following = Cursor(str(records[limit - 1][0])).text() if len(records) > limit else None
            end = "null" if following is None else f'"{following}"'
            return Response(
                f'{{"items":[{body}],"next":{end}}}',
                headers=link_next(request, following),
                media_type="application/json",
            )

        self.router.add_api_route(
            "/{ref}/history",
            endpoint,
            methods=["GET"],
            name=f"history_of_{self.called}",
            operation_id=f"history_of_{self.called}",
            summary=f"What happened to a {self._word}, event by event",
            openapi_extra=described(may, None, {200: HistoryItem}, page=True, missing=True),
        )

    def _told(self, data: str | None) -> str:
        """What an event says, as far as the history tells it."""
        if data is None or not self.untold:
            return data or "null"
        told = {name: value for name, value in from_json(data).items() if name not in self.untold}
        return to_json(told).decode()

    async def answer(self, tx: Tx, thing: N, status: int, reader: Principal) -> Answer:
        """A thing as the answer to a write."""
        (fields,) = await self.present(tx, [thing], reader)
        return Answer(status, as_json(fields), version_headers(thing))

    def _route(
        self,
        endpoint: Handler,
        path: str,
        method: str,
        operation: str,
        body: type[BaseModel] | None,
        status: int,
        documented: Handler | None,
        summary: str | None = None,
        also: int | None = None,
    ) -> None:
        doc = (documented.__doc__ or "").strip() if documented else ""
        may = require(f"{self.name}:{'read' if method == 'GET' else 'write'}")
        answers: dict[int, type[BaseModel] | None] = {status: self.read}
        if also is not None:
            answers[also] = self.read if also != 304 else None
        self.router.add_api_route(
            path,
            endpoint,
            methods=[method],
            name=operation,
            operation_id=operation,
            status_code=status,
            summary=summary or (doc.splitlines()[0].rstrip(".") if doc else operation.replace("_", " ")),
            description=doc,
            openapi_extra=described(may, body, answers, missing="{ref}" in path),
        )


class HistoryItem(BaseModel):
    """One event of a thing's history."""

    version: int
    type: str
    time: str
    data: dict[str, Any] | None


async def _day_of_the_clock(snapshot: Snapshot) -> date:
    return now().date()


def link(tx: Tx, thing: N, name: ExternalName) -> N:
    """Let another system's id lead to a thing."""
    known = thing.externals.get(name.source)
    if known == name.id:
        return thing
    if known is not None:
        raise Conflict(f"{name.source} already calls this {known!r}.")
    tx.name_externally(thing, name.source, name.id)
    thing.externals = thing.externals | {name.source: name.id}
    return tx.save(thing, linked_event(thing, name.source, name.id))


def fresh(entity: type[N], body: Named) -> dict[str, Any]:
    """The id and the external names of a new thing."""
    return {"id": new_id(entity.prefix or entity.kind), "externals": body.externals_by_source()}


def external_of(ref: str) -> ExternalName:
    """The two parts of `ext:<source>:<id>`; raises Invalid."""
    source, _, name = ref.removeprefix("ext:").partition(":")
    return parse(ExternalName, to_json({"source": source, "id": name}))


def _with_name(raw: bytes, name: ExternalName) -> bytes:
    sent = parse_object(raw)
    if sent.get("external") is None:
        sent["external"] = {"source": name.source, "id": name.id}
    elif sent["external"] != {"source": name.source, "id": name.id}:
        raise Invalid("The external in the body is not the one addressed.", [Fault("/external", "differs")])
    return to_json(sent)


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
