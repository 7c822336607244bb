"""Rounds of work that end with a kill -9, on the embedded engines.

A client wins deals and notes which were acknowledged; a time-out or a broken connection counts as unknown. The process
is killed at a random moment, or kills itself at a named point: after a send and before its mark, after a commit and
before its answer, before an applier's commit. Then everything is started again, and at the end the books must agree.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from shared.settings import Settings
from tests.world import token_headers

POINTS = ("relay.sent=0.05", "store.committed=0.02", "applier.applied=0.02", "")
CLIENTS = 6


@dataclass
class Tally:
    """What the clients know."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    """Cents of each deal whose winning was acknowledged, by its external id."""
    unknown: dict[str, int] = field(default_factory=dict)
    kills: int = 0
    recoveries: list[float] = field(default_factory=list)
    """Seconds from each start to the first answer."""


class Victim:
    """Concert in a process of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self.environment = os.environ | {
            "CONCERT_DATA": str(folder), "CONCERT_PORT": str(port), "CONCERT_DEMO": "0", "CONCERT_LOG_LEVEL": "error",
        }  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, points: str = "") -> float:
        """Start it, and say how long it took until it answered."""
        begin = time.monotonic()
        command = [sys.executable, "-c", "from concert.cli import main; main()", "run"]
        environment = self.environment | {"CONCERT_KILL_AT": points}
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        while time.monotonic() - begin < 60:
            if self.process.poll() is not None:
                return self.start()
            try:
                httpx.get(f"{self.url}/livez", timeout=1)
            except httpx.HTTPError:
                time.sleep(0.05)
            else:
                return time.monotonic() - begin
        raise AssertionError("Concert did not come back within a minute")

    def kill(self) -> None:
        """As if the power had gone."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def client(self) -> httpx.AsyncClient:
        """An administrator's client."""
        headers = token_headers(Settings(data=self.folder), "admin")
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=10)


async def prepare(victim: Victim) -> None:
    """A seller who owns all deals."""
    async with victim.client() as client:
        body = {"name": "Seller", "department": "sales", "starts_on": "2026-01-01",
                "external": {"source": "chaos", "id": "seller"}}  # fmt: skip
        answer = await client.post("/v1/members", json=body)
        assert answer.status_code == 201, answer.text
        query = {"after": answer.headers["concert-version"]}
        await client.get("/v1/deals", params=query, headers={"Prefer": "wait=20"})


async def work(victim: Victim, tally: Tally, round_number: int, seconds: float) -> None:
    """Win deals until the time is over or the process is gone."""
    until = time.monotonic() + seconds

    async def one(worker: int, client: httpx.AsyncClient) -> None:
        number = 0
        while time.monotonic() < until:
            number += 1
            name, cents = f"{round_number}-{worker}-{number}", random.randint(1, 10_000)
            rows = (
                f'{{"external":{{"source":"chaos","id":"{name}"}},"owner":"ext:chaos:seller",'
                f'"opened_on":"2026-02-01"}}\n'
                f'{{"do":"win","deal":"ext:chaos:{name}","on":"2026-02-02","value":'
                f'{{"amount":"{cents / 100:.2f}","currency":"EUR"}}}}\n'
            )
            try:
                answer = await client.post("/v1/deals/bulk", content=rows)
            except httpx.HTTPError:
                tally.unknown[name] = cents
                return
            if answer.status_code == 200 and answer.text.count('"status":20') == 2:
                tally.acknowledged[name] = cents
            else:
                tally.unknown[name] = cents

    async with victim.client() as client:
        await asyncio.gather(*(one(worker, client) for worker in range(CLIENTS)))


async def judge(victim: Victim, tally: Tally) -> dict[str, Any]:
    """Compare what was acknowledged with what is there; raises AssertionError when anything is missing or doubled."""
    async with victim.client() as client:
        verdict: dict[str, Any] = {}
        for _ in range(300):
            verdict = (await client.get("/v1/consistency", params={"fresh": "true"})).json()
            if verdict["verdict"] == "consistent":
                break
            await asyncio.sleep(0.1)
        assert verdict["verdict"] == "consistent", verdict["reasons"]
        stored = await _stored(client)
        missing = [name for name, cents in tally.acknowledged.items() if stored.get(name) != cents]
        assert not missing, f"{len(missing)} acknowledged deals are missing or differ: {missing[:5]}"
        strangers = set(stored) - set(tally.acknowledged) - set(tally.unknown)
        assert not strangers, strangers
        view = (await client.get("/v1/views/sales", params={"period": "2026-02"})).json()
        shown = round(float(view["figures"]["revenue"]["amount"]) * 100)
        won = sum(cents for cents in stored.values() if cents is not None)
        assert shown == won, f"the view shows {shown} cents, the deals are worth {won}"
        return {"stored": len(stored), "acknowledged": len(tally.acknowledged), "unknown": len(tally.unknown)}


async def _stored(client: httpx.AsyncClient) -> dict[str, int | None]:
    stored: dict[str, int | None] = {}
    cursor: str | None = ""
    while cursor is not None:
        page = (await client.get("/v1/deals", params={"limit": 200, "cursor": cursor})).json()
        for deal in page["items"]:
            name = deal["externals"][0]["id"]
            assert name not in stored, f"{name} stands twice"
            won = deal["status"] == "won"
            stored[name] = round(float(deal["value"]["amount"]) * 100) if won else None
        cursor = page["next"]
    return stored


def run(folder: Path, port: int, rounds: int) -> tuple[Tally, dict[str, Any]]:
    """So many rounds; gives what the clients know and what was found at the end."""
    victim, tally = Victim(folder, port), Tally()
    victim.start()
    asyncio.run(prepare(victim))
    for number in range(rounds):
        asyncio.run(_round(victim, tally, number))
        victim.kill()
        tally.kills += 1
        tally.recoveries.append(victim.start(random.choice(POINTS)))
    victim.kill()
    victim.start()
    found = asyncio.run(judge(victim, tally))
    victim.kill()
    return tally, found


async def _round(victim: Victim, tally: Tally, number: int) -> None:
    seconds = random.uniform(0.3, 1.5)
    working = asyncio.create_task(work(victim, tally, number, seconds + 5))
    await asyncio.sleep(seconds)
    victim.kill()
    await working
