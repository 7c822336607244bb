"""The last release serves while the databases are brought up to date for the next one, and that one takes over."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.identity.scopes import ADMIN
from shared.settings import Settings
from tests.chaos.victims import _free_port
from tests.engines import Postgres
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


@asynccontextmanager
async def runs(tree: Path, settings: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """A version of Concert at work, and its administrator."""
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
            yield client
    finally:
        process.terminate()
        await process.wait()


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


async def _until_consistent(client: httpx.AsyncClient) -> None:
    certificate: dict[str, Any] = {}
    try:
        async with asyncio.timeout(60):
            while certificate.get("verdict") != "consistent":
                certificate = (await client.get("/v1/consistency?fresh=true")).json()
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(certificate) from None


@pytest.mark.nightly
async def test_the_last_release_serves_while_it_is_upgraded_and_the_next_takes_over(
    last_release: Path, settings: dict[str, str]
) -> None:
    async with runs(last_release, settings) as client:
        top = await have_goal(client, "Grow")
        part = await have_goal(client, "Win customers", top)
        migrated = await asyncio.create_subprocess_exec(
            *COMMAND, "migrate", cwd=ROOT, env=settings, stdout=asyncio.subprocess.DEVNULL
        )
        ended = asyncio.create_task(migrated.wait())
        during: list[str] = []
        while not ended.done():
            during.append(await have_goal(client, f"Part {len(during)}", top))
            assert (await client.get(f"/v1/goals/{part}")).status_code == 200
        assert await ended == 0
        assert during, "something was written while it was migrated"
        deep = await have_goal(client, "Deeper", part)
        await client.post("/v1/teams", json={"name": "West"})
    async with runs(ROOT, settings) as client:
        for goal, depth in ((top, 1), (part, 2), (deep, 3), *((each, 2) for each in during)):
            assert (await client.get(f"/v1/goals/{goal}")).json()["depth"] == depth
        deepest = await have_goal(client, "Deepest", deep)
        assert (await client.get(f"/v1/goals/{deepest}")).json()["depth"] == 4
        await _until_consistent(client)
