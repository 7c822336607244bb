"""A way to a broker that can be cut, or fall silent, and be mended: what a network does to a client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

PROXIED = "proxied"


class Pipe:
    """One direction of a connection; holds back what comes while the way is silent."""

    def __init__(self, way: Proxy, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        self._way = way
        self._source = source
        self._sink = sink
        self._held: list[bytes] = []

    async def pump(self) -> None:
        """Pass on what comes until either side leaves; what is held back then is lost."""
        try:
            while data := await self._source.read(65536):
                self._way.passed += len(data)
                self._held.append(data)
                if self._way.flowing:
                    self.flush()
        except OSError:
            pass
        finally:
            self._sink.transport.abort()

    def flush(self) -> None:
        """Pass on what was held back."""
        held, self._held = self._held, []
        self._sink.writelines(held)


class Proxy:
    """A TCP proxy on loopback."""

    def __init__(self, host: str, port: int) -> None:
        self.flowing = True
        self.passed = 0
        self.port = 0
        self._broker = (host, port)
        self._pipes: set[Pipe] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._refusing = False

    def cut(self) -> None:
        """End all connections at once and take no new ones."""
        self._refusing = True
        for writer in self._writers:
            writer.transport.abort()

    def silence(self) -> None:
        """Keep connections, and take new ones, but let nothing through."""
        self.flowing = False

    def mend(self) -> None:
        """Let everything through again, first what was held back for those who are still there."""
        self._refusing, self.flowing = False, True
        for pipe in self._pipes:
            pipe.flush()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client."""
        self._writers.add(writer)
        try:
            if not self._refusing:
                await self._serve(reader, writer)
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_broker, to_broker = await asyncio.open_connection(*self._broker)
        pipes = {Pipe(self, reader, to_broker), Pipe(self, from_broker, writer)}
        self._pipes |= pipes
        self._writers.add(to_broker)
        try:
            await asyncio.wait([asyncio.ensure_future(pipe.pump()) for pipe in pipes])
        finally:
            self._pipes -= pipes
            self._writers.discard(to_broker)


@asynccontextmanager
async def proxied(address: str, patch: pytest.MonkeyPatch) -> AsyncIterator[Proxy]:
    """A proxy that every connection of clients called PROXIED goes through, wherever the cluster sends them."""
    from aiokafka import client

    host, _, port = address.rpartition(":")
    proxy = Proxy(host, int(port))
    server = await asyncio.start_server(proxy.connect, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    directly = client.create_conn

    async def create_conn(host: str, port: int, **settings: Any) -> Any:
        if settings["client_id"] == PROXIED:
            host, port = "127.0.0.1", proxy.port
        return await directly(host, port, **settings)

    patch.setattr(client, "create_conn", create_conn)
    try:
        yield proxy
    finally:
        server.close()
        proxy.cut()
        with suppress(OSError):
            await server.wait_closed()
