"""Many rows at once: good rows stay, each bad one is answered with its problem, in the order they were sent.

Rows arrive as NDJSON or as a JSON array and are answered as they are stored; groups of rows commit together.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from fastapi import Depends, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field
from pydantic_core import from_json, to_json

from shared.errors import Fault, IdempotencyMismatch, Invalid, Problem, TooLarge
from shared.http.bodies import ExternalName
from shared.http.documents import described
from shared.http.problems import Internal, log, parse
from shared.http.runtime import runtime_of
from shared.identity.permissions import Principal, require
from shared.ids import fingerprint, new_id
from shared.instant import now
from shared.store import Context, Entity, Job, Tx
from shared.store.tables import KeptAnswer

if TYPE_CHECKING:
    from shared.http.collection import Collection

GROUP = 200
MAX_ROW = 256 * 1024
MAX_ARRAY = 16 * 1024 * 1024
WHOLE = 20_000


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
        batch = f"{runtime.service}-{new_id('b')[2:]}"
        bulk = _Bulk(collection, principal, batch, request.scope.get("traceparent"))
        groups = _groups(request)
        first: list[bytes] = await anext(groups, [])
        answers = bulk.answers(request, first, groups)
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
        return StreamingResponse(stream(), media_type="application/x-ndjson", headers=headers)

    collection.router.add_api_route(
        "/bulk",
        endpoint,
        methods=["POST"],
        name=f"bulk_{collection.name}",
        operation_id=f"bulk_{collection.name}",
        summary=f"Create, update and act on many {collection.name}",
        description=(
            "NDJSON or a JSON array of rows; answers NDJSON in the same order. The last line names the batch and how "
            "many events it made, for `?after=`."
        ),
        openapi_extra=described(may, BulkRow, {200: BulkAnswer}, ndjson=True),
    )


async def _groups(request: Request) -> AsyncIterator[list[bytes]]:
    """The rows of a body, as they arrive, in groups."""
    rest, group, size = b"", [], 0
    begun = False
    async for chunk in request.stream():
        rest += chunk
        if not begun:
            rest = rest.lstrip(b"\xef\xbb\xbf \t\r\n")
            if not rest:
                continue
            begun = True
            if rest[:1] == b"[":
                async for rows in _array(request, rest):
                    yield rows
                return
        *lines, rest = rest.split(b"\n")
        if len(rest) > MAX_ROW:
            raise TooLarge(f"A row has more than {MAX_ROW} bytes.")
        for line in lines:
            if line.strip():
                group.append(line)
                size += 1
            if size == GROUP:
                yield group
                group, size = [], 0
    if rest.strip():
        group.append(rest)
    if group:
        yield group


async def _array(request: Request, begun: bytes) -> AsyncIterator[list[bytes]]:
    """The rows of a JSON array; it is read whole, so it may not be as long as NDJSON may."""
    whole = bytearray(begun)
    async for chunk in request.stream():
        whole += chunk
        if len(whole) > MAX_ARRAY:
            raise TooLarge(f"A JSON array may have {MAX_ARRAY} bytes; send more rows as NDJSON, one a line.")
    try:
        rows = from_json(bytes(whole), allow_inf_nan=False)
    except ValueError as error:
        raise Invalid(f"The body is not valid JSON: {error}.") from error
    for start in range(0, len(rows), GROUP):
        yield [to_json(row) for row in rows[start : start + GROUP]]


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

    async def answers(
        self, request: Request, first: list[bytes], groups: AsyncIterator[list[bytes]]
    ) -> AsyncIterator[bytes]:
        """The answers, line by line; short bodies are answered in one piece after all of it is stored."""
        store = runtime_of(request).store
        kept, rows = [], first
        self.whole = True
        while rows:
            kept.append(await self._group(store, rows))
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

    async def _group(self, store: Any, rows: list[bytes]) -> bytes:
        moment = now()
        outcomes = await store.write_all([self._job(row, moment) for row in rows])
        return b"".join(map(self._line, outcomes))

    def _job(self, row: bytes, moment: Any) -> Job[tuple[int, str, int, int]]:
        try:
            sent = from_json(row, allow_inf_nan=False)
            if not isinstance(sent, dict):
                raise Invalid("A row must be a JSON object.")
            verb, key = sent.pop("do", None), sent.pop("key", None)
            cause = cause_of(str(verb), _act_of(sent, self.collection.entity.kind)) if verb is not None else None
        except ValueError as error:
            return Job(_raise(Invalid(f"The row is not valid JSON: {error}.")), Context(moment))
        except Problem as problem:
            return Job(_raise(problem), Context(moment))
        run = self._act(str(verb), sent, cause) if verb is not None else self._store(sent)
        if key is not None:
            run = self._once(run, key, fingerprint(row))
        return Job(run, Context(moment, self.batch, self.trace, cause))

    def _store(self, sent: dict[str, Any]) -> Any:
        collection = self.collection

        async def run(tx: Tx) -> tuple[int, str, int, int]:
            raw = to_json(sent)
            if isinstance(sent.get("external"), dict):
                name = parse(ExternalName, to_json(sent["external"]))
                thing, made = await collection.upserted(tx, raw, name)
            else:
                thing, made = await collection.made(tx, raw), True
            return 201 if made else 200, thing.id, thing.version, tx.job_events

        return run

    def _act(self, do: str, sent: dict[str, Any], cause: str | None) -> Any:
        collection = self.collection

        async def run(tx: Tx) -> tuple[int, str, int, int]:
            verb = collection.verbs.get(do)
            if verb is None:
                known = ", ".join(sorted(collection.verbs)) or "none"
                raise Invalid(f"{do!r} is not something that can be done to {collection.name}; known: {known}.",
                              [Fault("/do", "not known")])  # fmt: skip
            ref = sent.pop(collection.entity.kind, None)
            if not isinstance(ref, str):
                raise Invalid(f"Say which {collection.entity.kind} is meant.",
                              [Fault(f"/{collection.entity.kind}", "this field is required")])  # fmt: skip
            body = parse(verb.body, to_json(sent))
            thing: Entity = await tx.load(collection.entity, ref)
            if await _done_before(tx, collection, thing, cause):
                return 200, thing.id, thing.version, 0
            thing = await verb.run(tx, thing, body)
            return 200, thing.id, thing.version, tx.job_events

        return run

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


def _act_of(sent: dict[str, Any], kind: str) -> bytes:
    return to_json({name: value for name, value in sent.items() if name != kind})


def cause_of(verb: str, body: bytes) -> str:
    """The name of an act: the same verb with the same body has the same name."""
    return f"{verb}:{fingerprint(to_json(sorted(from_json(body).items())) if body else b'')}"


async def _done_before(tx: Tx, collection: Collection[Any], thing: Entity, cause: str | None) -> bool:
    """Whether exactly this has been done to a thing, and not been undone since."""
    undoing = tuple(f"{verb.name}:" for verb in collection.verbs.values() if verb.undoes)
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
