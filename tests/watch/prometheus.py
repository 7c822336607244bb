"""A real Prometheus that looks at a Concert of a test, with the real rules, in which a minute is half a second."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence, Set
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml  # type: ignore[import-untyped]

from shared.http.edge import ANSWERS, SECONDS
from tests.chaos.victims import _free_port
from tests.watch.minutes import quick

WATCH = Path(__file__).parents[2] / "deploy" / "watch"
RULES: list[dict[str, Any]] = yaml.safe_load((WATCH / "rules.yml").read_text())["groups"][0]["rules"]
Alert = dict[str, str]
"""The labels of an alert that fires."""


class Watch:
    """A Prometheus that runs."""

    def __init__(self, client: httpx.AsyncClient, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.client = client
        self.process = process
        self.folder = folder

    def look_at(self, **urls: str) -> None:
        """Look at these from now on, and at nothing else; each has the name of a container."""
        configure(self.folder, urls)
        self.process.send_signal(signal.SIGHUP)

    async def has_looked(self) -> None:
        """Wait until it has taken figures, and judged all rules by them."""
        try:
            async with asyncio.timeout(60):
                while not await self._taken() or not await self._judged():
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError((await self.client.get("/api/v1/targets")).json()["data"]["activeTargets"]) from None

    async def firing(self) -> list[Alert]:
        """The alerts that fire now."""
        alerts = (await self.client.get("/api/v1/alerts")).json()["data"]["alerts"]
        return [each["labels"] for each in alerts if each["state"] == "firing"]

    async def until(self, met: Callable[[list[Alert]], bool], hope: str) -> None:
        """Wait until what fires is as hoped."""
        firing: list[Alert] = []
        try:
            async with asyncio.timeout(60):
                while not met(firing := await self.firing()):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{hope}; there fires {firing}") from None

    async def until_all(self, expected: Sequence[Alert]) -> None:
        """Wait until all of these fire; an alert may have more labels than are named."""

        def missing(firing: list[Alert]) -> list[Alert]:
            return [each for each in expected if not any(each.items() <= alert.items() for alert in firing)]

        await self.until(lambda firing: not missing(firing), f"all of {expected} fire")

    async def until_quiet(self) -> None:
        """Wait until nothing fires."""
        await self.until(lambda firing: not firing, "nothing fires any more")

    async def until_none(self, names: Set[str]) -> None:
        """Wait until none of these fires."""
        await self.until(
            lambda firing: names.isdisjoint(each["alertname"] for each in firing), f"none of {sorted(names)} fires"
        )

    async def knows(self, container: str) -> None:
        """Wait until figures of a container have been taken."""
        async with asyncio.timeout(60):
            while not await self._has(f'up{{container="{container}"}} == 1'):
                await asyncio.sleep(0.1)

    async def _taken(self) -> bool:
        return await self._has("concert_store_answers")

    async def _has(self, query: str) -> bool:
        answer = await self.client.get("/api/v1/query", params={"query": query})
        return bool(answer.json()["data"]["result"])

    async def _judged(self) -> bool:
        groups = (await self.client.get("/api/v1/rules")).json()["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        assert {rule["health"] for rule in rules} <= {"ok", "unknown"}, rules
        return len(rules) == len(RULES) and {rule["health"] for rule in rules} == {"ok"}


def _forget_other_tests() -> None:
    """In one process every test tells the same registry, and a scrape of thousands of routes' answers takes long."""
    for kept in (SECONDS, ANSWERS):
        kept.clear()


def configure(folder: Path, urls: dict[str, str]) -> None:
    """Write what Prometheus reads when it starts, or is told to."""
    folder.mkdir(exist_ok=True)
    rules = {"groups": [{"name": "concert", "rules": [quick(rule) for rule in RULES]}]}
    (folder / "rules.yml").write_text(yaml.safe_dump(rules))
    targets = [{"targets": [url.removeprefix("http://")], "labels": {"container": name}} for name, url in urls.items()]
    (folder / "prometheus.yml").write_text(yaml.safe_dump({
        "global": {"scrape_interval": "500ms", "evaluation_interval": "250ms", "scrape_timeout": "500ms"},
        "rule_files": ["rules.yml"], "scrape_configs": [{"job_name": "concert", "static_configs": targets}],
    }))  # fmt: skip


@asynccontextmanager
async def watching(path: Path, folder: Path, **urls: str) -> AsyncIterator[Watch]:
    """The real Prometheus, looking at these."""
    _forget_other_tests()
    configure(folder, urls)
    port = _free_port()
    process = await asyncio.create_subprocess_exec(
        path, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=error", cwd=folder,
    )  # fmt: skip
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            async with asyncio.timeout(60):
                while not await _ready(client):
                    assert process.returncode is None, "Prometheus has ended"
                    await asyncio.sleep(0.1)
            yield Watch(client, process, folder)
    finally:
        process.terminate()
        await process.wait()


async def _ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/-/ready")).status_code == 200
    except httpx.HTTPError:
        return False
