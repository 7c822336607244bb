"""A receiver of webhooks: a small HTTP server on this machine, which checks what it is sent as a stranger would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from services.metrics.webhooks.dispatcher import Dispatcher
from tests.world import World

Decide = Callable[["Received"], int | None]


@dataclass
class Received:
    """One delivery as it came, and what it was answered with."""

    headers: dict[str, str]
    body: bytes
    answered: int | None = None

    @property
    def event(self) -> dict[str, Any]:
        """The event inside, which an independent library has read."""
        assert self.headers["content-type"] == "application/cloudevents+json"
        read = JSONFormat().read(CloudEvent, self.body)
        event: dict[str, Any] = json.loads(self.body)
        assert (read.get_id(), read.get_subject()) == (event["id"], event["subject"])
        assert self.headers["webhook-id"] == event["id"]
        return event

    @property
    def said(self) -> tuple[str, str]:
        """The subject and its version."""
        return self.event["subject"], self.event["sequence"]

    def verified_by(self, secret: str) -> bool:
        """Whether the signature is right by the library that receivers use."""
        try:
            Verifier(secret).verify(self.body, self.headers)
        except WebhookVerificationError:
            return False
        return True


@dataclass
class Receiver:
    """What came, in order; `decide` says the status of each answer, None leaves it without one."""

    decide: Decide = lambda received: 204
    came: list[Received] = field(default_factory=list)
    url: str = ""
    more_headers: str = ""
    connected: int = 0
    """How many connections are open."""

    @property
    def taken(self) -> list[Received]:
        """What was answered with success."""
        return [each for each in self.came if each.answered is not None and 200 <= each.answered < 300]

    def of(self, subject: str) -> list[str]:
        """The versions of a subject that came, in order."""
        return [each.event["sequence"] for each in self.came if each.event["subject"] == subject]

    async def until(self, met: Callable[[], bool], seconds: float = 60) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(seconds):
            while not met():
                await asyncio.sleep(0.01)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connected += 1
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                lines = head.split("\r\n")
                headers = {
                    name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines[1:])
                }
                received = Received(headers, await reader.readexactly(int(headers.get("content-length", 0))))
                received.answered = self.decide(received)
                self.came.append(received)
                if received.answered is None:
                    await asyncio.sleep(3600)
                writer.write(f"HTTP/1.1 {received.answered} x\r\n{self.more_headers}Content-Length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.connected -= 1
            writer.close()


@asynccontextmanager
async def receiving(decide: Decide = lambda received: 204) -> AsyncIterator[Receiver]:
    """A receiver that listens."""
    receiver = Receiver(decide)
    connections: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(receiver.answer(reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/events"
    try:
        yield receiver
    finally:
        # A server of asyncio that closes while it is taking a connection in drops that one without closing it: first
        # nothing more is taken, then what has been taken comes in, then it closes.
        for listener in server.sockets:
            asyncio.get_running_loop().remove_reader(listener.fileno())
        await asyncio.sleep(0)
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


@dataclass
class Clock:
    """A clock that moves when it is told to."""

    moment: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.moment

    def turn(self, dispatcher: Dispatcher, **by: float) -> None:
        """Let time pass."""
        self.moment += timedelta(**by)
        dispatcher.wake()


def dispatcher_of(world: World) -> Dispatcher:
    dispatcher: Dispatcher = world.services["metrics"].runtime.extras["webhooks"]
    return dispatcher


async def hook(
    world: World, url: str, types: Sequence[str] = ("concert.targets.customer-*",), **fields: Any
) -> dict[str, Any]:
    """A webhook made by the administrator."""
    return await world.made("/v1/webhooks", {"url": url, "types": list(types), **fields})


async def shown(world: World, made: dict[str, Any]) -> dict[str, Any]:
    """A webhook as it is now."""
    answer = await world.admin.get(f"/v1/webhooks/{made['id']}")
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


async def items(world: World, path: str, **query: Any) -> list[dict[str, Any]]:
    """What a list shows."""
    answer = await world.admin.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def idle(world: World, made: dict[str, Any], waiting: int = 0) -> dict[str, Any]:
    """A webhook once no more than so many events wait."""
    async with asyncio.timeout(20):
        while (found := await shown(world, made))["waiting"] != waiting:
            await asyncio.sleep(0.02)
    return found
