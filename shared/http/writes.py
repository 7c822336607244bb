"""One way for every write: the body is judged, the verb decides, state and event are committed, then it is answered.

`Idempotency-Key` is kept in the same transaction as the write, so a retry finds either both or neither.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import Request
from fastapi.responses import Response
from pydantic_core import from_json, to_json

from shared.errors import IdempotencyInFlight, IdempotencyMismatch, Invalid, Problem, StaleVersion, VersionRequired
from shared.http.heard import decided
from shared.http.problems import MEDIA_TYPE, problem_response
from shared.http.runtime import Runtime, runtime_of
from shared.identity.permissions import Principal
from shared.ids import fingerprint, new_id
from shared.instant import now
from shared.store import Context, Entity, Job, Tx
from shared.store.tables import KeptAnswer

JSON = "application/json"
MAX_KEY = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """What a write is answered with."""

    status: int
    body: bytes = b""
    headers: dict[str, str] | None = None

    def response(self) -> Response:
        """The answer over HTTP."""
        media = MEDIA_TYPE if self.status >= 400 else JSON
        if self.status == 204:
            return Response(status_code=204, headers=self.headers)
        return Response(self.body, self.status, self.headers, media)


def as_json(value: Any) -> bytes:
    """A value as the body of an answer."""
    return to_json(value, fallback=lambda each: each.as_json())


def new_batch(runtime: Runtime) -> str:
    """A name for the events that one request makes."""
    return f"{runtime.service}-{new_id('b')[2:]}"


def batch_headers(tx: Tx) -> dict[str, str]:
    """The header that names all events which a job has made so far; none without a batch, or without events."""
    batch = tx.context.batch
    return {"Concert-Version": f"batch/{batch}@{tx.job_events}"} if batch and tx.job_events else {}


def version_headers(entity: Entity) -> dict[str, str]:
    """The headers that name the version a resource has."""
    return {"ETag": f'"{entity.version}"', "Concert-Version": f"{entity.subject}@{entity.version}"}


def is_known(headers: Mapping[str, str], if_none_match: str | None) -> bool:
    """Whether who asks has what these headers name already, and need not be sent it again."""
    return if_none_match is not None and (headers["ETag"] in if_none_match or if_none_match.strip() == "*")


async def write(
    request: Request,
    principal: Principal,
    decide: Callable[[Tx], Awaitable[Answer]],
    *,
    body: bytes = b"",
    cause: str | None = None,
    batch: str | None = None,
) -> Response:
    """Run a decision in a transaction and answer after it is durable; its events belong to a batch, if one is named."""
    runtime = runtime_of(request)
    key = request.headers.get("idempotency-key")
    asked = fingerprint(f"{request.method} {request.url.path}?{request.url.query}\n".encode() + body)
    context = Context(now(), batch, request.scope.get("traceparent"), cause, principal)
    if key is None:
        return (await decided(runtime, Job(decide, context))).response()
    if not 0 < len(key) <= MAX_KEY:
        raise Invalid(f"An Idempotency-Key has 1 to {MAX_KEY} characters; this one has {len(key)}.")
    place = (principal.subject, key)
    if place in runtime.in_flight:
        raise IdempotencyInFlight("The first request with this key is still being answered; ask again in a second.")
    runtime.in_flight.add(place)
    try:
        return await _write_once(request, place, asked, decide, context)
    finally:
        runtime.in_flight.discard(place)


async def _write_once(
    request: Request,
    place: tuple[str, str],
    asked: str,
    decide: Callable[[Tx], Awaitable[Answer]],
    context: Context,
) -> Response:
    runtime = runtime_of(request)

    async def once(tx: Tx) -> Answer:
        kept = await tx.find(KeptAnswer, *place)
        if kept is not None:
            return _again(kept, asked)
        answer = await decide(tx)
        tx.add(_kept(place, asked, answer, context))
        return answer

    try:
        return (await decided(runtime, Job(once, context))).response()
    except (IdempotencyMismatch, IdempotencyInFlight):
        raise
    except Problem as problem:
        if problem.status >= 500:
            raise
        refusal = problem_response(problem, request)
        refused = Answer(refusal.status_code, bytes(refusal.body), _form_of(refusal))

        async def keep(tx: Tx) -> Answer:
            # Another replica may have answered the same request meanwhile: then that is the answer.
            kept = await tx.find(KeptAnswer, *place)
            if kept is not None:
                return _again(kept, asked)
            tx.add(_kept(place, asked, refused, context))
            return refused

        return (await runtime.store.write(Job(keep, context))).response()


def _kept(place: tuple[str, str], asked: str, answer: Answer, context: Context) -> KeptAnswer:
    return KeptAnswer.make(
        owner=place[0],
        key=place[1],
        request=asked,
        status=answer.status,
        headers=to_json(answer.headers or {}).decode(),
        body=answer.body.decode(),
        at=context.now,
    )


def _form_of(refusal: Response) -> dict[str, str] | None:
    """What the headers must say of a refusal that is no problem document."""
    return None if refusal.media_type == MEDIA_TYPE else {"Content-Type": str(refusal.media_type)}


def _again(kept: KeptAnswer, asked: str) -> Answer:
    if kept.request != asked:
        raise IdempotencyMismatch("Send the same body again, or use a new key for another request.")
    return Answer(kept.status, kept.body.encode(), from_json(kept.headers))


class Versioned(Protocol):
    """Something whose changes are counted."""

    @property
    def version(self) -> int | str:
        """The version, as ETags have it."""


def expect(request: Request, entity: Versioned | None, *, required: bool = False) -> None:
    """Hold the writer to the version they decided on."""
    given = request.headers.get("if-match")
    if entity is None:
        if given is not None:
            raise StaleVersion("There is nothing here yet that the change could have been decided on.")
        return
    if given is None:
        if required:
            raise VersionRequired(f'Send If-Match: "{entity.version}" to change version {entity.version}.')
        return
    tags = [tag.strip() for tag in given.split(",")]
    if "*" not in tags and f'"{entity.version}"' not in tags:
        raise StaleVersion(f'This is version "{entity.version}" now; the change was decided on {given}.')
