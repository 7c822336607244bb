"""Rounds of work that end with a kill -9, and what must be true afterwards.

Clients hire people, win deals, send invoices and ask other departments, and note what was acknowledged; a time-out or
a broken connection counts as unknown, and is sent again with the same Idempotency-Key after the kill. Processes are
killed at a random moment, or kill themselves at a named point: after a send and before its mark, after a commit and
before its answer, before an applier's commit. At the end nothing acknowledged may be missing, nothing may stand twice,
money may not differ by a cent, and the views must be those that the log gives from its beginning.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.chaos.victims import Victim, rebuilt_and_live, some

POINTS = ("relay.sent=0.05", "store.committed=0.02", "applier.applied=0.02", "")
CLIENTS = 6
SECONDS_OF_WORK = (0.1, 0.9)
"""How long after a start the next kill comes."""
SECONDS_TO_AGREE = 60
SERVICE = {"members": "teams", "deals": "targets", "invoices": "targets", "requests": "meetings"}


@dataclass(frozen=True)
class Act:
    """One write that a client asks for: what it makes, and how much money is in it."""

    collection: str
    name: str
    cents: int

    @property
    def body(self) -> dict[str, Any]:
        """What is sent."""
        named = {"external": {"source": "chaos", "id": self.name}}
        amount = {"amount": f"{self.cents / 100:.2f}", "currency": "EUR"}
        if self.collection == "members":
            return named | {"name": f"Seller {self.name}", "department": "sales", "starts_on": "2026-01-01"}
        if self.collection == "deals":
            return named | {"owner": "ext:chaos:seller", "opened_on": "2026-02-01", "value": amount}
        if self.collection == "invoices":
            return named | {"deal": f"ext:chaos:{self.name}", "amount": amount, "on": "2026-02-03"}
        return named | {"kind": "it_support", "title": f"Help with {self.name}", "to": {"department": "it"},
                        "from": {"department": "sales"}, "promised_by": "2026-02-20",
                        "at": "2026-02-10T08:00:00Z"}  # fmt: skip


WIN = {"on": "2026-02-02"}


@dataclass
class Notes:
    """What the clients know, and what the kills cost."""

    acknowledged: dict[tuple[str, str], Act] = field(default_factory=dict)
    won: set[str] = field(default_factory=set)
    """Deals whose winning was acknowledged."""
    unknown: dict[tuple[str, str], Act] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    kills: int = 0
    """How many processes have been killed, or have killed themselves."""
    at_points: int = 0
    """How many processes have killed themselves at a named point."""
    recoveries: list[float] = field(default_factory=list)
    """Seconds from each start until all answered."""


async def prepare(victim: Victim) -> None:
    """A seller who owns all deals, known to everybody."""
    body = {"name": "Seller", "department": "sales", "starts_on": "2026-01-01",
            "external": {"source": "chaos", "id": "seller"}}  # fmt: skip
    async with victim.client("teams") as client:
        answer = await client.post("/v1/members", json=body)
        assert answer.status_code == 201, answer.text
    async with victim.client("targets") as client:
        query = {"after": answer.headers["concert-version"]}
        known = await client.get("/v1/deals", params=query, headers={"Prefer": "wait=30"})
        assert known.status_code == 200, known.text


class Clients:
    """Six clients that work at once until the time is over or nobody answers."""

    def __init__(self, victim: Victim, notes: Notes) -> None:
        self.clients = {service: victim.client(service) for service in set(SERVICE.values())}
        self.notes = notes

    async def work(self, number: int, seconds: float) -> None:
        """Send what had no answer before the kill once more, then new things."""
        until = time.monotonic() + seconds
        for act in list(self.notes.unknown.values()):
            if not await self._do(act):
                break
        await asyncio.gather(*(self._one(f"{number}-{worker}", until) for worker in range(CLIENTS)))
        for client in self.clients.values():
            await client.aclose()

    async def _one(self, worker: str, until: float) -> None:
        for act in acts(worker):
            if act.collection == "invoices" and act.name not in self.notes.won:
                continue
            if time.monotonic() > until or not await self._do(act):
                return
            await asyncio.sleep(0.005)

    async def _do(self, act: Act) -> bool:
        """Do it and note what came of it; whether there was an answer."""
        notes, key = self.notes, (act.collection, act.name)
        notes.unknown[key] = act
        try:
            if not await self._ask(f"/v1/{act.collection}", act, act.body):
                return True
            if act.collection == "deals":
                path = f"/v1/deals/ext:chaos:{act.name}/win"
                amount = act.body["value"]
                if await self._ask(path, act, WIN | {"value": amount}):
                    notes.won.add(act.name)
        except httpx.HTTPError:
            return False
        del notes.unknown[key]
        notes.acknowledged[key] = act
        return True

    async def _ask(self, path: str, act: Act, body: dict[str, Any]) -> bool:
        key = {"Idempotency-Key": f"{act.name}{path.replace('/', '-')}"}
        answer = await self.clients[SERVICE[act.collection]].post(path, json=body, headers=key)
        if answer.status_code in (409, 422) and "in-flight" not in answer.text:
            self.notes.refused.append(f"{path}: {answer.text}")
        elif answer.status_code in (200, 201):
            return True
        # An overload or a store that is just coming back: not known, asked again after the next start.
        return False


def acts(worker: str) -> Iterator[Act]:
    """What a client does, one thing after the other."""
    number = 0
    while True:
        number += 1
        name, cents = f"{worker}-{number}", random.randint(1, 10_000)
        yield Act("deals", name, cents)
        yield Act("invoices", name, cents)
        if number % 4 == 0:
            yield Act("members", name, 0)
        if number % 3 == 0:
            yield Act("requests", name, 0)


async def judge(victim: Victim, notes: Notes) -> dict[str, int]:
    """Compare what was acknowledged with what is there. Raises AssertionError when anything is missing, doubled or
    other than it was."""
    assert not notes.refused, notes.refused[:3]
    await _agreed(victim)
    async with victim.client("metrics") as client:
        answer = await client.get("/v1/views", params={"period": "2026-02"})
        assert answer.status_code == 200, answer.text
        views = {name: view["figures"] for name, view in answer.json()["views"].items()}
    stored = {name: await _stored(victim, name) for name in SERVICE}
    for (collection, name), act in notes.acknowledged.items():
        assert stored[collection].get(name) == act.cents, f"{collection} {name}: acknowledged, but missing or different"
    for collection, found in stored.items():
        sent = {name for kind, name in notes.acknowledged.keys() | notes.unknown.keys() if kind == collection}
        assert not set(found) - sent - {"seller"}, f"{collection} that nobody has sent"
    won = sum(cents for cents in stored["deals"].values() if cents)
    assert _cents(views["sales"]["revenue"]) == _cents(views["finance"]["revenue"]) == won
    assert _cents(views["accounting"]["invoiced"]) == sum(stored["invoices"].values())
    assert views["hr"]["headcount"] == len(stored["members"])
    assert views["it"]["requests_opened"] == len(stored["requests"])
    victim.kill()
    rebuilt, live = await rebuilt_and_live(victim)
    assert rebuilt.keys() == live.keys()
    for table, rows in live.items():
        assert rebuilt[table] == rows, f"{table} differs from what the log gives"
    return {name: len(found) for name, found in stored.items()}


async def _agreed(victim: Victim) -> None:
    """Wait until the certificate says that all views agree with their sources."""
    until = time.monotonic() + SECONDS_TO_AGREE
    async with victim.client("metrics") as client:
        while True:
            answer = await client.get("/v1/consistency", params={"fresh": "true"})
            if answer.status_code == 200 and answer.json()["verdict"] == "consistent":
                return
            assert time.monotonic() < until, answer.text
            await asyncio.sleep(0.2)


async def _stored(victim: Victim, collection: str) -> dict[str, int]:
    """Everything of a collection by the name that the client gave it, with the cents in it."""
    stored: dict[str, int] = {}
    cursor: str | None = ""
    async with victim.client(SERVICE[collection]) as client:
        while cursor is not None:
            query = {"limit": "200"} | ({"cursor": cursor} if cursor else {})
            answer = await client.get(f"/v1/{collection}", params=query)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            for each in page["items"]:
                name = each["externals"][0]["id"]
                assert name not in stored, f"{collection}: {name} stands twice"
                if collection == "invoices":
                    stored[name] = _cents(each["amount"])
                else:
                    stored[name] = _cents(each["value"]) if each.get("status") == "won" else 0
            cursor = page["next"]
    return stored


def _cents(money: dict[str, str]) -> int:
    return round(float(money["amount"]) * 100)


def run(victim: Victim, kills: int) -> tuple[Notes, dict[str, int]]:
    """So many kills; gives what the clients know and how many things of each collection were found at the end."""
    notes = Notes()
    try:
        victim.start()
        asyncio.run(prepare(victim))
        number = 0
        while notes.kills < kills:
            asyncio.run(_round(victim, notes, number))
            number += 1
        victim.kill()
        victim.start()
        asyncio.run(Clients(victim, notes).work(number, 0.5))
        return notes, asyncio.run(judge(victim, notes))
    finally:
        victim.kill()


async def _round(victim: Victim, notes: Notes, number: int) -> None:
    """Work, and a kill in the middle of it."""
    seconds = random.uniform(*SECONDS_OF_WORK)
    working = asyncio.create_task(Clients(victim, notes).work(number, seconds + 2))
    await asyncio.sleep(seconds)
    dead: Sequence[str] = [part for part in victim.parts if victim.processes[part].exitcode is not None]
    notes.at_points += len(dead)
    if not dead:
        dead = some(victim.parts)
        victim.kill(*dead)
    notes.kills += len(dead)
    await working
    notes.recoveries.append(await asyncio.to_thread(victim.start, random.choice(POINTS)))
