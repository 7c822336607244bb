"""The last release serves and applies while the databases are brought up to date for the next one and while that one
starts beside it; then the next one takes over, and hears anew what it keeps more of."""

from __future__ import annotations

import asyncio
import io
import itertools
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from concert import services
from shared.bus.kafka import KafkaBus, create_topics
from shared.identity.scopes import ADMIN
from shared.rebuild import Rebuild
from shared.settings import Settings
from shared.store import open_store
from tests.chaos.victims import _free_port
from tests.engines import Kafka, Postgres, Unavailable
from tests.metrics.company import settle_in
from tests.upgrade.dumped import RELEASED, SERVICES
from tests.world import token_headers

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from concert.cli import main; main()")


@pytest.fixture
def last_release(tmp_path: Path) -> Path:
    """The tree of the last release, which is the commit that kept its databases."""
    asked = ["git", "log", "-1", "--format=%H", "--", str(RELEASED)]
    commit = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    if not commit:
        pytest.skip("there is no history here that has the last release")
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(tmp_path / "last", filter="data")
    return tmp_path / "last"


@pytest.fixture
async def settings(postgres_server: Postgres, tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """What both versions are told: a folder, a port, and databases of their own."""
    name = f"p{uuid4().hex[:12]}"
    for service in SERVICES:
        await postgres_server.create_database(f"{name}_{service}")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("CONCERT_")}
    yield kept | {
        "CONCERT_DATA": str(tmp_path / "data"), "CONCERT_PORT": str(_free_port()), "CONCERT_DEMO": "0",
        "CONCERT_STORE_URL": postgres_server.url(name + "_{service}"), "CONCERT_LOG_LEVEL": "error",
    }  # fmt: skip
    for service in SERVICES:
        await postgres_server.drop_database(f"{name}_{service}")


@pytest.fixture
async def settings_on_kafka(settings: dict[str, str]) -> AsyncIterator[dict[str, str]]:
    """The same, and a broker of their own: its topics bear their own names."""
    broker = Kafka()
    try:
        await asyncio.to_thread(broker.start)
    except Unavailable as reason:
        pytest.skip(str(reason))
    try:
        await create_topics(broker.address)
        yield settings | {"CONCERT_BUS": "kafka", "CONCERT_KAFKA_BOOTSTRAP_SERVERS": broker.address}
    finally:
        await asyncio.to_thread(broker.remove)


@dataclass
class Running:
    """A version of Concert at work, and its administrator."""

    process: asyncio.subprocess.Process
    client: httpx.AsyncClient

    async def end(self, *signals: signal.Signals) -> None:
        """Send it these signals, and see it end."""
        for each in signals:
            self.process.send_signal(each)
        await self.process.wait()


@asynccontextmanager
async def started(tree: Path, settings: dict[str, str]) -> AsyncIterator[Running]:
    """A version of Concert, ready; it ends with the context at the latest."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "run", cwd=tree, env=settings, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{settings['CONCERT_PORT']}"
        async with httpx.AsyncClient(base_url=url, timeout=40) as client:
            async with asyncio.timeout(240):
                while not await _ready(client):
                    assert process.returncode is None, "it has ended"
                    await asyncio.sleep(0.1)
            chosen = Settings(data=Path(settings["CONCERT_DATA"]))
            client.headers.update(token_headers(chosen, ADMIN))
            yield Running(process, client)
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
            process.terminate()
        await process.wait()


@asynccontextmanager
async def runs(tree: Path, settings: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """The administrator of a version of Concert at work."""
    async with started(tree, settings) as running:
        yield running.client


async def _ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).status_code == 200
    except httpx.HTTPError:
        return False


async def have_goal(client: httpx.AsyncClient, title: str, parent: str | None = None) -> str:
    """A goal, which may be a part of another; the identifier."""
    body: dict[str, Any] = {"title": title, "owner": {"level": "organisation"}, "period": "2026"}
    if parent is not None:
        body |= {"parent": parent, "weight": "0.0001"}
    answer = await client.post("/v1/goals", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def migrated(settings: dict[str, str], work: Callable[[], Awaitable[None]]) -> None:
    """Bring the databases up to date, while this work is done again and again."""
    migrating = await asyncio.create_subprocess_exec(
        *COMMAND, "migrate", cwd=ROOT, env=settings, stdout=asyncio.subprocess.DEVNULL
    )
    ended, done = asyncio.create_task(migrating.wait()), 0
    while not ended.done():
        await work()
        done += 1
    assert await ended == 0
    assert done, "something was done while it was migrated"


@pytest.mark.nightly
async def test_the_last_release_has_goals_while_it_is_upgraded_and_the_next_shows_them(
    last_release: Path, settings: dict[str, str]
) -> None:
    async with runs(last_release, settings) as client:
        top = await have_goal(client, "Grow")
        part = await have_goal(client, "Win customers", top)
        during: list[str] = []

        async def work() -> None:
            during.append(await have_goal(client, f"Part {len(during)}", top))
            assert (await client.get(f"/v1/goals/{part}")).status_code == 200

        await migrated(settings, work)
        deep = await have_goal(client, "Deeper", part)
    async with runs(ROOT, settings) as client:
        for goal, depth in ((top, 1), (part, 2), (deep, 3), *((each, 2) for each in during)):
            assert (await client.get(f"/v1/goals/{goal}")).json()["depth"] == depth
        deepest = await have_goal(client, "Deepest", deep)
        assert (await client.get(f"/v1/goals/{deepest}")).json()["depth"] == 4


async def verdict(client: httpx.AsyncClient) -> str:
    """What the certificate says now, with its reasons."""
    said = (await client.get("/v1/consistency", params={"fresh": "true"})).json()
    return "; ".join([said["verdict"], *said["reasons"]])


async def becomes_consistent(client: httpx.AsyncClient, seconds: float = 120) -> set[str]:
    """Wait for it; what was said on the way."""
    said: list[str] = []
    async with asyncio.timeout(seconds):
        while not said or said[-1] != "consistent":
            said.append(await verdict(client))
            await asyncio.sleep(0.1)
    return set(said)


async def differences(settings: dict[str, str]) -> dict[str, Any]:
    """By service, in what its database is not what the log gives."""
    found: dict[str, Any] = {}
    bus = KafkaBus(settings["CONCERT_KAFKA_BOOTSTRAP_SERVERS"], "compared")
    await bus.start()
    try:
        for service in services.SERVICES:
            if service.subscriptions is not None:
                store = open_store(settings["CONCERT_STORE_URL"], service.name)
                await store.start()
                try:
                    found[service.name] = (await Rebuild(store, bus, service.subscriptions, None).run()).differences
                finally:
                    await store.close()
    finally:
        await bus.close()
    return found


@pytest.mark.nightly
@pytest.mark.parametrize("way", ["asked", "killed", "stood still"])
async def test_an_applier_of_the_last_release_runs_beside_the_next_and_views_lack_nothing(
    last_release: Path, settings_on_kafka: dict[str, str], way: str
) -> None:
    settings, numbers = settings_on_kafka, itertools.count()
    beside = settings | {"CONCERT_PORT": str(_free_port())}

    async def met(client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/customers", json={"name": f"Customer {next(numbers)}"})
        assert answer.status_code == 201, answer.text
        views = await client.get("/v1/views", params={"period": "2025"})
        assert views.status_code == 200, views.text
        deals = views.json()["views"]["sales"]["figures"]["deals_won"]
        assert deals == won, "what is known stays readable"

    async with AsyncExitStack() as stack:
        old = await stack.enter_async_context(started(last_release, settings))
        tokens = await settle_in(old.client)
        query = {"after": tokens, "period": "2025"}
        views = await old.client.get("/v1/views", params=query, headers={"Prefer": "wait=30"})
        won = views.json()["views"]["sales"]["figures"]["deals_won"]
        await becomes_consistent(old.client)
        await migrated(settings, lambda: met(old.client))
        new = await stack.enter_async_context(started(ROOT, beside))
        for _ in range(20):
            await met(old.client)
            await met(new.client)
        assert "heard anew" in await verdict(new.client), "the last release still applies"
        if way == "asked":
            await old.end(signal.SIGTERM)
        elif way == "killed":
            await old.end(signal.SIGKILL)
        else:
            old.process.send_signal(signal.SIGSTOP)
        for _ in range(20):
            await met(new.client)
        said = await becomes_consistent(new.client)
        assert not any(each.startswith("inconsistent") for each in said), said
        if way == "stood still":
            old.process.send_signal(signal.SIGCONT)
            for _ in range(20):
                await met(new.client)
            await becomes_consistent(new.client)
            await old.end(signal.SIGTERM)
        customers = (await new.client.get("/v1/views/sales", params={"period": "2025"})).json()
        assert customers["figures"]["deals_won"] == won
        await becomes_consistent(new.client)
    found = await differences(settings)
    assert found == {name: {} for name in found}
    assert set(found) == set(SERVICES)
