"""The stream as it happens: server-sent events, whose `id` is the cursor, so that a reader who was cut off goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from time import monotonic
from typing import Any

import structlog
from fastapi import Request
from fastapi.responses import StreamingResponse
from prometheus_client import Gauge
from starlette.types import Receive, Scope, Send

from services.metrics.stream.cursor import move, text_of
from services.metrics.stream.pages import Reader, told_of
from services.metrics.stream.tail import Tail
from shared.bus import BusError, Message, Position
from shared.errors import Overloaded, Problem
from shared.http.runtime import Runtime, runtime_of
from shared.identity.permissions import principal_of
from shared.tasks import ended

log = structlog.get_logger(__name__)
MOST_STREAMS = 100
MOST_PAGES = 16
HEARTBEAT_SECONDS = 15.0
CHUNK_BYTES = 64 * 1024
STREAMS = Gauge("concert_event_streams", "Event streams that are open")


class Live:
    """The streams that are open in this process, and the tail of the log that feeds them."""

    def __init__(self, tail: Tail, stopping: asyncio.Event) -> None:
        self.tail = tail
        self.stopping = stopping
        self.heartbeat = HEARTBEAT_SECONDS
        self.most_streams, self.most_pages = MOST_STREAMS, MOST_PAGES
        self._streams = self._pages = 0

    @contextmanager
    def opening(self) -> Iterator[None]:
        """Take a place among the streams, which is given back unless a stream is opened. Raises Overloaded."""
        if self._streams >= self.most_streams:
            raise Overloaded(f"{self._streams} event streams are open, as many as there may be; try again later.")
        self._streams += 1
        try:
            yield
        except BaseException:
            self._streams -= 1
            raise

    def closed(self) -> None:
        """Give a stream's place back."""
        self._streams -= 1

    @contextmanager
    def reading_page(self) -> Iterator[None]:
        """Take a place among those who read pages. Raises Overloaded."""
        if self._pages >= self.most_pages:
            raise Overloaded(f"{self._pages} pages of events are being read, as many as there may be; ask again.")
        self._pages += 1
        try:
            yield
        finally:
            self._pages -= 1


async def prepare_live(runtime: Runtime) -> None:
    """What the streams of this process need; nothing is read before somebody follows."""
    runtime.extras["live"] = Live(Tail(runtime.bus), runtime.stopping)


class EventStream(StreamingResponse):
    """An answer that stays open and tells what happens."""

    def __init__(self, request: Request, live: Live, reader: Reader, start: Mapping[Position, int]) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(self._lines(), headers=headers, media_type="text/event-stream")
        self.request = request
        self.live = live
        self.reader = reader
        self.places = dict(start)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer until one of both sides ends it."""
        STREAMS.inc()
        try:
            await super().__call__(scope, receive, send)
        finally:
            STREAMS.dec()
            self.live.closed()

    async def _lines(self) -> AsyncGenerator[bytes, None]:
        yield b"retry: 2000\n: the stream of events begins\n\n"
        said = checked = monotonic()
        try:
            async with aclosing(self._batches()) as batches:
                async for batch in batches:
                    if monotonic() - checked >= self.live.heartbeat:
                        checked = monotonic()
                        # A token that has expired or was withdrawn reads no further.
                        await principal_of(self.request)
                    async for chunk in self._told(batch):
                        said = monotonic()
                        yield chunk
                    if monotonic() - said >= self.live.heartbeat:
                        said = monotonic()
                        # Also tells how far the log has been read where nothing of it was for this reader.
                        yield b": still here\nid: " + text_of(self.places).encode() + b"\n\n"
        except (Problem, BusError) as reason:
            log.info("event_stream_ended", reason=str(reason))

    async def _told(self, batch: Sequence[Message]) -> AsyncGenerator[bytes, None]:
        lines = await told_of(runtime_of(self.request).store, self.reader, batch)
        chunk = b""
        for number, message in enumerate(batch):
            move(self.places, (message,))
            if number in lines:
                chunk += b"id: " + text_of(self.places).encode() + b"\ndata: " + lines[number] + b"\n\n"
            if len(chunk) >= CHUNK_BYTES:
                yield chunk
                chunk = b""
        if chunk:
            yield chunk

    async def _batches(self) -> AsyncGenerator[Sequence[Message], None]:
        """What comes from the log, and nothing now and then while nothing comes; ends when the service stops."""
        stopping = asyncio.create_task(self.live.stopping.wait())
        coming: asyncio.Task[Any] | None = None
        async with aclosing(self.live.tail.follow(self.places)) as batches:
            try:
                while not self.live.stopping.is_set():
                    coming = coming or asyncio.ensure_future(anext(batches))
                    waited = {coming, stopping}
                    done, _ = await asyncio.wait(waited, timeout=self.live.heartbeat, return_when="FIRST_COMPLETED")
                    if coming in done:
                        batch, coming = coming.result(), None
                        yield batch
                    else:
                        yield ()
            finally:
                stopping.cancel()
                if coming is not None:
                    with suppress(Exception):
                        await ended(coming)
