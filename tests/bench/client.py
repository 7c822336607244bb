"""A client that costs little, so that a measurement is of the server: keep-alive HTTP/1.1 over bare streams."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager


class Line:
    """One connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
        self.reader = reader
        self.writer = writer
        self.token = token

    async def ask(
        self, method: str, path: str, body: bytes = b"", extra: str = ""
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request and read its answer."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: concert\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
        )
        self.writer.write(head.encode() + body)
        status = int((await self.reader.readline()).split()[1])
        headers: dict[str, str] = {}
        while (line := await self.reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        content = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return status, headers, content


@asynccontextmanager
async def lines(port: int, token: str, count: int) -> AsyncIterator[list[Line]]:
    """So many connections."""
    opened = [Line(*await asyncio.open_connection("127.0.0.1", port), token) for _ in range(count)]
    try:
        yield opened
    finally:
        for line in opened:
            line.writer.close()


async def rate(connections: list[Line], path: str, bodies: Callable[[], Iterator[bytes]], seconds: float) -> float:
    """Requests answered per second when every connection asks again as soon as it is answered."""
    until = time.perf_counter() + seconds
    answered = 0

    async def work(line: Line) -> None:
        nonlocal answered
        for body in bodies():
            status, _, content = await line.ask("POST", path, body)
            assert status in (200, 201), content
            answered += 1
            if time.perf_counter() > until:
                return

    begin = time.perf_counter()
    await asyncio.gather(*(work(line) for line in connections))
    return answered / (time.perf_counter() - begin)
