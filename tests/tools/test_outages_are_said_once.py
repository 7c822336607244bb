"""An engine that is away is said in one line, and in one more when it is back: not at each try, nor by its driver."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from concert.services import SERVICES
from shared.bus.kafka import create_topics
from shared.outage import Outage
from tests.chaos.victims import _free_port
from tests.engines import Engine, Kafka, Postgres, Unavailable

ROOT = Path(__file__).parents[2]
AWAY_SECONDS = 8
COMMAND = (sys.executable, "-c", "from concert.start import main; main()", "run")


class Lines:
    """What a process writes to its log, as it comes."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self.all: list[dict[str, Any]] = []
        self._task = asyncio.create_task(self._read(stream))

    async def _read(self, stream: asyncio.StreamReader) -> None:
        async for line in stream:
            try:
                self.all.append(json.loads(line))
            except ValueError:
                self.all.append({"event": line.decode(), "level": "error"})

    @property
    def loud(self) -> list[dict[str, Any]]:
        """The lines that somebody is to look at."""
        return [each for each in self.all if each["level"] in ("warning", "error", "critical")]

    async def until(self, event: str, number: int) -> None:
        """Wait until an event has been told so often."""
        async with asyncio.timeout(60):
            while sum(each["event"] == event for each in self.all) < number:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def at_work(folder: Path, server: Postgres, broker: Kafka) -> AsyncIterator[tuple[httpx.AsyncClient, Lines]]:
    """Concert in one process on these engines, and its log."""
    for service in SERVICES:
        await server.create_database(f"outage_{service.name}")
    await create_topics(broker.address)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CONCERT_")} | {
        "CONCERT_DATA": str(folder), "CONCERT_PORT": str(port := _free_port()), "CONCERT_DEMO": "0",
        "CONCERT_STORE_URL": server.url("outage_{service}"), "CONCERT_BUS": "kafka", "CONCERT_LOG_FORMAT": "json",
        "CONCERT_KAFKA_BOOTSTRAP_SERVERS": broker.address,
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *COMMAND, cwd=ROOT, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    lines = Lines(process.stderr)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            await _until_ready(client)
            yield client, lines
    finally:
        process.terminate()
        await process.wait()


async def _until_ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(120):
        while True:
            try:
                if (await client.get("/readyz")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.1)


async def away(engine: Engine, client: httpx.AsyncClient) -> None:
    """It is gone for a while, in which its absence is noticed again and again."""
    await asyncio.to_thread(engine.kill)
    async with asyncio.timeout(60):
        while (await client.get("/readyz")).status_code == 200:
            await asyncio.sleep(0.1)
    for _ in range(AWAY_SECONDS):
        await client.get("/readyz")
        await asyncio.sleep(1)
    await asyncio.to_thread(engine.start)
    await _until_ready(client)


@pytest.mark.nightly
async def test_an_engine_that_is_away_is_said_once_and_once_more_when_it_is_back(tmp_path: Path) -> None:
    try:
        with Postgres() as server, Kafka() as broker:
            async with at_work(tmp_path, server, broker) as (client, lines):
                await away(broker, client)
                await lines.until("engine_back", 1)
                said = [(each["event"], each.get("engine", "")) for each in lines.loud]
                name = f"Kafka at {broker.address}"
                assert said == [("engine_away", name), ("engine_back", name)]
                assert lines.loud[1]["seconds"] > AWAY_SECONDS / 2
                lines.all.clear()
                await away(server, client)
                await lines.until("engine_back", len(SERVICES))
                engines = sorted(each.get("engine", each["event"]) for each in lines.loud)
                host = server.address.rpartition("@")[2].rpartition("/")[0]
                assert engines == sorted([f"PostgreSQL at {host}/outage_{each.name}" for each in SERVICES] * 2)
    except Unavailable as reason:
        pytest.skip(str(reason))


def test_one_that_answers_now_and_then_is_not_back() -> None:
    outage = Outage("the engine")
    with capture_logs() as said:
        for _ in range(3):
            outage.goes_on("it is silent")
            outage.is_over()
    assert [each["event"] for each in said] == ["engine_away"]
