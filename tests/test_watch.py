"""The alert rules, the dashboards and the runbooks, judged by the real Prometheus looking at a running Concert."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import prometheus_client
import pytest
import yaml  # type: ignore[import-untyped]

from concert.services import SERVICES
from shared.bus import Record
from shared.http.edge import ANSWERS, SECONDS
from tests.chaos.victims import _free_port
from tests.engines import Unavailable, prometheus
from tests.serving import serving
from tests.world import World, embedded, world

WATCH = Path(__file__).parent.parent / "deploy" / "watch"
RULES: list[dict[str, Any]] = yaml.safe_load((WATCH / "rules.yml").read_text())["groups"][0]["rules"]
RUNBOOKS = (WATCH.parent.parent / "docs" / "runbooks.md").read_text()
DASHBOARDS = sorted((WATCH / "grafana" / "dashboards").glob("*.json"))
HEADERS = (("ce_id", "broken"), ("ce_type", "concert.targets.deal-opened.v1"), ("ce_source", "/targets"),
           ("ce_subject", "deal/deal_x"), ("ce_sequence", "1"), ("ce_time", "2026-01-01T00:00:00Z"))  # fmt: skip


@pytest.fixture(scope="module")
def prometheus_path() -> Path:
    try:
        return prometheus()
    except Unavailable as reason:
        pytest.skip(str(reason))


def expressions() -> list[str]:
    """Every question that an alert or a panel asks."""
    panels = [panel for file in DASHBOARDS for panel in json.loads(file.read_text())["panels"]]
    return [rule["expr"] for rule in RULES] + [each["expr"] for panel in panels for each in panel["targets"]]


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    headings = re.findall(r"^## (\w+)$", RUNBOOKS, re.MULTILINE)
    assert headings == [rule["alert"] for rule in RULES]
    for rule in RULES:
        assert rule["annotations"]["runbook"] == f"docs/runbooks.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in ("critical", "warning")


def test_alerts_and_panels_ask_only_for_what_concert_tells() -> None:
    assert SERVICES, "all that tells anything has been loaded"
    told = {sample.name for family in prometheus_client.REGISTRY.collect() for sample in family.samples}
    told |= {family.name for family in prometheus_client.REGISTRY.collect()}
    told |= {f"{family.name}{end}" for family in prometheus_client.REGISTRY.collect()
             for end in ("_total", "_bucket", "_sum", "_count")}  # fmt: skip
    asked = {name for each in expressions() for name in re.findall(r"\b(?:concert|process)_\w+", each)}
    assert asked <= told
    assert {"concert_outbox_events", "concert_certificate_verdict", "concert_commit_group_writes_sum"} <= asked


def test_the_collector_and_the_scrapes_know_every_service() -> None:
    names = [service.name for service in SERVICES]
    scrape = yaml.safe_load((WATCH / "prometheus.yml").read_text())["scrape_configs"][0]
    collector = yaml.safe_load((WATCH / "collector.yml").read_text())
    carried = collector["receivers"]["prometheus"]["config"]["scrape_configs"][0]
    for each in (scrape, carried):
        assert sorted(each["dns_sd_configs"][0]["names"]) == sorted(names)
    for pipeline in collector["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) <= set(collector[kind])


def test_promtool_takes_the_rules_the_scrapes_and_every_question_of_the_dashboards(
    prometheus_path: Path, tmp_path: Path
) -> None:
    promtool = prometheus_path.with_name("promtool")
    questions = [{"record": f"question_{number}", "expr": each} for number, each in enumerate(expressions())]
    (tmp_path / "questions.yml").write_text(yaml.safe_dump({"groups": [{"name": "questions", "rules": questions}]}))
    for arguments in (
        ["check", "rules", str(WATCH / "rules.yml")],
        ["check", "rules", str(tmp_path / "questions.yml")],
        ["check", "config", str(WATCH / "prometheus.yml")],
    ):
        judged = subprocess.run([promtool, *arguments], capture_output=True, text=True)
        assert judged.returncode == 0, judged.stdout + judged.stderr


async def test_a_stopped_relay_and_a_parked_event_are_alarmed_and_a_quiet_concert_is_not(
    prometheus_path: Path, tmp_path: Path
) -> None:
    async with embedded(tmp_path) as ground, world(tmp_path, ground) as concert, serving(concert.origin) as url:
        await _verified(concert)
        async with watching(prometheus_path, tmp_path / "watch", url) as watch:
            await watch.has_looked()
            await watch.until("ConcertGone", firing=False)
            assert await watch.firing() == set()

            relay = concert.services["teams"].runtime.relay
            assert relay is not None
            relay.pause(True)
            await watch.until("ConcertRelayStopped", firing=True)
            relay.pause(False)
            await watch.until("ConcertRelayStopped", firing=False)

            await concert.bus.publish([Record("concert.targets", "deal/deal_x", b"{}", HEADERS)])
            await watch.until("ConcertEventParked", firing=True)
            await watch.until("ConcertInconsistent", firing=True)


async def _verified(concert: World) -> None:
    async with asyncio.timeout(30):
        while (await concert.admin.get("/v1/consistency?fresh=true")).json()["verdict"] != "consistent":
            await asyncio.sleep(0.05)


class Watch:
    """A Prometheus that runs."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def has_looked(self) -> None:
        """Wait until it has taken figures, and judged all rules by them."""
        try:
            async with asyncio.timeout(60):
                while not await self._taken() or not await self._judged():
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError((await self.client.get("/api/v1/targets")).json()["data"]["activeTargets"]) from None

    async def firing(self) -> set[str]:
        """The alerts that fire now."""
        alerts = (await self.client.get("/api/v1/alerts")).json()["data"]["alerts"]
        return {each["labels"]["alertname"] for each in alerts if each["state"] == "firing"}

    async def until(self, alert: str, *, firing: bool) -> None:
        """Wait until an alert fires, or does so no more."""
        async with asyncio.timeout(60):
            while (alert in await self.firing()) is not firing:
                await asyncio.sleep(0.1)

    async def _taken(self) -> bool:
        answer = await self.client.get("/api/v1/query", params={"query": "concert_store_answers"})
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


def _configure(folder: Path, url: str) -> None:
    folder.mkdir()
    (folder / "rules.yml").write_text(re.sub(r"for: \w+", "for: 0s", (WATCH / "rules.yml").read_text()))
    target = {"targets": [url.removeprefix("http://")], "labels": {"container": "concert"}}
    (folder / "prometheus.yml").write_text(yaml.safe_dump({
        "global": {"scrape_interval": "1s", "evaluation_interval": "500ms", "scrape_timeout": "1s"},
        "rule_files": ["rules.yml"], "scrape_configs": [{"job_name": "concert", "static_configs": [target]}],
    }))  # fmt: skip


@asynccontextmanager
async def watching(path: Path, folder: Path, url: str) -> AsyncIterator[Watch]:
    """The real Prometheus, with the rules as they are except that nothing must last before it is alarmed."""
    _forget_other_tests()
    _configure(folder, url)
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
            yield Watch(client)
    finally:
        process.terminate()
        await process.wait()


async def _ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/-/ready")).status_code == 200
    except httpx.HTTPError:
        return False
