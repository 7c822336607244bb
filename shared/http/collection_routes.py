"""The routes that every collection has; here those by which things are made, changed and acted on."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic_core import to_json

from shared.errors import Fault, Invalid
from shared.http.bodies import ExternalName
from shared.http.bulk import bulk_route, cause_of
from shared.http.collection import Act, Collection, Handler, Reference, Verb
from shared.http.collection_reads import add_get, add_history, add_list
from shared.http.documents import described
from shared.http.problems import parse, parse_object
from shared.http.writes import Answer, expect, write
from shared.identity.permissions import Principal, require
from shared.store import Tx


@cache
def routes_of(collection: Collection[Any]) -> APIRouter:
    """A collection's routes, for the service's app."""
    if collection.creating is not None:
        _add_create(collection, collection.creating)
        bulk_route(collection)
    add_list(collection)
    add_get(collection)
    add_history(collection)
    if collection.creating is not None:
        _add_put(collection, collection.creating)
        _add_externals(collection)
    if collection.amending is not None:
        _add_patch(collection, collection.amending)
    for verb in collection.verbs.values():
        if verb.routed:
            _add_verb(collection, verb)
    return collection.router


def _add_create(collection: Collection[Any], making: Act) -> None:
    may = require(f"{collection.name}:write")

    async def endpoint(request: Request, principal: Principal = Depends(may)) -> Response:
        raw = await request.body()

        async def decide(tx: Tx) -> Answer:
            return await collection.answer(tx, await collection.made(tx, raw), 201, principal)

        return await write(request, principal, decide, body=raw)

    _route(collection, endpoint, "", "POST", f"create_{collection.called}", making.body, 201, making.run)


def _add_put(collection: Collection[Any], making: Act) -> None:
    may = require(f"{collection.name}:write")

    async def endpoint(request: Request, ref: Reference, principal: Principal = Depends(may)) -> Response:
        raw = await request.body()

        async def decide(tx: Tx) -> Answer:
            if not ref.startswith("ext:"):
                thing = await collection.loaded(tx, ref, principal)
                expect(request, thing, required=True)
                return await collection.answer(tx, await collection.changed(tx, thing, raw), 200, principal)
            expect(request, await tx.seek(collection.entity, ref))
            name = external_of(ref)
            thing, made = await collection.upserted(tx, _with_name(raw, name), name, principal)
            return await collection.answer(tx, thing, 201 if made else 200, principal)

        return await write(request, principal, decide, body=raw)

    summary = f"Create or update a {collection.word} by another system's id"
    body = making.body
    _route(collection, endpoint, "/{ref}", "PUT", f"put_{collection.called}", body, 200, None, summary, also=201)


def _add_patch(collection: Collection[Any], changing: Act) -> None:
    may = require(f"{collection.name}:write")

    async def endpoint(request: Request, ref: Reference, principal: Principal = Depends(may)) -> Response:
        raw = await request.body()

        async def decide(tx: Tx) -> Answer:
            thing = await collection.loaded(tx, ref, principal)
            expect(request, thing, required=True)
            return await collection.answer(tx, await collection.changed(tx, thing, raw), 200, principal)

        return await write(request, principal, decide, body=raw)

    _route(collection, endpoint, "/{ref}", "PATCH", f"change_{collection.called}", changing.body, 200, changing.run)


def _add_verb(collection: Collection[Any], verb: Verb) -> None:
    may = require(f"{collection.name}:write")

    async def endpoint(request: Request, ref: Reference, principal: Principal = Depends(may)) -> Response:
        raw = await request.body()
        body = parse(verb.body, raw or b"{}")

        async def decide(tx: Tx) -> Answer:
            thing = await collection.loaded(tx, ref, principal)
            expect(request, thing)
            return await collection.answer(tx, await verb.run(tx, thing, body), 200, principal)

        return await write(request, principal, decide, body=raw, cause=cause_of(verb.name, raw))

    operation = f"{verb.name.replace('-', '_')}_{collection.called}"
    _route(collection, endpoint, f"/{{ref}}/{verb.name}", "POST", operation, verb.body, 200, verb.run)


def _add_externals(collection: Collection[Any]) -> None:
    may = require(f"{collection.name}:write")

    async def endpoint(request: Request, ref: Reference, principal: Principal = Depends(may)) -> Response:
        raw = await request.body()
        name = parse(ExternalName, raw)

        async def decide(tx: Tx) -> Answer:
            thing = await collection.loaded(tx, ref, principal)
            expect(request, thing)
            return await collection.answer(tx, await collection.linked(tx, thing, name), 200, principal)

        return await write(request, principal, decide, body=raw)

    summary = f"Say what another system calls a {collection.word}"
    _route(
        collection,
        endpoint,
        "/{ref}/externals",
        "POST",
        f"link_{collection.called}",
        ExternalName,
        200,
        None,
        summary,
    )


def _route(
    collection: Collection[Any],
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
    may = require(f"{collection.name}:write")
    answers: dict[int, type[BaseModel] | None] = {status: collection.read}
    if also is not None:
        answers[also] = collection.read
    collection.route(
        endpoint,
        path,
        method,
        operation,
        status_code=status,
        summary=summary or (doc.splitlines()[0].rstrip(".") if doc else operation.replace("_", " ")),
        description=doc,
        openapi_extra=described(may, body, answers, missing="{ref}" in path),
    )


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
