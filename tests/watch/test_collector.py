"""The real collector takes what a Concert tells, by the file that it is started with, and carries it on by OTLP."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from fastapi import FastAPI, Request

from tests.engines import Unavailable, collector
from tests.serving import serving
from tests.watch.prometheus import WATCH
from tests.world import embedded, world

pytestmark = pytest.mark.nightly
CARRIED = (
    b"concert_outbox_events",
    b"concert_certificate_verdict",
    b"concert_part_ready",
    b"concert_http_request_seconds",
)


@pytest.mark.timeout(1800)
async def test_what_concert_tells_arrives_where_the_collector_is_to_carry_it(tmp_path: Path) -> None:
    try:
        path = await asyncio.to_thread(collector)
    except Unavailable as reason:
        pytest.skip(str(reason))
    taken: list[bytes] = []
    async with (
        embedded(tmp_path) as ground,
        world(tmp_path, ground) as concert,
        serving(concert.origin) as url,
        serving(taking(taken)) as endpoint,
        carrying(path, tmp_path, url, endpoint),
        asyncio.timeout(60),
    ):
        while not all(any(name in each for each in taken) for name in CARRIED):
            await asyncio.sleep(0.1)
    assert any(b"service.namespace" in each for each in taken), "the resource is named"


def taking(taken: list[bytes]) -> FastAPI:
    """Somebody who takes figures by OTLP."""
    app = FastAPI()

    @app.post("/v1/metrics")
    async def take(request: Request) -> None:
        body = await request.body()
        taken.append(gzip.decompress(body) if request.headers.get("content-encoding") == "gzip" else body)

    return app


@asynccontextmanager
async def carrying(path: Path, folder: Path, url: str, endpoint: str) -> AsyncIterator[None]:
    """The collector at work, with its own file but for where Concert is, and how often it looks."""
    chosen = yaml.safe_load((WATCH / "collector.yml").read_text())
    (scrape,) = chosen["receivers"]["prometheus"]["config"]["scrape_configs"]
    del scrape["dns_sd_configs"], scrape["relabel_configs"]
    scrape |= {"scrape_interval": "1s", "static_configs": [{"targets": [url.removeprefix("http://")]}]}
    (folder / "collector.yml").write_text(yaml.safe_dump(chosen))
    for file in (WATCH / "collector.yml", folder / "collector.yml"):
        judged = await asyncio.create_subprocess_exec(
            path, "validate", f"--config={file}", env={"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
        )
        assert await judged.wait() == 0, f"{file} is not valid"
    process = await asyncio.create_subprocess_exec(
        path, f"--config={folder / 'collector.yml'}", env={"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()
