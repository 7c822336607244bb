"""Applying what other services tell: each event once, in the order of its subject, whatever the log does.

The version rule decides for each event: the next version is applied, an old one was seen, one too far ahead waits for
its predecessor, another event under a version already applied is a fork. The position on the log lives in the
transaction of the effects. An event that cannot be applied parks its own subject and blocks no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import sqlalchemy as sa
import structlog

from shared.bus import Bus, Message
from shared.errors import OutcomeUnknown, Overloaded, Problem
from shared.events import Envelope, Event
from shared.facts import Cell, Fact, Facts, Moves
from shared.ids import mark_of, shard_of
from shared.instant import now
from shared.postage import envelope_of
from shared.store import Context, Job, Row, Store, Tx
from shared.store.sql import OneOf, Statement, table_of
from shared.store.tables import Applied, BatchProgress, External, HeldEvent, Position, SourceProgress

log = structlog.get_logger(__name__)
Reaction = Callable[[Tx, Any, Envelope], Awaitable[None]]
MAX_PARKS_A_MINUTE = 100
_held = HeldEvent.__table__.c  # type: ignore[attr-defined]
_HELD_OF = sa.select(HeldEvent).where(OneOf(_held.subject, "subjects"))


class Subscriptions:
    """What a service wants to hear: facts it keeps of others, and what it is obliged to do."""

    def __init__(self, *topics: str) -> None:
        self.topics = topics
        self.facts: dict[str, Facts[Any]] = {}
        self.reactions: dict[type[Event], list[Reaction]] = {}

    def keep(self, *facts: Facts[Any]) -> None:
        """Keep these facts."""
        for each in facts:
            self.facts[each.kind] = each

    def on(self, event: type[Event]) -> Callable[[Reaction], Reaction]:
        """Do something about an event, in the transaction that applies it."""

        def register(reaction: Reaction) -> Reaction:
            self.reactions.setdefault(event, []).append(reaction)
            return reaction

        return register


class Poisoned(Exception):
    """An event that cannot be applied, and why."""

    def __init__(self, event_id: str, reason: str) -> None:
        super().__init__(reason)
        self.event_id = event_id
        self.reason = reason


class StoppedForSafety(Exception):
    """So many events were parked within a minute that the fault must be here, not in them."""


@dataclass(slots=True)
class _Folding:
    """The facts of one kind while a batch is applied: as they were, and as they become."""

    facts: dict[str, Fact]
    before: dict[str, Sequence[Cell]]
    names: dict[str, Mapping[str, str]]


@dataclass(slots=True)
class _Round:
    """The state of one transaction of applying."""

    tx: Tx
    poisoned: Mapping[str, str]
    applied: dict[str, Applied]
    held: dict[str, list[HeldEvent]]
    folding: dict[str, _Folding] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    latest: dict[str, str] = field(default_factory=dict)
    batches: dict[str, int] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    new_held: dict[tuple[str, int, str], HeldEvent] = field(default_factory=dict)
    released: list[HeldEvent] = field(default_factory=list)

    def count(self, owner: str, what: str) -> None:
        """One more event of an owner applied, seen or skipped."""
        counts = self.counts.setdefault(owner, {"applied": 0, "seen": 0, "skipped": 0})
        counts[what] += 1


class Consumer:
    """The one applier of a service's database."""

    def __init__(self, store: Store, bus: Bus, subscriptions: Subscriptions) -> None:
        self.store = store
        self.bus = bus
        self.subscriptions = subscriptions
        self.moved: Callable[[], None] = lambda: None
        self.caught_up = False
        self.failure: str | None = None
        self._parks: list[float] = []

    async def run(self) -> None:
        """Follow the log for ever from where the database says it stands."""
        start = await self.store.read(lambda snapshot: _positions(snapshot))
        async for messages in self.bus.messages(self.subscriptions.topics, start):
            self.caught_up = not messages
            if messages:
                await self.apply(messages)

    async def apply(self, messages: Sequence[Message]) -> None:
        """Apply a batch in one transaction; waits and repeats while the database cannot be reached."""
        poisoned: dict[str, str] = {}
        pause = 0.05
        while True:
            try:
                await self.store.write(Job(lambda tx: self._apply(tx, messages, poisoned), Context(now())))
                self.failure = None
                break
            except Poisoned as poison:
                poisoned[poison.event_id] = poison.reason
                self._note_park(poison)
            except (OutcomeUnknown, Overloaded, OSError) as failure:
                self.failure = f"events cannot be applied: {failure}"
                log.warning("applying_waits", reason=str(failure))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5)
        self.moved()

    async def replay(self, subject: str) -> None:
        """Try what is held for a subject again, oldest first."""
        await self._with_poison(lambda tx, poisoned: self._replay(tx, subject, poisoned))

    async def discard(self, subject: str) -> None:
        """Give the parked event of a subject up: it is recorded as skipped and those behind it are released."""
        await self._with_poison(lambda tx, poisoned: self._replay(tx, subject, poisoned, skip_first=True))

    async def _with_poison(self, work: Callable[[Tx, dict[str, str]], Awaitable[None]]) -> None:
        poisoned: dict[str, str] = {}
        while True:
            try:
                await self.store.write(Job(lambda tx: work(tx, poisoned), Context(now())))
                break
            except Poisoned as poison:
                poisoned[poison.event_id] = poison.reason
        self.moved()

    def _note_park(self, poison: Poisoned) -> None:
        moment = asyncio.get_running_loop().time()
        self._parks = [at for at in self._parks if at > moment - 60] + [moment]
        log.error("event_parked", event_id=poison.event_id, reason=poison.reason)
        if len(self._parks) > MAX_PARKS_A_MINUTE:
            raise StoppedForSafety(f"more than {MAX_PARKS_A_MINUTE} events were parked within a minute")

    async def _apply(self, tx: Tx, messages: Sequence[Message], poisoned: Mapping[str, str]) -> None:
        fresh = await _advance_positions(tx, messages)
        envelopes = [envelope_of(message.record) for message in fresh]
        work = await self._round(tx, sorted({each.subject for each in envelopes}), envelopes, poisoned)
        for envelope in envelopes:
            await self._judge(work, envelope)
        await self._store(work)

    async def _replay(self, tx: Tx, subject: str, poisoned: Mapping[str, str], *, skip_first: bool = False) -> None:
        work = await self._round(tx, [subject], [], poisoned)
        applied = work.applied[subject]
        held = sorted(work.held.get(subject, []), key=lambda each: (each.version, each.reason is None))
        parked = next((each for each in held if each.reason is not None), None)
        if parked is not None:
            self._release(work, parked)
            envelope = _envelope_of(parked)
            if not skip_first:
                await self._judge(work, envelope)
            elif envelope.version == applied.version + 1:
                self._step(work, applied, envelope, "skipped")
            else:
                work.count(applied.owner, "skipped")
        await self._drain(work, applied)
        await self._store(work)

    async def _round(
        self, tx: Tx, subjects: list[str], envelopes: Sequence[Envelope], poisoned: Mapping[str, str]
    ) -> _Round:
        table = table_of(Applied, tx.session.dialect)
        records = await tx.session.fetch(table.several_locked, table.several_locked.values({"keys": subjects}))
        applied = {str(record[0]): table.row(record) for record in records}
        held: dict[str, list[HeldEvent]] = {}
        with_held = [subject for subject, row in applied.items() if row.held]  # type: ignore[attr-defined]
        if with_held:
            for each in await tx.all(HeldEvent, _HELD_OF, subjects=with_held):
                held.setdefault(each.subject, []).append(each)
        work = _Round(tx, poisoned, applied, held)  # type: ignore[arg-type]
        for envelope in envelopes:
            if envelope.subject not in applied:
                work.applied[envelope.subject] = Applied.make(
                    subject=envelope.subject,
                    owner=_owner(envelope),
                    kind=envelope.kind,
                    shard=shard_of(envelope.subject),
                )
        await self._open_facts(work, list(work.applied.values()))
        return work

    async def _open_facts(self, work: _Round, subjects: Sequence[Applied]) -> None:
        by_kind: dict[str, list[str]] = {}
        for each in subjects:
            by_kind.setdefault(each.kind, []).append(each.subject.partition("/")[2])
        for kind, ids in sorted(by_kind.items()):
            keeper = self.subscriptions.facts.get(kind)
            if keeper is not None:
                facts = await keeper.open(work.tx, sorted(ids))
                before = {key: keeper.cells(fact) for key, fact in facts.items()}
                names = {key: _names_of(fact) for key, fact in facts.items()}
                work.folding[kind] = _Folding(facts, before, names)

    async def _judge(self, work: _Round, envelope: Envelope) -> None:
        """The version rule."""
        applied = work.applied[envelope.subject]
        work.touched.add(envelope.subject)
        blocked = any(each.reason is not None for each in self._all_held(work, envelope.subject))
        if envelope.id in work.poisoned:
            self._hold(work, applied, envelope, work.poisoned[envelope.id])
        elif envelope.version < 1 or not envelope.id:
            self._hold(work, applied, envelope, "the record has no id or no sequence number")
        elif envelope.version <= applied.version:
            self._seen(work, applied, envelope)
        elif _latest_wins(envelope) or (envelope.version == applied.version + 1 and not blocked):
            await self._take(work, applied, envelope)
            await self._drain(work, applied)
        else:
            self._hold(work, applied, envelope, None)

    def _seen(self, work: _Round, applied: Applied, envelope: Envelope) -> None:
        if not _latest_wins(envelope) and _short(envelope.id) != applied.ids[8 * (envelope.version - 1) :][:8]:
            reason = f"fork: version {envelope.version} of {envelope.subject} was applied from another event"
            self._hold(work, applied, envelope, reason)
            return
        work.count(applied.owner, "seen")

    async def _take(self, work: _Round, applied: Applied, envelope: Envelope) -> None:
        try:
            await self._effect(work, envelope)
        except (Poisoned, OutcomeUnknown, Overloaded, OSError):
            raise
        except (Problem, ValueError, TypeError, KeyError, AttributeError, ArithmeticError, LookupError) as fault:
            raise Poisoned(envelope.id, f"{type(fault).__name__}: {fault}") from fault
        self._step(work, applied, envelope, "applied")

    def _step(self, work: _Round, applied: Applied, envelope: Envelope, what: str) -> None:
        missing = envelope.version - applied.version - 1
        applied.version = envelope.version
        applied.mark = mark_of(envelope.subject, envelope.version)
        applied.ids += bytes(8) * missing + _short(envelope.id)
        work.count(applied.owner, what)
        work.latest[applied.owner] = max(work.latest.get(applied.owner, ""), envelope.time)
        if envelope.batch:
            work.batches[envelope.batch] = work.batches.get(envelope.batch, 0) + 1

    async def _effect(self, work: _Round, envelope: Envelope) -> None:
        folding = work.folding.get(envelope.kind)
        if folding is None and not self.subscriptions.reactions:
            return
        if envelope.data is None and _latest_wins(envelope):
            if folding is not None:
                _forget(folding.facts[envelope.key])
            return
        event = envelope.open()
        if folding is not None:
            self.subscriptions.facts[envelope.kind].fold(folding.facts[envelope.key], event)
        for reaction in self.subscriptions.reactions.get(type(event), ()):
            await reaction(work.tx, event, envelope)

    async def _drain(self, work: _Round, applied: Applied) -> None:
        """Apply what waited for what has just been applied."""
        while True:
            held = self._all_held(work, applied.subject)
            if any(each.reason is not None for each in held):
                return
            following = next((each for each in held if each.version <= applied.version + 1), None)
            if following is None:
                return
            self._release(work, following)
            await self._judge(work, _envelope_of(following))

    def _all_held(self, work: _Round, subject: str) -> list[HeldEvent]:
        return work.held.get(subject, [])

    def _hold(self, work: _Round, applied: Applied, envelope: Envelope, reason: str | None) -> None:
        held = work.held.setdefault(applied.subject, [])
        if any(each.version == envelope.version and each.id == envelope.id for each in held):
            work.count(applied.owner, "seen")
            return
        row = HeldEvent.make(
            subject=envelope.subject,
            version=envelope.version,
            id=envelope.id,
            type=envelope.type,
            source=envelope.source,
            time=envelope.time,
            batch=envelope.batch,
            trace=envelope.trace,
            data=envelope.data,
            reason=reason,
            since=work.tx.now,
        )
        held.append(row)
        applied.held += 1
        work.new_held[row.subject, row.version, row.id] = row

    def _release(self, work: _Round, held: HeldEvent) -> None:
        work.held[held.subject].remove(held)
        work.applied[held.subject].held -= 1
        work.touched.add(held.subject)
        if work.new_held.pop((held.subject, held.version, held.id), None) is None:
            work.released.append(held)

    async def _store(self, work: _Round) -> None:
        tx, moves = work.tx, Moves()
        for kind, folding in sorted(work.folding.items()):
            keeper = self.subscriptions.facts[kind]
            for key, fact in sorted(folding.facts.items()):
                if f"{kind}/{key}" in work.touched:
                    moves.move(keeper.sums, folding.before[key], keeper.cells(fact))
                    tx.put(fact)
                    _rename(tx, fact, folding.names[key])
        for subject in sorted(work.touched):
            tx.put(work.applied[subject])
        for row in work.new_held.values():
            tx.put(row)
        for row in work.released:
            tx.remove(row)
        await tx.flush()
        await moves.store(tx)
        await _count_progress(work)


def _names_of(fact: Fact) -> Mapping[str, str]:
    """What other systems call the thing a fact is about."""
    return cast("Mapping[str, str]", fact.__dict__.get("externals") or {})


def _rename(tx: Tx, fact: Fact, before: Mapping[str, str]) -> None:
    """Keep the references `ext:<source>:<id>` in step with a fact."""
    after = _names_of(fact)
    if after == before:
        return
    kind = fact.names or fact.kind
    for source, name in before.items():
        if after.get(source) != name:
            tx.remove(External.make(kind=kind, source=source, name=name, id=fact.id))
    for source, name in after.items():
        if before.get(source) != name:
            tx.put(External.make(kind=kind, source=source, name=name, id=fact.id))


def _owner(envelope: Envelope) -> str:
    # Of people only the latest version counts, so their events are no measure of how far an owner's log was read.
    return "people" if _latest_wins(envelope) else envelope.source.strip("/")


def _latest_wins(envelope: Envelope) -> bool:
    return envelope.kind == "person"


def _short(event_id: str) -> bytes:
    return bytes.fromhex(event_id[:16]) if len(event_id) >= 16 and _is_hex(event_id[:16]) else event_id.encode()[:8]


def _is_hex(text: str) -> bool:
    return all(letter in "0123456789abcdef" for letter in text)


def _forget(fact: Fact) -> None:
    """Leave nothing of a person but that there was one."""
    blank = type(fact).make(id=fact.id, shard=fact.shard)
    for name, value in blank.content().items():
        setattr(fact, name, value)


def _envelope_of(held: HeldEvent) -> Envelope:
    return Envelope(
        id=held.id,
        type=held.type,
        subject=held.subject,
        version=held.version,
        time=held.time,
        source=held.source,
        data=held.data,
        batch=held.batch,
        trace=held.trace,
    )


async def _positions(snapshot: Any) -> dict[tuple[str, int], int]:
    rows = await snapshot.all(Position, sa.select(Position))
    return {(row.topic, row.partition): row.next_offset for row in rows}


async def _advance_positions(tx: Tx, messages: Sequence[Message]) -> list[Message]:
    """Move the positions past these messages; those that lie before the stored position were applied before."""
    table = table_of(Position, tx.session.dialect)
    topics = sorted({message.record.topic for message in messages})
    records = await tx.session.fetch(table.several_locked, table.several_locked.values({"keys": topics}))
    stored = {(row.topic, row.partition): row for row in map(table.row, records)}  # type: ignore[attr-defined]
    fresh = []
    for message in messages:
        place = (message.record.topic, message.partition)
        position = stored.get(place)
        if position is None:
            position = stored[place] = Position.make(topic=place[0], partition=place[1])
        if message.offset >= position.next_offset:
            position.next_offset, position.last_offset = message.offset + 1, message.offset
            position.last_id = dict(message.record.headers).get("ce_id", "")
            fresh.append(message)
    for position in stored.values():
        tx.put(position)
    return fresh


async def _count_progress(work: _Round) -> None:
    tx = work.tx
    batches = [{"id": batch, "applied": count} for batch, count in sorted(work.batches.items())]
    await _add(tx, BatchProgress, batches)
    owners = [
        {"owner": owner, **counts, "latest": work.latest.get(owner, "")}
        for owner, counts in sorted(work.counts.items())
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
    await tx.session.execute(statement, [statement.values(row) for row in rows])


def _adding_statement(model: type[Row], dialect: sa.Dialect) -> Statement:
    from shared.store.sql import insert_into

    table = table_of(model, dialect)
    insert = insert_into(table.table, dialect)
    changes: dict[str, Any] = {}
    for column in table.table.columns:
        if column.primary_key:
            continue
        given = insert.excluded[column.name]
        if isinstance(column.type, sa.Integer):
            changes[column.name] = column + given
        else:
            changes[column.name] = sa.case((given > column, given), else_=column)
    return Statement(insert.on_conflict_do_update(index_elements=table.keys, set_=changes), dialect, table.columns)


def waiting_alarm(held: HeldEvent, moment: Any) -> bool:
    """Whether an event has waited for its predecessor so long that something is wrong: a minute."""
    return held.reason is None and bool(moment - held.since > timedelta(seconds=60))
