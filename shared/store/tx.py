"""Reading and writing: a `Snapshot` only reads, a `Tx` also loads things to change and saves them with their events.

Writes are collected and go to the database together when the transaction ends, so several requests can share one
durable commit. Nothing a job did remains when it is refused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

import sqlalchemy as sa

from shared.errors import Conflict, NotFound, TooLarge
from shared.events import Event
from shared.ids import event_id
from shared.store.entity import Entity, Referred, Row
from shared.store.sql import SQLITE, OneOf, Statement, Table, Values, table_of
from shared.store.tables import External, Journal
from shared.store.types import text_of

if TYPE_CHECKING:
    from shared.identity.permissions import Principal

MAX_EVENT_BYTES = 256 * 1024
MOST_COMPILED = 2_000

T = TypeVar("T")
N = TypeVar("N", bound=Entity)
R = TypeVar("R", bound=Row)
F = TypeVar("F", bound=Referred)
Record = Sequence[Any]


class Session(Protocol):
    """A connection with an open transaction, on either engine."""

    dialect: sa.Dialect

    async def fetch(self, statement: Statement, values: Values) -> Sequence[Record]:
        """Run a query."""

    async def execute(self, statement: Statement, rows: Sequence[Values]) -> None:
        """Run a statement once for each of the rows."""


@dataclass(frozen=True, slots=True)
class Context:
    """On whose behalf and in which larger piece of work a job runs; it becomes part of its events' postage."""

    now: datetime
    batch: str | None = None
    trace: str | None = None
    cause: str | None = None
    principal: Principal | None = None
    """Who asks, where somebody does."""
    told: Mapping[str, Any] = field(default_factory=dict)
    """What other services were asked for it and have told, by the path; none where there is no such thing."""

    @property
    def member(self) -> str | None:
        """The member who asks, where it is a member: nobody may do everything to what is their own."""
        return self.principal.member if self.principal is not None else None


@dataclass(frozen=True, slots=True)
class Job(Generic[T]):
    """A piece of work inside a transaction: all of it is stored, or nothing."""

    run: Callable[[Tx], Awaitable[T]]
    context: Context


_compiled: dict[tuple[int, str], tuple[Any, Statement]] = {}


def compiled(core: Any, dialect: sa.Dialect) -> Statement:
    """A module-level statement, compiled once; statements built per request go through `Snapshot.rows`."""
    key = (id(core), dialect.name)
    found = _compiled.get(key)
    if found is None or found[0] is not core:
        if len(_compiled) >= MOST_COMPILED:
            # Somebody builds statements per request and gives them parameters: they must not pile up.
            _compiled.clear()
        found = _compiled[key] = (core, Statement(core, dialect))
    return found[1]


_shapes: dict[tuple[str, Any], Statement] = {}


def _ready(core: Any, dialect: sa.Dialect, parameters: Mapping[str, Any]) -> tuple[Statement, Values]:
    """A statement in the words of a dialect, with its values. One that is built per request, its values inside, is
    compiled once for all that differ in nothing but these."""
    if parameters:
        statement = compiled(core, dialect)
        return statement, statement.values(parameters)
    shape = core._generate_cache_key()
    if shape is None or any(each.expanding for each in shape.bindparams):
        statement = Statement(core, dialect)
        return statement, statement.values()
    found = _shapes.get((dialect.name, shape.key))
    if found is None:
        if len(_shapes) >= MOST_COMPILED:
            _shapes.clear()
        found = _shapes[dialect.name, shape.key] = Statement(core, dialect, shape=shape)
    return found, found.values(found.constants_of(shape))


class Snapshot:
    """What a service knows at one moment; every read of one snapshot speaks of the same state."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._externals: dict[tuple[str, str], str | None] = {}
        self._recalled: dict[tuple[type[Row], Any], Row | None] = {}

    async def rows(self, core: Any, **parameters: Any) -> Sequence[Record]:
        """The records of a Core select. Statements that take parameters are compiled once and kept."""
        statement, values = _ready(core, self.session.dialect, parameters)
        records = await self.session.fetch(statement, values)
        return records if statement.plain else [statement.read(record) for record in records]

    async def scalar(self, core: Any, **parameters: Any) -> Any:
        """The one value of a Core select, or none."""
        records = await self.rows(core, **parameters)
        return records[0][0] if records else None

    async def all(self, model: type[R], core: Any, **parameters: Any) -> list[R]:
        """The rows of a table that a select of that whole table names."""
        statement, values = _ready(core, self.session.dialect, parameters)
        table = table_of(model, self.session.dialect)
        records = await self.session.fetch(statement, values)
        return [cast(R, table.row(record)) for record in records]

    async def resolve(self, kind: str, ref: str) -> str | None:
        """Our id for a reference: an id of ours as it is, `ext:<source>:<id>` by what that system calls it."""
        if not ref.startswith("ext:"):
            return ref
        key = (kind, ref)
        if key not in self._externals:
            source, _, name = ref[4:].partition(":")
            self._externals[key] = await self.scalar(_BY_EXTERNAL, kind=kind, source=source, name=name)
        return self._externals[key]

    async def find(self, model: type[R], *key: Any) -> R | None:
        """The row with this primary key, or none."""
        table = table_of(model, self.session.dialect)
        values = dict(zip((f"key_{name}" for name in table.keys), key, strict=True))
        records = await self.session.fetch(table.select, table.select.values(values))
        return cast(R, table.row(records[0])) if records else None

    async def recall(self, model: type[R], key: Any) -> R | None:
        """The row with this key, read once: for rows that this transaction does not change."""
        place = (model, key)
        if place not in self._recalled:
            self._recalled[place] = await self.find(model, key)
        return cast("R | None", self._recalled[place])

    async def look_up(self, model: type[F], ref: str) -> F | None:
        """The row that a reference names, read once: for rows that this transaction does not change."""
        if ref.startswith("ext:") and (model.kind, ref) not in self._externals:
            found = await self._named(model, ref, lock=False)
            if found is not None:
                self._recalled[model, self._externals[model.kind, ref]] = found
            return found
        key = await self.resolve(model.kind, ref)
        return await self.recall(model, key) if key is not None else None

    async def _named(self, model: type[F], ref: str, *, lock: bool) -> F | None:
        """The row that another system's name leads to, by one query."""
        dialect = self.session.dialect
        table, statement = table_of(model, dialect), _by_name(model, dialect, lock)
        source, _, name = ref[4:].partition(":")
        values = statement.values({"kind": model.kind, "source": source, "name": name})
        records = await self.session.fetch(statement, values)
        if not records:
            return None
        found = cast(F, table.row(records[0]))
        self._externals[model.kind, ref] = found.__dict__[table.keys[0]]
        return found

    async def get(self, model: type[N], ref: str) -> N:
        """The thing a reference names; raises NotFound."""
        key = await self.resolve(model.kind, ref)
        found = await self.find(model, key) if key is not None else None
        if found is None:
            raise missing(model, ref)
        return found


def missing(model: type[Entity], ref: str) -> NotFound:
    """The problem of naming something that is not there."""
    return NotFound(f"There is no {model.word or model.kind} {ref}.")


@dataclass(slots=True)
class _Pending:
    """What waits to be written, in the order in which tables were first touched."""

    new: dict[tuple[type[Row], str], Entity] = field(default_factory=dict)
    changed: dict[tuple[type[Row], str], Entity] = field(default_factory=dict)
    added: list[Row] = field(default_factory=list)
    put: list[Row] = field(default_factory=list)
    removed: list[Row] = field(default_factory=list)
    journal: list[Journal] = field(default_factory=list)


class Tx(Snapshot):
    """A transaction that jobs run in, one after the other."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._known: dict[tuple[type[Row], str], Entity] = {}
        self._pending = _Pending()
        self._undo: list[Callable[[], None]] = []
        self._context: Context | None = None
        self._told: dict[str, list[str | None]] = {}
        self.flushed_in_job = False
        self.events = 0
        self.job_events = 0

    @property
    def context(self) -> Context:
        """The context of the job that is running."""
        assert self._context is not None, "a transaction is used through a job"
        return self._context

    @property
    def now(self) -> datetime:
        """The moment the running job was asked for."""
        return self.context.now

    async def run(self, job: Job[T]) -> T:
        """Run one job; when it raises, all it had begun is forgotten."""
        self._undo.clear()
        self._context, self.flushed_in_job, self.job_events = job.context, False, 0
        try:
            return await job.run(self)
        except BaseException:
            for step in reversed(self._undo):
                step()
            raise

    @contextmanager
    def carrying_on(self, trace: str | None) -> Iterator[None]:
        """Let what is told until the end be part of a trace, whatever the running job is part of."""
        before = self.context
        self._context = replace(before, trace=trace)
        try:
            yield
        finally:
            self._context = before

    async def causes(self, entity: Entity) -> list[str | None]:
        """The causes of all events of a thing, oldest first, those of this transaction included."""
        told = self._told.get(entity.subject, [])
        if len(told) == entity.version:
            return told
        records = await super().rows(_CAUSES, subject=entity.subject)
        return [*(record[0] for record in records), *told]

    async def execute(self, statement: Statement, rows: Sequence[Values]) -> None:
        """Run a prepared statement now; for bookkeeping that is not a thing with a version."""
        self.flushed_in_job = True
        await self.session.execute(statement, rows)

    async def load(self, model: type[N], ref: str) -> N:
        """A thing to change; on PostgreSQL it is locked until the end. Raises NotFound."""
        found = await self.seek(model, ref)
        if found is None:
            raise missing(model, ref)
        return found

    async def seek(self, model: type[N], ref: str) -> N | None:
        """A thing to change, or none."""
        found: N | None = None
        if ref.startswith("ext:") and (model.kind, ref) not in self._externals:
            found = await self._named(model, ref, lock=True)
            # A thing and its names are stored together: what is not found has no name here either.
            key = self._externals.setdefault((model.kind, ref), None)
        else:
            key = await self.resolve(model.kind, ref)
        if key is None:
            return None
        known = self._known.get((model, key))
        if known is not None:
            self._remember(known)
            return cast(N, known)
        if found is None:
            table = table_of(model, self.session.dialect)
            records = await self.session.fetch(table.locked, (key,))
            if not records:
                return None
            found = cast(N, table.row(records[0]))
        self._know(found)
        return found

    async def foresee(self, model: type[Referred], refs: Iterable[str], *, change: bool) -> None:
        """Fetch at once what the jobs that follow will ask for one by one: what references name, and those rows; on
        PostgreSQL they are locked if they will be changed."""
        session, table, kind = self.session, table_of(model, self.session.dialect), model.kind
        unknown = {ref for ref in refs if ref.startswith("ext:") and (kind, ref) not in self._externals}
        if unknown:
            names = compiled(_BY_EXTERNALS, session.dialect)
            values = names.values({"kind": kind, "names": sorted({ref[4:].partition(":")[2] for ref in unknown})})
            found = {f"ext:{source}:{name}": key for source, name, key in await session.fetch(names, values)}
            self._externals.update({(kind, ref): found.get(ref) for ref in unknown})
        keys = {self._externals[kind, ref] if ref.startswith("ext:") else ref for ref in refs}
        have = self._known.keys() if change else self._known.keys() | self._recalled.keys()
        wanted = sorted(key for key in keys if key is not None and (model, key) not in have)
        if not wanted:
            return
        statement = table.several_locked if change else table.several
        for record in await session.fetch(statement, statement.values({"keys": wanted})):
            row = table.row(record)
            if change:
                self._know(cast(Entity, row))
            else:
                self._recalled[model, row.__dict__[table.keys[0]]] = row

    async def get(self, model: type[N], ref: str) -> N:
        """The thing a reference names, as this transaction sees it; raises NotFound."""
        key = await self.resolve(model.kind, ref)
        known = self._known.get((model, key)) if key is not None else None
        return cast(N, known) if known is not None else await super().get(model, ref)

    async def seek_unlocked(self, model: type[N], ref: str) -> N | None:
        """A thing that is only looked at, as this transaction sees it, or none."""
        found = await self.look_up(model, ref)
        # What this transaction has made or changed is known by its id, and a name it has given leads there.
        key = found.id if found is not None else self._externals.get((model.kind, ref), ref)
        known = self._known.get((model, key)) if key is not None else None
        return cast(N, known) if known is not None else found

    async def locked(self, model: type[R], keys: Sequence[str], blanks: Sequence[R]) -> list[R]:
        """The rows with these (first) keys, in order and locked until the end; missing ones begin as the blanks."""
        table = table_of(model, self.session.dialect)
        statement = table.several_locked
        values = statement.values({"keys": keys})
        rows = [cast(R, table.row(record)) for record in await self.session.fetch(statement, values)]
        have = {tuple(row.__dict__[key] for key in table.keys) for row in rows}
        missing = [blank for blank in blanks if tuple(blank.__dict__[key] for key in table.keys) not in have]
        if not missing:
            return rows
        if self.session.dialect is SQLITE:
            return rows + missing
        # Inserted before they are locked, or two who begin the same row would each believe to have it alone.
        await self.execute(table.begin, [table.parameters(blank, table.begin) for blank in missing])
        return [cast(R, table.row(record)) for record in await self.session.fetch(statement, values)]

    def save(self, entity: N, event: Event | None) -> N:
        """Store a change together with the event that tells of it. No event means that nothing changed."""
        if event is None:
            return entity
        place = (type(entity), entity.id)
        if entity.version == 0:
            self._know(entity)
            self._pending.new[place] = entity
            self._undo.append(lambda: self._forget_new(place))
            for source, name in entity.externals.items():
                self.name_externally(entity, source, name)
        elif place not in self._pending.new and place not in self._pending.changed:
            self._pending.changed[place] = entity
            self._undo.append(lambda: cast(None, self._pending.changed.pop(place, None)))
        entity.advance()
        self._tell(entity, event)
        return entity

    def name_externally(self, entity: Entity, source: str, name: str) -> None:
        """Let another system's name lead to this thing; two things cannot share one."""
        key = (entity.kind, f"ext:{source}:{name}")
        if self._externals.get(key) not in (None, entity.id):
            raise Conflict(f"{key[1]} already names another {entity.word or entity.kind}.")
        before = self._externals.get(key)
        self._externals[key] = entity.id
        self._undo.append(lambda: self._forget_name(key, before))
        self.add(External.make(kind=entity.kind, source=source, name=name, id=entity.id))

    def unname_externally(self, entity: Entity, source: str) -> None:
        """Let what another system called this thing lead nowhere any more."""
        name = entity.externals[source]
        key = (entity.kind, f"ext:{source}:{name}")
        before = self._externals.get(key)
        self._externals[key] = None
        self._undo.append(lambda: self._forget_name(key, before))
        self.remove(External.make(kind=entity.kind, source=source, name=name, id=entity.id))

    def add(self, row: Row) -> None:
        """Insert a row that is not a thing of its own."""
        self._collect(self._pending.added, row)

    def put(self, row: Row) -> None:
        """Insert a row or replace the one with its key."""
        self._collect(self._pending.put, row)

    def remove(self, row: Row) -> None:
        """Delete the row with this row's key."""
        self._collect(self._pending.removed, row)

    async def rows(self, core: Any, **parameters: Any) -> Sequence[Record]:
        """The records of a Core select, what this transaction has written so far included."""
        if self._has_pending() and core is not _BY_EXTERNAL:
            await self.flush()
        return await super().rows(core, **parameters)

    async def all(self, model: type[R], core: Any, **parameters: Any) -> list[R]:
        """The rows a select names, what this transaction has written so far included."""
        if self._has_pending():
            await self.flush()
        return await super().all(model, core, **parameters)

    async def flush(self) -> None:
        """Send what was collected to the database."""
        pending, self._pending = self._pending, _Pending()
        self.flushed_in_job = True
        dialect = self.session.dialect
        for rows, statement in _statements(pending, dialect):
            await self.session.execute(statement, rows)
        self.events += len(pending.journal)

    def collected(self) -> list[tuple[list[Values], Statement]]:
        """What waits to be written, as statements; for engines that can combine them."""
        pending, self._pending = self._pending, _Pending()
        self.events += len(pending.journal)
        return list(_statements(pending, self.session.dialect))

    def _collect(self, rows: list[R], row: R) -> None:
        rows.append(row)
        self._undo.append(lambda: _drop(rows, row))

    def _has_pending(self) -> bool:
        pending = self._pending
        return bool(
            pending.journal or pending.new or pending.changed or pending.added or pending.put or pending.removed
        )

    def _know(self, entity: Entity) -> None:
        place = (type(entity), entity.id)
        self._known[place] = entity
        self._undo.append(lambda: cast(None, self._known.pop(place, None)))

    def _remember(self, entity: Entity) -> None:
        before = dict(entity.__dict__)

        def restore() -> None:
            entity.__dict__.clear()
            entity.__dict__.update(before)

        self._undo.append(restore)

    def _forget_name(self, key: tuple[str, str], before: str | None) -> None:
        # Without a name before, the database is asked again: "not asked yet" must not become "not there".
        del self._externals[key]
        if before is not None:
            self._externals[key] = before

    def _forget_new(self, place: tuple[type[Row], str]) -> None:
        self._pending.new.pop(place, None)

    def _tell(self, entity: Entity, event: Event) -> None:
        data = event.to_json()
        if data is not None and len(data) > MAX_EVENT_BYTES:
            raise TooLarge(f"This change is {len(data)} bytes long as an event; at most {MAX_EVENT_BYTES} are taken.")
        context = self.context
        row = Journal.make(
            subject=entity.subject,
            version=entity.version,
            id=event_id(),
            type=event.type,
            topic=event.topic,
            time=text_of(context.now),
            batch=context.batch,
            trace=context.trace,
            cause=context.cause,
            data=None if data is None else data.decode(),
        )
        self._collect(self._pending.journal, row)
        told = self._told.setdefault(entity.subject, [])
        told.append(context.cause)
        self._undo.append(lambda: cast(None, told.pop()))
        self.job_events += 1


def _drop(rows: list[R], row: R) -> None:
    # By identity and from the end: a job undoes its own rows, which are the youngest.
    for index in range(len(rows) - 1, -1, -1):
        if rows[index] is row:
            del rows[index]
            return


def _statements(pending: _Pending, dialect: sa.Dialect) -> Iterable[tuple[list[Values], Statement]]:
    def by_table(rows: Iterable[Row]) -> Iterable[tuple[Table, list[Row]]]:
        groups: dict[type[Row], list[Row]] = {}
        for row in rows:
            groups.setdefault(type(row), []).append(row)
        return ((table_of(model, dialect), group) for model, group in groups.items())

    def of(rows: Iterable[Row], name: str) -> Iterable[tuple[list[Values], Statement]]:
        for table, group in by_table(rows):
            statement: Statement = getattr(table, name)
            yield [table.parameters(row, statement) for row in group], statement

    changed: list[Entity] = sorted(pending.changed.values(), key=lambda entity: entity.subject)
    yield from of(changed, "update")
    # First what goes: a name may pass from one thing to another.
    yield from of(pending.removed, "delete")
    yield from of(pending.new.values(), "insert")
    yield from of(pending.added, "insert")
    yield from of(pending.put, "upsert")
    yield from of(pending.journal, "insert")


_external = External.__table__.c  # type: ignore[attr-defined]
_BY_EXTERNAL = sa.select(_external.id).where(
    _external.kind == sa.bindparam("kind"),
    _external.source == sa.bindparam("source"),
    _external.name == sa.bindparam("name"),
)


@cache
def _by_name(model: type[Row], dialect: sa.Dialect, lock: bool) -> Statement:
    table = table_of(model, dialect).table
    select = sa.select(table).where(
        table.c.id == _external.id,
        _external.kind == sa.bindparam("kind"),
        _external.source == sa.bindparam("source"),
        _external.name == sa.bindparam("name"),
    )
    return Statement(select.with_for_update(of=table) if lock and dialect is not SQLITE else select, dialect)


_BY_EXTERNALS = sa.select(_external.source, _external.name, _external.id).where(
    _external.kind == sa.bindparam("kind"), OneOf(_external.name, "names")
)
_journal = Journal.__table__.c  # type: ignore[attr-defined]
_CAUSES = sa.select(_journal.cause).where(_journal.subject == sa.bindparam("subject")).order_by(_journal.version)
__all__ = ["SQLITE", "Context", "Job", "Session", "Snapshot", "Tx", "compiled", "missing"]
