"""What tests of the event stream share: facts to tell, pages of lines, and a server that streams."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from services.metrics.stream.pages import end_of
from shared.application import Running
from shared.bus import Position
from shared.positions import stored_positions
from tests.serving import serving
from tests.world import World, token_headers


async def customer(world: World, name: str) -> dict[str, Any]:
    """A customer that has been told of."""
    return await world.made("/v1/customers", {"name": name})


async def recruited(world: World, name: str, **fields: Any) -> dict[str, Any]:
    """A member who starts to work in sales."""
    return await world.made("/v1/members", {"name": name, "department": "sales", "starts_on": "2026-01-05", **fields})


async def relayed(world: World) -> None:
    """Wait until everything that was written is on the log, and known to every service."""
    async with asyncio.timeout(30):
        for running in world.services.values():
            assert running.runtime.relay is not None
            while (await running.runtime.relay.backlog())[0]:
                await asyncio.sleep(0.01)
        end = await end_of(world.bus, world.services["metrics"].runtime.store)
        for running in world.services.values():
            while running.runtime.consumer is not None and not await _knows(running, end):
                await asyncio.sleep(0.01)


async def _knows(running: Running, end: Mapping[Position, int]) -> bool:
    consumer = running.runtime.consumer
    assert consumer is not None
    applied = await running.runtime.store.read(stored_positions)
    places = {(each.topic, each.partition): each.next_offset for each in applied}
    places |= {place: last.offset + 1 for place, last in consumer.passed.items()}
    topics = consumer.subscriptions.topics
    return all(places.get(place, 0) >= offset for place, offset in end.items() if place[0] in topics)


async def page(client: httpx.AsyncClient, **query: Any) -> tuple[list[dict[str, Any]], str, bool]:
    """The events of a page, its cursor, and whether the log ends there."""
    answer = await client.get("/v1/events", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    events = [json.loads(line) for line in answer.text.splitlines()]
    return events, answer.headers["concert-cursor"], answer.headers["concert-caught-up"] == "true"


async def everything(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    """All events to the end of the log, page by page."""
    events: list[dict[str, Any]] = []
    while True:
        some, query["after"], caught_up = await page(client, **query)
        events += some
        if caught_up:
            return events


@asynccontextmanager
async def served(world: World, *scopes: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the world over a real connection: only there an answer can stay open."""
    headers = token_headers(world.settings, *(scopes or ("admin",)))
    async with serving(world.origin) as url:
        try:
            async with httpx.AsyncClient(base_url=url, headers=headers, timeout=20, trust_env=False) as client:
                yield client
        finally:
            for running in world.services.values():
                running.runtime.stopping.set()


@asynccontextmanager
async def streamed(
    client: httpx.AsyncClient, last: str | None = None, **query: Any
) -> AsyncIterator[AsyncIterator[tuple[str, dict[str, Any] | None]]]:
    """Server-sent events as they come: the id of each and what it says, or None where it only says the id."""
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
    async with client.stream("GET", "/v1/events", headers=headers, params=query) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _blocks(answer)


async def _blocks(answer: httpx.Response) -> AsyncIterator[tuple[str, dict[str, Any] | None]]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
            continue
        if "id" in fields:
            yield fields["id"], json.loads(fields["data"]) if "data" in fields else None
        fields = {}
