"""A collection of things behind `/v1/<name>`: how they are made, changed and shown, what can be done to them, and the
work behind the routes that follow from that (`collection_routes`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Generic, TypeVar, cast, get_type_hints

import sqlalchemy as sa
from fastapi import APIRouter, Header, Path, Query
from pydantic import BaseModel

from shared.errors import Conflict, Fault
from shared.events.common import linked_event
from shared.http.bodies import Body, ExternalName, Named, read_model, shown
from shared.http.problems import parse, parse_object
from shared.http.writes import Answer, as_json, version_headers
from shared.identity.permissions import Principal
from shared.ids import new_id
from shared.instant import now
from shared.store import Entity, Snapshot, Tx
from shared.store.entity import Referred
from shared.store.sql import table_of
from shared.store.tx import missing

N = TypeVar("N", bound=Entity)
Handler = Callable[..., Awaitable[Any]]
Present = Callable[[Snapshot, Sequence[Any], Principal | None], Awaitable[list[dict[str, Any]]]]
Readable = Callable[[Snapshot, Principal], Awaitable[sa.ColumnElement[bool] | None]]
"""Which things of a collection are for a reader: a condition on their columns, or none where all of them are."""
Resolve = Callable[[Tx, Any], Awaitable[Any]]
"""What a body says in a field, with the ids of ours of whatever it names."""
Beside = Callable[[Tx, Any, Principal], Awaitable[dict[str, Any]]]
"""What is told beside a thing to who has just written it, and to nobody else."""
Convert = Callable[[Snapshot, Sequence[Any], Principal | None, str], Awaitable[Sequence[Any]]]
"""What the money of things is in the currency asked for, for a reader: shown beside it as `converted`."""
Limit = Annotated[int, Query(ge=1, le=200, description="how many items at most")]
After = Annotated[list[str], Query(description="wait until these versions are here, `deal/<id>@7`; repeatable")]
Prefer = Annotated[str | None, Header(description="`wait=<seconds>`: how long to wait, default 5, at most 30")]
Reference = Annotated[str, Path(description="our id, or `ext:<source>:<id>`")]


@dataclass(frozen=True, slots=True)
class Act:
    """How things of a collection are made, or changed, and by which body."""

    run: Handler
    body: type[Named]


@dataclass(frozen=True, slots=True)
class Verb:
    """Something that can be done to a thing of a collection."""

    name: str
    run: Handler
    body: type[Body]
    undoes: bool
    replaces: bool = False
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
        convert: Convert | None = None,
        beside: Beside | None = None,
        resolved: Mapping[str, Resolve] | None = None,
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
        self.today = today or _day_of_the_clock
        self._present = present
        self.readable = readable
        self.convert = convert
        self._beside = beside
        self._resolved = dict(resolved or {})
        """Of things that never change: what a body says in fields that name others, as it would be stored."""
        self.creating: Act | None = None
        self.amending: Act | None = None
        self._link: Callable[[Tx, Any, ExternalName], Awaitable[Any]] | None = None

    # -- declaring ---------------------------------------------------------------------------------------------

    def create(self, handler: Handler) -> Handler:
        """`POST /v1/<name>`: `handler(tx, body)` makes the thing."""
        self.creating = Act(handler, get_type_hints(handler)["body"])
        return handler

    def amend(self, handler: Handler) -> Handler:
        """`PATCH` and the update half of `PUT`: `handler(tx, thing, body)` changes the fields sent."""
        self.amending = Act(handler, get_type_hints(handler)["body"])
        return handler

    def links(self, handler: Callable[[Tx, Any, ExternalName], Awaitable[Any]]) -> Any:
        """`POST /v1/<name>/{id}/externals`, where another system's id is not told like any other field."""
        self._link = handler
        return handler

    def verb(
        self, name: str, *, undoes: bool = False, replaces: bool = False, routed: bool = True
    ) -> Callable[[Handler], Handler]:
        """`POST /v1/<name>/{id}/<verb>`: `handler(tx, thing, body)`. One that undoes lets verbs be repeated, one that
        replaces what it did before only itself; one that is not routed is answered by a route of its own, and is a verb
        in a bulk all the same."""

        def register(handler: Handler) -> Handler:
            self.verbs[name] = Verb(name, handler, get_type_hints(handler)["body"], undoes, replaces, routed)
            return handler

        return register

    def route(self, endpoint: Handler, path: str, method: str, operation: str, **told: Any) -> None:
        """One of its routes, as the service's app takes it."""
        self.router.add_api_route(path, endpoint, methods=[method], name=operation, operation_id=operation, **told)

    # -- the work behind the routes ----------------------------------------------------------------------------

    async def present(
        self, snapshot: Snapshot, things: Sequence[N], reader: Principal | None, currency: str | None = None
    ) -> list[dict[str, Any]]:
        """Things as they are shown to a reader, what their money is in another currency beside them."""
        found = await self._present(snapshot, things, reader) if self._present else [shown(thing) for thing in things]
        if self.convert is None or currency is None:
            return found
        converted = await self.convert(snapshot, things, reader, currency)
        return [fields | {"converted": each} for fields, each in zip(found, converted, strict=True)]

    async def for_reader(self, snapshot: Snapshot, thing: N, ref: str, reader: Principal) -> N:
        """A thing that is for this reader; one that is not is as if it were not there. Raises NotFound."""
        condition = await self.readable(snapshot, reader) if self.readable else None
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
        allowed = await self.readable(snapshot, reader) if self.readable else None
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
        assert self.creating is not None
        body = parse(self.creating.body, raw)
        for name in body.names():
            if await tx.resolve(self.entity.kind, f"ext:{name.source}:{name.id}") is not None:
                raise Conflict(f"ext:{name.source}:{name.id} already names another {self.word}.")
        return cast(N, await self.creating.run(tx, body))

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
        if self.amending is None:
            return await self._unchanged(tx, thing, raw)
        body = parse(self.amending.body, raw)
        for name in body.names():
            known = thing.externals.get(name.source)
            if known is not None and known != name.id:
                raise Conflict(f"This {self.word} is called {known!r} by {name.source}, not {name.id!r}.")
        for name in body.names():
            await self.linked(tx, thing, name)
        return cast(N, await self.amending.run(tx, thing, body))

    async def linked(self, tx: Tx, thing: N, name: ExternalName) -> N:
        """A thing with what another system calls it; nothing changes if that is known."""
        if await tx.resolve(self.entity.kind, f"ext:{name.source}:{name.id}") not in (None, thing.id):
            raise Conflict(f"ext:{name.source}:{name.id} already names another {self.word}.")
        return cast(N, await self._link(tx, thing, name)) if self._link else link(tx, thing, name)

    async def _unchanged(self, tx: Tx, thing: N, raw: bytes) -> N:
        """A thing that is never changed by an update, if the body says what is already so."""
        assert self.creating is not None
        sent = parse_object(raw)
        (fields,) = await self.present(tx, [thing], None)
        have = parse_object(as_json(fields))
        names = self.creating.body.model_fields.keys() - {"external", "externals"}
        stored = {name: have[name] for name in names if have.get(name) is not None}
        # Read as the whole body, so that two ways of writing the same value are the same.
        said = parse_object(as_json(parse(self.creating.body, as_json(stored | sent)).model_dump(mode="json")))
        for field, value in said.items():
            if field in sent and field in self._resolved:
                value = await self._resolved[field](tx, value)
            if field not in names or field not in sent or value == have.get(field):
                continue
            if not await self._same_thing(tx, field, value, have.get(field)):
                raise Conflict(
                    f"This {self.word} is not changed once it is stored; {field} is {have.get(field)!r} and cannot"
                    f" become {value!r}. Correct it with a verb.",
                    [Fault(f"/{field}", "differs from what is stored")],
                )
        return thing

    async def _same_thing(self, tx: Tx, field: str, sent: Any, have: Any) -> bool:
        if isinstance(sent, str) and sent.startswith("ext:"):
            return bool(await tx.resolve(self.refs[field].kind if field in self.refs else field, sent) == have)
        return False

    @property
    def word(self) -> str:
        """What a person calls one of its things."""
        return self.entity.word or self.entity.kind

    async def answer(self, tx: Tx, thing: N, status: int, reader: Principal) -> Answer:
        """A thing as the answer to a write."""
        return Answer(status, as_json(await self.written(tx, thing, reader)), version_headers(thing))

    async def written(self, tx: Tx, thing: N, reader: Principal) -> dict[str, Any]:
        """A thing as it is shown to who has just written it."""
        (fields,) = await self.present(tx, [thing], reader)
        return fields | (await self._beside(tx, thing, reader) if self._beside else {})


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
