"""Many rows at once: good rows stay, each bad one is answered with its problem, in the order they were sent.

Rows arrive as NDJSON or as a JSON array and are answered as they are stored; groups of rows commit together.
"""

from __future__ import annotations

from asyncio import sleep as pause
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Any

from fastapi import Depends, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field
from pydantic_core import from_json, to_json

from shared.elsewhere import AskItsOwner
from shared.errors import Fault, IdempotencyMismatch, Invalid, OutcomeUnknown, Overloaded, Problem
from shared.http import heard
from shared.http.bodies import ExternalName
from shared.http.documents import described
from shared.http.problems import Internal, log, parse
from shared.http.rows import Row, groups_of
from shared.http.runtime import Runtime, runtime_of
from shared.http.writes import new_batch
from shared.identity.permissions import Principal, require
from shared.ids import fingerprint
from shared.instant import now
from shared.known import NotHeardOf
from shared.store import Context, Entity, Job, Store, Tx
from shared.store.entity import Referred
from shared.store.tables import KeptAnswer

if TYPE_CHECKING:
    from shared.http.collection import Collection

GROUP = 400
WHOLE = 20_000
PATIENCE = 4
LOOK_EVERY = 3
DEEP, FULL = 20_000, 100_000
"""From so many unsent events on a bulk slows down, and with so many it pauses longest."""
MOST_PAUSE = 2.0
_ASKED_ELSEWHERE = (AskItsOwner, NotHeardOf)
"""Why a row is decided later than the others of its group."""


class BulkAnswer(BaseModel):
    """What became of one row."""

    row: int = Field(description="its number, from 1")
    status: int
    id: str | None = None
    version: int | None = None
    problem: dict[str, Any] | None = None


class BulkRow(BaseModel, extra="allow"):
    """A row: a thing to create or update by its `external`, or a verb in `do` with the thing it is done to."""

    do: str | None = None
    key: str | None = Field(default=None, description="an idempotency key of the row")


def bulk_route(collection: Collection[Any]) -> None:
    """Give a collection its `POST /bulk`."""
    may = require(f"{collection.name}:write")

    async def endpoint(request: Request, principal: Principal = Depends(may)) -> Response:
        runtime = runtime_of(request)
        batch = new_batch(runtime)
        bulk = _Bulk(collection, principal, batch, request.scope.get("traceparent"))
        groups = groups_of(request, GROUP, runtime.settings.body_limit)
        first: list[Row] = await anext(groups, [])
        answers = bulk.answers(runtime, first, groups)
        head = await anext(answers, b"")

        async def stream() -> AsyncIterator[bytes]:
            if head:
                yield head
            async for chunk in answers:
                yield chunk

        headers = {"Concert-Batch": f"batch/{batch}"}
        if bulk.whole:
            # Everything has been stored before the first byte of the answer: the count can stand in a header.
            headers["Concert-Version"] = f"batch/{batch}@{bulk.events}"
        return _WhileReading(stream(), media_type="application/x-ndjson", headers=headers)

    collection.route(
        endpoint,
        "/bulk",
        "POST",
        f"bulk_{collection.name}",
        summary=f"Create, update and act on many {collection.name}",
        description=(
            "NDJSON or a JSON array of rows; answers NDJSON in the same order. The last line names the batch and how "
            "many events it made, for `?after=`."
        ),
        openapi_extra=described(may, BulkRow, {200: BulkAnswer}, ndjson=True),
    )


class _WhileReading(StreamingResponse):
    """An answer that is sent while the body is still being read: nothing else may take messages from the client."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.stream_response(send)


class _Bulk:
    """One bulk request while it is worked on."""

    def __init__(self, collection: Collection[Any], principal: Principal, batch: str, trace: str | None) -> None:
        self.collection = collection
        self.principal = principal
        self.batch = batch
        self.trace = trace
        self.events = 0
        self.whole = False
        self._row = 0
        self._waited = 0.0
        """Seconds, for word that did not come."""
        self._later: dict[str, Problem] | None = None
        """While a group is decided, by the names of things why a row of it is decided later; those after it are too."""
        self._named: dict[tuple[type[Referred], bool], set[str]] = {}

    async def answers(
        self, runtime: Runtime, first: list[Row], groups: AsyncIterator[list[Row]]
    ) -> AsyncIterator[bytes]:
        """The answers, line by line; short bodies are answered in one piece after all of it is stored."""
        kept, rows = [], first
        self.whole = True
        while rows:
            await _keep_pace(runtime, self._row)
            kept.append(await self._group(runtime, rows))
            rows = await anext(groups, [])
            if self.whole and self._row >= WHOLE and rows:
                self.whole = False
            if not self.whole:
                yield b"".join(kept)
                kept.clear()
        if self.whole:
            yield b"".join(kept)
        else:
            yield b'{"batch":"batch/%s@%d"}\n' % (self.batch.encode(), self.events)

    async def _group(self, runtime: Runtime, rows: list[Row]) -> bytes:
        moment = now()
        self._named.clear()
        self._later = {}
        jobs = [self._job(row, moment) for row in rows]
        try:
            _, *outcomes = await _stored(runtime.store, [Job(self._foresee, Context(moment)), *jobs])
            self._later = None
            outcomes = [await self._asked(runtime, *each) for each in zip(jobs, outcomes, strict=True)]
        except (Overloaded, OutcomeUnknown) as problem:
            # The rows before these are stored and answered: so are these, with what is known of them.
            outcomes = [problem] * len(rows)
        return b"".join(map(self._line, outcomes))

    def _job(self, row: Row, moment: datetime) -> Job[tuple[int, str, int, int]]:
        if isinstance(row, Problem):
            return Job(_raise(row), Context(moment))
        try:
            sent = from_json(row, allow_inf_nan=False)
            if not isinstance(sent, dict):
                raise Invalid("A row must be a JSON object.")
            verb, key = sent.pop("do", None), sent.pop("key", None)
            act = _act_of(sent, self.collection.entity.kind) if verb is not None else b""
            cause = cause_of(str(verb), act) if verb is not None else None
        except ValueError as error:
            return Job(_raise(Invalid(f"The row is not valid JSON: {error}.")), Context(moment))
        except Problem as problem:
            return Job(_raise(problem), Context(moment))
        self._note_names(sent)
        if verb is not None:
            run = self._act(str(verb), sent, act, cause)
        else:
            run = self._store(sent, row if key is None else to_json(sent))
        if key is not None:
            run = self._once(run, key, fingerprint(row))
        run = self._in_turn(run, _names_of(sent, self.collection.entity.kind))
        return Job(run, Context(moment, self.batch, self.trace, cause, self.principal))

    def _note_names(self, sent: dict[str, Any]) -> None:
        """Note which things a row speaks of, to fetch those of all rows of a group at once."""
        own, external = self.collection.entity, sent.get("external")
        refs: list[tuple[type[Referred], bool, Any]] = [(own, True, sent.get(own.kind))]
        if isinstance(external, dict):
            refs.append((own, True, f"ext:{external.get('source')}:{external.get('id')}"))
        refs += [(model, False, sent.get(field)) for field, model in self.collection.refs.items()]
        for model, change, ref in refs:
            if isinstance(ref, str) and "\0" not in ref:
                self._named.setdefault((model, change), set()).add(ref)

    async def _foresee(self, tx: Tx) -> None:
        for (model, change), refs in self._named.items():
            await tx.foresee(model, refs, change=change)

    def _store(self, sent: dict[str, Any], raw: bytes) -> Any:
        collection, principal = self.collection, self.principal

        async def run(tx: Tx) -> tuple[int, str, int, int]:
            if isinstance(sent.get("external"), dict):
                name = parse(ExternalName, to_json(sent["external"]))
                thing, made = await collection.upserted(tx, raw, name, principal)
            else:
                thing, made = await collection.made(tx, raw), True
            return 201 if made else 200, thing.id, thing.version, tx.job_events

        return run

    def _act(self, do: str, sent: dict[str, Any], act: bytes, cause: str | None) -> Any:
        collection = self.collection

        async def run(tx: Tx) -> tuple[int, str, int, int]:
            verb = collection.verbs.get(do)
            if verb is None:
                known = ", ".join(sorted(collection.verbs)) or "none"
                raise Invalid(f"{do!r} is not something that can be done to {collection.name}; known: {known}.",
                              [Fault("/do", "not known")])  # fmt: skip
            ref = sent.get(collection.entity.kind)
            if not isinstance(ref, str):
                raise Invalid(f"Say which {collection.entity.kind} is meant.",
                              [Fault(f"/{collection.entity.kind}", "this field is required")])  # fmt: skip
            body = parse(verb.body, act)
            thing: Entity = await collection.loaded(tx, ref, self.principal)
            if await _done_before(tx, collection, thing, cause):
                return 200, thing.id, thing.version, 0
            thing = await verb.run(tx, thing, body)
            return 200, thing.id, thing.version, tx.job_events

        return run

    def _in_turn(self, run: Any, names: Sequence[str]) -> Any:
        """What is to be done after an earlier row of the same thing, whatever that calls it, when that is decided later
        than its group."""

        async def in_turn(tx: Tx) -> tuple[int, str, int, int]:
            later = self._later
            if later:
                known = await self._known_as(tx, names)
                before = next((later[name] for name in known if name in later), None)
                if before is not None:
                    later.update(dict.fromkeys(known, before))
                    raise before
            try:
                answer: tuple[int, str, int, int] = await run(tx)
            except _ASKED_ELSEWHERE as asked:
                if later is not None:
                    later.update(dict.fromkeys(await self._known_as(tx, names), asked))
                raise
            return answer

        return in_turn

    async def _known_as(self, tx: Tx, names: Sequence[str]) -> list[str]:
        """What a row calls its thing, and our id for that, if there is one."""
        others = [name for name in names if name.startswith("ext:") and "\0" not in name]
        found = [await tx.resolve(self.collection.entity.kind, name) for name in others]
        return [*names, *(each for each in found if each is not None)]

    async def _asked(self, runtime: Runtime, job: Job[Any], outcome: Any) -> Any:
        """A row that names what only its owner knows, or what has not been heard of, is decided after the others of its
        group, once word has come. All of a bulk together wait no longer for word that does not come than one write."""
        if not isinstance(outcome, _ASKED_ELSEWHERE):
            return outcome
        began = monotonic()
        try:
            return await heard.decided(runtime, job, heard.PATIENCE - self._waited)
        except NotHeardOf as unknown:
            self._waited += monotonic() - began
            return unknown
        except Problem as problem:
            return problem

    def _once(self, run: Any, key: Any, asked: str) -> Any:
        async def once(tx: Tx) -> tuple[int, str, int, int]:
            if not isinstance(key, str) or not 0 < len(key) <= 255:
                raise Invalid("A key is a string of 1 to 255 characters.", [Fault("/key", "not a key")])
            kept = await tx.find(KeptAnswer, self.principal.subject, f"row {key}")
            if kept is not None:
                if kept.request != asked:
                    raise IdempotencyMismatch("This key was used for another row.")
                status, thing, version = from_json(kept.body)
                return status, thing, version, 0
            answer: tuple[int, str, int, int] = await run(tx)
            tx.add(
                KeptAnswer.make(
                    owner=self.principal.subject,
                    key=f"row {key}",
                    request=asked,
                    status=answer[0],
                    headers="{}",
                    body=to_json(answer[:3]).decode(),
                    at=tx.now,
                )
            )
            return answer

        return once

    def _line(self, outcome: Any) -> bytes:
        self._row += 1
        if isinstance(outcome, tuple):
            status, thing, version, events = outcome
            self.events += events
            return f'{{"row":{self._row},"status":{status},"id":"{thing}","version":{version}}}\n'.encode()
        if not isinstance(outcome, Problem):
            log.error("fault", row=self._row, exc_info=outcome)
            outcome = Internal("This row could not be stored; the fault has been written down.")
        answer = {"row": self._row, "status": outcome.status, "problem": outcome.document()}
        return to_json(answer, fallback=str) + b"\n"


async def _stored(store: Store, jobs: Sequence[Job[Any]]) -> list[Any]:
    """What became of the jobs; a store that is busy is asked a few times more."""
    for attempt in range(PATIENCE):
        try:
            return await store.write_all(jobs)
        except Overloaded:
            await pause(0.1 * 2**attempt)
    return await store.write_all(jobs)


async def _keep_pace(runtime: Runtime, row: int) -> None:
    """Let the relay come after: the deeper the outbox, the slower a bulk goes, but it goes on."""
    if runtime.relay is None or (row // GROUP) % LOOK_EVERY:
        return
    while (deep := await runtime.relay.depth(FULL)) > DEEP:
        await pause(MOST_PAUSE * (deep - DEEP) / (FULL - DEEP))
        if deep < FULL or not runtime.relay.moving:
            # Slowed down, not stopped: a log that cannot be reached must not stop those who write.
            return


def _act_of(sent: dict[str, Any], kind: str) -> bytes:
    return to_json({name: value for name, value in sent.items() if name != kind})


def _names_of(sent: dict[str, Any], kind: str) -> list[str]:
    """What a row calls the thing that it makes or does something to; nothing where it makes one without a name."""
    named, more = sent.get(kind), sent.get("externals")
    externals = [sent.get("external"), *(more if isinstance(more, list) else ())]
    found = [f"ext:{each.get('source')}:{each.get('id')}" for each in externals if isinstance(each, dict)]
    return [*found, named] if isinstance(named, str) else found


def cause_of(verb: str, body: bytes) -> str:
    """The name of an act: the same verb with the same body has the same name."""
    return f"{verb}:{fingerprint(to_json(sorted(from_json(body).items())) if body else b'')}"


async def _done_before(tx: Tx, collection: Collection[Any], thing: Entity, cause: str | None) -> bool:
    """Whether exactly this has been done to a thing, and not been undone or replaced since."""
    if cause is None:
        return False
    same = cause.partition(":")[0]
    undoing = tuple(f"{verb.name}:" for verb in collection.verbs.values()
                    if verb.undoes or (verb.replaces and verb.name == same))  # fmt: skip
    done = False
    for earlier in await tx.causes(thing):
        if earlier is None:
            continue
        if undoing and earlier.startswith(undoing):
            done = earlier == cause
        elif earlier == cause:
            done = True
    return done


def _raise(problem: Problem) -> Any:
    async def run(tx: Tx) -> None:
        raise problem

    return run
