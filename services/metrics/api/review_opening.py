"""Opening a review: what a number means and is made of, and what the team says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from services.metrics.api.reviews import reviews, sight_of
from services.metrics.domain.reviews import Review
from services.metrics.review.catalogue import MEASURES, defined
from services.metrics.review.opened import Meaning, opened
from services.metrics.review.opened_findings import meaning_of, parts_of
from services.metrics.review.seen import as_seen, may_open
from services.metrics.review.thresholds import Rules
from services.metrics.stream.readers import collection_of
from services.metrics.views.shown import today_of
from shared.errors import Fault, NotFound
from shared.http.bodies import Body, Text
from shared.http.collection import Reference
from shared.http.documents import described
from shared.http.problems import parse
from shared.http.runtime import runtime_of
from shared.http.writes import Answer, expect, write
from shared.identity.permissions import Principal, require
from shared.store import Snapshot, Tx

__all__ = ["reviews"]
_READ = require("reviews:read")
Reader = Annotated[Principal, Depends(_READ)]


class SayOfReview(Body):
    """What somebody of the team, or who leads it, says of a review."""

    text: Text = Field(min_length=1)
    kind: Literal["comment", "objection"] = "comment"
    about: str | None = Field(default=None, max_length=300, description="a JSON Pointer to the number it is about")


class Explained(BaseModel):
    """What a number of a review means, what it is made of, and the things whose events are behind it."""

    path: str
    value: Any
    definition: dict[str, Any] | None
    figures: dict[str, str | None] = Field(description="of the table of options: by name what it is computed from")
    parts: list[str] = Field(description="paths of the numbers it is made of")
    sources: list[dict[str, str | None]] = Field(description="each thing, and where its events are told")


@reviews.router.post("/{ref}/comments", operation_id="comment_on_review",
                     openapi_extra=described(_READ, SayOfReview, {200: reviews.read}, missing=True))  # fmt: skip
async def comment_on_review(request: Request, ref: Reference, principal: Reader) -> Response:
    """Say something of a review: whoever it is for may."""
    raw = await request.body()
    body = parse(SayOfReview, raw)

    async def decide(tx: Tx) -> Answer:
        review = await reviews.loaded(tx, ref, principal)
        expect(request, review)
        return await reviews.answer(tx, await said_of(tx, review, body, principal), 200, principal)

    return await write(request, principal, decide, body=raw)


async def said_of(tx: Tx, review: Review, body: SayOfReview, writer: Principal) -> Review:
    """A review with what somebody says of it. Raises NotFound for a number that is not for them."""
    if body.about is not None:
        await explained(tx, review, body.about, writer)
    on = await today_of(tx, tx.now)
    return tx.save(review, review.comment(body.text, on=on, by=writer.member, kind=body.kind, about=body.about))


@reviews.router.get("/{ref}/explain", operation_id="explain_review",
                    openapi_extra=described(_READ, None, {200: Explained}, missing=True))  # fmt: skip
async def explain_review(
    request: Request,
    ref: Reference,
    principal: Reader,
    path: Annotated[str, Query(description="a JSON Pointer into the document", examples=["/measures/team/TP4"])],
) -> Response:
    """What a number of a review means and is made of, down to the things whose events are behind it."""

    async def query(snapshot: Snapshot) -> dict[str, Any]:
        review = await reviews.for_reader(snapshot, await snapshot.get(Review, ref), ref, principal)
        return await explained(snapshot, review, path, principal)

    found = await runtime_of(request).store.read(query)
    return Response(to_json(found), media_type="application/json")


async def explained(snapshot: Snapshot, review: Review, path: str, reader: Principal) -> dict[str, Any]:
    """What a number of a review means and is made of, as far as that is for who reads it. Raises NotFound."""
    sight = await sight_of(snapshot, review.team, reader)
    document = as_seen(review.document, sight, reader.member)
    value = _at(document, path)
    of_table = opened(review.document, Rules.model_validate(review.rules).ranking, path)
    sources = review.evidence.get(path, []) if may_open(path, sight, reader.member) else []
    around = path.rpartition("/")[0]
    return {
        "path": path,
        "value": value,
        "definition": _defined(path, review.rules["least"], of_table[0] if of_table else meaning_of(path)),
        "figures": of_table[1] if of_table else {},
        "parts": [f"{around}/{part}" for part in value.get("parts", ())]
        if isinstance(value, dict) and "parts" in value else parts_of(document, path),
        "sources": [_source(each) for each in sources],
    }  # fmt: skip


def _defined(path: str, least: Mapping[str, int], meaning: Meaning | None) -> dict[str, Any] | None:
    """What a number means: a measure, or something of the graph or of the table of options."""
    cell, name = path.split("/")[1:][0], path.rpartition("/")[2]
    if name in MEASURES:
        return defined(MEASURES[name], least)
    return {"id": name, "cell": cell, "least": 1, **asdict(meaning)} if meaning else None


def _at(document: Any, path: str) -> Any:
    """What lies at a JSON Pointer (RFC 6901); raises NotFound."""
    found = document
    for part in path.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        elif isinstance(found, list) and (theirs := [each for each in found if _is_of(each, name)]):
            found = theirs[0]
        else:
            raise NotFound(f"This review has nothing at {path}.", [Fault("/path", "not known")])
    return found


def _is_of(entry: Any, member: str) -> bool:
    return isinstance(entry, dict) and entry.get("member") == member


def _source(subject: str) -> dict[str, str | None]:
    kind, _, key = subject.partition("/")
    collection = collection_of(kind.replace("-", "_"))
    return {"subject": subject, "events": f"/v1/{collection}/{key}/history" if collection else None}
