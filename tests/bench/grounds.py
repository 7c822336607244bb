"""Where Concert is measured: one process with the embedded engines, or with a PostgreSQL server and a Kafka broker."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from concert.services import SERVICES
from shared.bus.kafka import create_topics
from shared.settings import Settings
from tests.engines import Kafka, Postgres
from tests.world import token_headers

PORT = int(os.environ.get("BENCH_PORT", "8711"))


@dataclass(frozen=True)
class Ground:
    """The engines under one table of figures, and what is asked of them."""

    name: str
    settings: Settings
    spare: str
    """The address of stores with nothing in them, for a rebuild."""
    post_ratio: str
    visible: str
    environment: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def embedded() -> Iterator[Ground]:
    """SQLite and the embedded log."""
    with tempfile.TemporaryDirectory() as folder:
        yield Ground("SQLite and the embedded log", Settings(data=Path(folder)), f"sqlite:{folder}/spare", "0.5",
                     "150 ms")  # fmt: skip


@contextmanager
def on_servers() -> Iterator[Ground]:
    """A PostgreSQL server and a Kafka broker of our own on this machine."""
    with tempfile.TemporaryDirectory() as folder, Postgres() as server, Kafka() as broker:
        asyncio.run(_prepared(server, broker))
        chosen = {
            "store_url": server.url("bench_{service}"), "bus": "kafka", "kafka_bootstrap_servers": broker.address,
        }  # fmt: skip
        environment = {f"CONCERT_{name.upper()}": value for name, value in chosen.items()}
        settings = Settings.model_validate({"data": Path(folder), **chosen})
        yield Ground("PostgreSQL and Kafka", settings, server.url("spare_{service}"), "0.3", "250 ms", environment)


async def _prepared(server: Postgres, broker: Kafka) -> None:
    await create_topics(broker.address)
    for service in SERVICES:
        for name in ("bench", "spare"):
            await server.create_database(f"{name}_{service.name}")


@dataclass(frozen=True)
class Served:
    """Concert in a process of its own."""

    token: str
    """An administrator's."""
    process: int

    def memory(self) -> tuple[int, int]:
        """What the process holds in memory now, and the most it ever held, in MiB."""
        lines = Path(f"/proc/{self.process}/status").read_text().splitlines()
        found = dict(line.split(":", 1) for line in lines if ":" in line)
        return tuple(int(found[name].split()[0]) // 1024 for name in ("VmRSS", "VmHWM"))  # type: ignore[return-value]


@contextmanager
def serving(ground: Ground) -> Iterator[Served]:
    """Concert in a process of its own."""
    told = {"CONCERT_DATA": str(ground.settings.data), "CONCERT_PORT": str(PORT), "CONCERT_DEMO": "0"}
    command = [sys.executable, "-m", "tests.bench.server"]
    process = subprocess.Popen(command, env=os.environ | told | dict(ground.environment))
    try:
        for _ in range(300):
            try:
                if httpx.get(f"http://127.0.0.1:{PORT}/livez").status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.1)
        token = token_headers(ground.settings, "admin")["Authorization"].removeprefix("Bearer ")
        yield Served(token, process.pid)
    finally:
        process.terminate()
        process.wait(20)
