"""One transaction of applying: the version rule judges each event, facts are folded, and all of it is stored together.

The next version is applied, an old one was seen, one too far ahead waits for its predecessor, another event under a
version already applied is a fork. An event that cannot be applied is parked and holds up its own subject only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, cast

import sqlalchemy as sa
from pydantic import ValidationError

from shared import traces
from shared.errors import OutcomeUnknown, Overloaded, Problem
from shared.events import Envelope, Event, read_as
from shared.facts import Cell, Fact, Facts, Moves
from shared.failpoints import point
from shared.ids import mark_of, shard_of
from shared.progress import Counted, count_progress
from shared.store import Tx
from shared.store.sql import OneOf
from shared.store.tables import Applied, Discarded, Erased, External, HeldEvent
from shared.store.tx import compiled

Reaction = Callable[[Tx, Any, Envelope], Awaitable[None]]
_held = HeldEvent.__table__.c  # type: ignore[attr-defined]
_HELD_OF = sa.select(HeldEvent).where(OneOf(_held.subject, "subjects"))
_erased = Erased.__table__.c  # type: ignore[attr-defined]
_ERASED = sa.select(_erased.subject).where(OneOf(_erased.subject, "subjects"))
_external = External.__table__.c  # type: ignore[attr-defined]
_UNNAME = sa.delete(External).where(
    _external.kind == sa.bindparam("of_kind"),
    _external.source == sa.bindparam("of_source"),
    _external.name == sa.bindparam("of_name"),
    _external.id == sa.bindparam("of_id"),
)
FAULTS = (Problem, ValueError, TypeError, KeyError, AttributeError, ArithmeticError, LookupError)


class Interests(Protocol):
    """What is done about events."""

    facts: dict[str, Facts[Any]]
    reactions: dict[type[Event], list[Reaction]]


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Who gives an event up, and why they accept that it is lost."""

    by: str = ""
    reason: str | None = None


class Poisoned(Exception):
    """An event that cannot be applied, and why."""

    def __init__(self, envelope: Envelope, reason: str) -> None:
        super().__init__(reason)
        self.envelope = envelope
        self.reason = reason


@dataclass(slots=True)
class _Folding:
    """The facts of one kind while a batch is applied: as they were, and as they become."""

    facts: dict[str, Fact]
    before: dict[str, Sequence[Sequence[Cell]]]
    names: dict[str, Mapping[str, str]]


class Round:
    """The state of one transaction of applying."""

    def __init__(self, tx: Tx, interests: Interests, poisoned: Mapping[str, str]) -> None:
        self.tx = tx
        self.interests = interests
        self.poisoned = poisoned
        self.applied: dict[str, Applied] = {}
        self.held: dict[str, list[HeldEvent]] = {}
        self.counted = Counted()
        self.moved: set[str] = set()
        """Of which subjects and bulks something has been stored."""
        self.given_up: list[Envelope] = []
        self._folding: dict[str, _Folding] = {}
        self._touched: set[str] = set()
        self._erased: set[str] = set()
        self._forgotten: set[str] = set()
        self._skipped: set[str] = set()
        self._new_held: dict[tuple[str, int, str], HeldEvent] = {}
        self._released: dict[tuple[str, int, str], HeldEvent] = {}

    async def open(self, subjects: Sequence[str]) -> None:
        """Lock what is known of these subjects, and fetch what is held for them and the facts about them."""
        blanks = [
            Applied.make(subject=subject, owner="", kind=subject.partition("/")[0], shard=shard_of(subject))
            for subject in subjects
        ]
        rows = await self.tx.locked(Applied, subjects, blanks)
        self.applied |= {row.subject: row for row in rows}
        erasable = [subject for subject in subjects if subject.startswith(f"{LATEST_WINS}/")]
        if erasable:
            self._erased |= {str(record[0]) for record in await self.tx.rows(_ERASED, subjects=erasable)}
        with_held = [row.subject for row in rows if row.held]
        if with_held:
            for each in await self.tx.all(HeldEvent, _HELD_OF, subjects=with_held):
                self.held.setdefault(each.subject, []).append(each)
        await self._open_facts(subjects)

    async def _open_facts(self, subjects: Sequence[str]) -> None:
        by_kind: dict[str, list[str]] = {}
        for subject in subjects:
            kind, _, key = subject.partition("/")
            by_kind.setdefault(kind, []).append(key)
        for kind, ids in sorted(by_kind.items()):
            keeper = self.interests.facts.get(kind)
            if keeper is not None:
                facts = await keeper.open(self.tx, sorted(ids))
                before = {key: keeper.contributions(fact) for key, fact in facts.items()}
                names = {key: _names_of(fact) for key, fact in facts.items()}
                folding = self._folding.setdefault(kind, _Folding({}, {}, {}))
                folding.facts.update(facts)
                folding.before.update(before)
                folding.names.update(names)

    async def judge(self, envelope: Envelope) -> None:
        """The version rule."""
        applied = self.applied[envelope.subject]
        self._touched.add(envelope.subject)
        if envelope.subject in self._erased:
            envelope = replace(envelope, data=None)
        if envelope.id in self.poisoned:
            await self._park(applied, envelope, self.poisoned[envelope.id])
        elif envelope.version < 1 or not envelope.id:
            await self._park(applied, envelope, "the record has no id or no sequence number")
        elif envelope.version <= applied.version:
            await self._seen(applied, envelope)
        elif latest_wins(envelope):
            await self._take(applied, envelope)
            self._release_older(applied)
        elif envelope.version == applied.version + 1 and not self._blocked(envelope.subject):
            await self._take(applied, envelope)
            await self.drain(envelope.subject)
        else:
            self._hold(applied, envelope, None)

    async def drain(self, subject: str) -> None:
        """Apply what waited for what has just been applied."""
        applied = self.applied[subject]
        while not self._blocked(subject):
            waiting = sorted(self.held.get(subject, []), key=lambda each: (each.version, each.id))
            if not waiting or waiting[0].version > applied.version + 1:
                return
            self._release(waiting[0])
            await self.judge(envelope_of_held(waiting[0]))

    async def retry(self, subject: str, given_up: GivenUp | None = None) -> None:
        """Judge the oldest parked event of a subject again, or give it up, and then those behind it."""
        applied = self.applied[subject]
        parked = sorted(
            (each for each in self.held.get(subject, []) if each.reason is not None), key=lambda each: each.version
        )
        if parked:
            self._release(parked[0])
            envelope = envelope_of_held(parked[0])
            if given_up is None:
                await self.judge(envelope)
            else:
                self._skip(applied, envelope, given_up)
                self.given_up.append(envelope)
        await self.drain(subject)

    @property
    def newly_held(self) -> Collection[HeldEvent]:
        """The events that could not be applied, or wait, since this transaction."""
        return self._new_held.values()

    async def store(self) -> Round:
        """Write everything that has become different, in sorted order."""
        tx, moves = self.tx, Moves()
        touched = self._touched | self._forgotten
        for kind, folding in sorted(self._folding.items()):
            keeper = self.interests.facts[kind]
            for key, fact in sorted(folding.facts.items()):
                if f"{kind}/{key}" in touched:
                    after = keeper.contributions(fact)
                    for sums, gone, come in zip(keeper.tables, folding.before[key], after, strict=True):
                        moves.move(sums, gone, come)
                    tx.put(fact)
                    await _rename(tx, fact, folding.names[key])
        for subject in sorted(self._touched):
            tx.put(self.applied[subject])
        for row in self._new_held.values():
            tx.put(row)
        for row in self._released.values():
            tx.remove(row)
        await tx.flush()
        await moves.store(tx)
        await count_progress(tx, self.counted)
        point("applier.applied")
        self.moved = self._touched | {f"batch/{batch}" for batch in self.counted.batches}
        return self

    def _blocked(self, subject: str) -> bool:
        return any(each.reason is not None for each in self.held.get(subject, ()))

    async def _park(self, applied: Applied, envelope: Envelope, reason: str) -> None:
        """Hold an event up, unless it has been given up before: the log is read anew, and it is as it was."""
        before = await self.tx.find(Discarded, envelope.subject, envelope.version, envelope.id)
        if before is None:
            self._hold(applied, envelope, reason)
        elif before.id in self._skipped or (before.lacking and envelope.version <= applied.version):
            # It is counted as given up already; now the log has brought it twice.
            self.counted.add(_owner(envelope), "seen")
        else:
            self._skip(applied, envelope, GivenUp(before.by, before.reason), at=before.at)
            await self.drain(envelope.subject)

    def _skip(self, applied: Applied, envelope: Envelope, given_up: GivenUp, at: datetime | None = None) -> None:
        if envelope.version == applied.version + 1:
            self._step(applied, envelope, "skipped")
        else:
            self.counted.add(_owner(envelope), "skipped")
        self._skipped.add(envelope.id)
        self.tx.put(Discarded.make(
            subject=envelope.subject, version=envelope.version, id=envelope.id, type=envelope.type,
            source=envelope.source, time=envelope.time, by=given_up.by, reason=given_up.reason, at=at or self.tx.now,
        ))  # fmt: skip

    async def _seen(self, applied: Applied, envelope: Envelope) -> None:
        if not latest_wins(envelope) and _short(envelope.id) != applied.ids[8 * (envelope.version - 1) :][:8]:
            reason = f"fork: version {envelope.version} of {envelope.subject} was applied from another event"
            await self._park(applied, envelope, reason)
        else:
            self.counted.add(_owner(envelope), "seen")

    async def _take(self, applied: Applied, envelope: Envelope) -> None:
        try:
            await self._effect(envelope)
        except (Poisoned, OutcomeUnknown, Overloaded, OSError):
            raise
        except FAULTS as fault:
            raise Poisoned(envelope, reason_of(fault)) from fault
        self._step(applied, envelope, "applied")

    def _step(self, applied: Applied, envelope: Envelope, what: str) -> None:
        missing = envelope.version - applied.version - 1
        applied.owner = _owner(envelope)
        applied.version = envelope.version
        applied.mark = mark_of(envelope.subject, envelope.version)
        if not latest_wins(envelope):
            applied.ids += bytes(8) * missing + _short(envelope.id)
        self.counted.add(applied.owner, what)
        self.counted.note(applied.owner, envelope)

    async def _effect(self, envelope: Envelope) -> None:
        folding = self._folding.get(envelope.kind)
        declared = read_as(envelope.type) or Event
        reactions = self.interests.reactions.get(declared, ())
        if folding is None and not reactions and not declared.erases:
            return
        if envelope.data is None and latest_wins(envelope):
            if folding is not None:
                _forget(folding.facts[envelope.key])
            return
        event = envelope.open()
        if folding is not None:
            self.interests.facts[envelope.kind].fold(folding.facts[envelope.key], event)
        if declared.erases:
            await self._erase(f"{declared.erases}/{envelope.key}")
        for reaction in reactions:
            await react(reaction, self.tx, event, envelope)

    async def _erase(self, subject: str) -> None:
        """Forget a subject, and whatever the log may yet bring of it: behind a tombstone that the log has dropped, what
        was sent twice would come to life again."""
        if subject not in self.applied:
            await self.open([subject])
        self._erased.add(subject)
        self.tx.put(Erased.make(subject=subject))
        for each in list(self.held.get(subject, ())):
            self._release(each)
        kind, _, key = subject.partition("/")
        folding = self._folding.get(kind)
        if folding is not None:
            _forget(folding.facts[key])
            self._forgotten.add(subject)

    def _hold(self, applied: Applied, envelope: Envelope, reason: str | None) -> None:
        held = self.held.setdefault(applied.subject, [])
        if any(each.version == envelope.version and each.id == envelope.id for each in held):
            self.counted.add(_owner(envelope), "seen")
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
            since=self.tx.now,
        )
        held.append(row)
        applied.held += 1
        key = (row.subject, row.version, row.id)
        # What is parked again after it was taken out must not be removed at the end.
        self._released.pop(key, None)
        self._new_held[key] = row

    def _release(self, held: HeldEvent) -> None:
        self.held[held.subject].remove(held)
        self.applied[held.subject].held -= 1
        self._touched.add(held.subject)
        key = (held.subject, held.version, held.id)
        if self._new_held.pop(key, None) is None:
            self._released[key] = held

    def _release_older(self, applied: Applied) -> None:
        """Where the latest version says all, what is held of older ones is of no use, and may be personal."""
        for each in list(self.held.get(applied.subject, ())):
            if each.version <= applied.version:
                self._release(each)


async def react(reaction: Reaction, tx: Tx, event: Event, envelope: Envelope) -> None:
    """Do what an event obliges to; what is told of it carries on the trace of the event."""
    trace = traces.known(envelope.trace)
    with traces.carrying(trace, event_id=envelope.id), tx.carrying_on(trace):
        await reaction(tx, event, envelope)


def reason_of(fault: Exception) -> str:
    """Why an event cannot be applied, for whoever has to mend it; where one is not as declared, and how."""
    if isinstance(fault, ValidationError):
        faults = (f"/{'/'.join(map(str, each['loc']))}: {each['msg']}" for each in fault.errors(include_url=False))
        return f"it is not as it is declared ({'; '.join(faults)})"
    return f"{type(fault).__name__}: {fault}"


LATEST_WINS = "person"
"""The kind of which each version says everything, so that any higher one may be applied."""


def latest_wins(envelope: Envelope) -> bool:
    """Whether each version says everything, so that any higher one may be applied."""
    return envelope.kind == LATEST_WINS


def envelope_of_held(held: HeldEvent) -> Envelope:
    """A held event as it came."""
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


def _names_of(fact: Fact) -> Mapping[str, str]:
    """What other systems call the thing a fact is about."""
    return cast("Mapping[str, str]", fact.__dict__.get("externals") or {})


async def _rename(tx: Tx, fact: Fact, before: Mapping[str, str]) -> None:
    """Keep the references `ext:<source>:<id>` in step with a fact."""
    after = _names_of(fact)
    if after == before:
        return
    kind = fact.names or fact.kind
    for source, name in before.items():
        if after.get(source) != name:
            # Only if it still leads here: the name may have passed to another thing whose event came first.
            statement = compiled(_UNNAME, tx.session.dialect)
            gone = {"of_kind": kind, "of_source": source, "of_name": name, "of_id": fact.id}
            await tx.execute(statement, [statement.values(gone)])
    for source, name in after.items():
        if before.get(source) != name:
            tx.put(External.make(kind=kind, source=source, name=name, id=fact.id))


def _owner(envelope: Envelope) -> str:
    # Of people only the latest version counts, so their events are no measure of how far an owner's log was read.
    return "people" if latest_wins(envelope) else envelope.source.strip("/")


def _short(event_id: str) -> bytes:
    """Eight bytes that stand for an event."""
    try:
        return bytes.fromhex(event_id[:16]).ljust(8, b"\0")
    except ValueError:
        return event_id.encode()[:8].ljust(8, b"\0")


def _forget(fact: Fact) -> None:
    """Leave nothing of a person but that there was one."""
    blank = type(fact).make(id=fact.id, shard=fact.shard)
    for name, value in blank.content().items():
        setattr(fact, name, value)
