"""What must be true after each fault: all that was acknowledged is there once, and the views show it to the cent."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import httpx

from tests.chaos.kills import Notes
from tests.compose.load import COLLECTIONS
from tests.compose.stack import Stack

SECONDS_TO_AGREE = 90
NARROWED = {"deals": {"owner": "ext:chaos:seller"}}


@dataclass(frozen=True, slots=True)
class Verdict:
    """How long it took until all agreed, and what was wrong then."""

    seconds: float
    lost: list[str]
    doubled: list[str]
    wrong: list[str]


async def judged(stack: Stack, notes: Notes, staff: int, *, bearing: str = "") -> Verdict:
    """Wait until the certificate says `consistent`, or doubts nothing but what is to be borne; then compare."""
    begin = time.monotonic()
    await agreed(stack, bearing)
    seconds = time.monotonic() - begin
    async with stack.client(seconds=30) as client:
        found = dict(zip(COLLECTIONS, await asyncio.gather(*(_stored(client, each) for each in COLLECTIONS)),
                         strict=True))  # fmt: skip
        answer = await client.get("/v1/views", params={"period": "2026-02"})
        assert answer.status_code == 200, answer.text
    views = {name: view["figures"] for name, view in answer.json()["views"].items()}
    lost = [f"{kind} {name}" for (kind, name), act in notes.acknowledged.items()
            if act.cents not in found[kind].get(name, [])]  # fmt: skip
    sent = notes.acknowledged.keys() | notes.unknown.keys()
    doubled = [f"{kind} {name}" for kind, each in found.items() for name, values in each.items()
               if len(values) > 1 or ((kind, name) not in sent and name != "seller")]  # fmt: skip
    return Verdict(seconds, lost, doubled, _differences(views, found, staff))


def _differences(views: Any, found: dict[str, dict[str, list[int]]], staff: int) -> list[str]:
    """Figures of the views that are not what their owners store."""
    stored = {kind: sum(sum(values) for values in each.values()) for kind, each in found.items()}
    expected = {
        "revenue in sales": (_cents(views["sales"]["revenue"]), stored["deals"]),
        "revenue in finance": (_cents(views["finance"]["revenue"]), stored["deals"]),
        "invoiced": (_cents(views["accounting"]["invoiced"]), stored["invoices"]),
        "headcount": (views["hr"]["headcount"], staff + len(found["members"])),
        "requests": (views["it"]["requests_opened"], len(found["requests"])),
    }
    return [f"{name}: {seen} instead of {right}" for name, (seen, right) in expected.items() if seen != right]


async def agreed(stack: Stack, bearing: str = "") -> None:
    """Wait for the certificate and for readiness. Raises AssertionError with what they say last."""
    until = time.monotonic() + SECONDS_TO_AGREE
    said = ""
    while time.monotonic() < until:
        try:
            async with stack.client(seconds=15) as client:
                certificate = await client.get("/v1/consistency", params={"fresh": "true"})
                ready = await client.get("/readyz")
            said = f"{certificate.text[:400]} {ready.text}"
            if certificate.status_code == ready.status_code == 200 and _bears(certificate.json(), bearing):
                return
        except httpx.HTTPError as fault:
            said = repr(fault)
        await asyncio.sleep(0.25)
    raise AssertionError(f"not consistent within {SECONDS_TO_AGREE} s: {said}")


def _bears(certificate: Any, bearing: str) -> bool:
    if certificate["verdict"] == "consistent":
        return True
    return bool(bearing) and all(bearing in reason for reason in certificate["reasons"])


async def _stored(client: httpx.AsyncClient, collection: str) -> dict[str, list[int]]:
    """Everything that the clients named, with the cents in it; what stands twice has two."""
    found: dict[str, list[int]] = {}
    query = {"limit": "200"} | NARROWED.get(collection, {})
    while True:
        answer = await client.get(f"/v1/{collection}", params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        for each in page["items"]:
            for name in {known["id"] for known in each["externals"] if known["source"] == "chaos"}:
                found.setdefault(name, []).append(_cents_of(collection, each))
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


def _cents_of(collection: str, thing: dict[str, Any]) -> int:
    if collection == "invoices":
        return _cents(thing["amount"])
    return _cents(thing["value"]) if thing.get("status") == "won" else 0


def _cents(money: dict[str, str]) -> int:
    return round(float(money["amount"]) * 100)


def summed(verdicts: list[Verdict]) -> Counter[str]:
    """How much was lost, doubled and wrong in all."""
    return Counter({"lost": sum(len(each.lost) for each in verdicts),
                    "doubled": sum(len(each.doubled) for each in verdicts),
                    "wrong": sum(len(each.wrong) for each in verdicts)})  # fmt: skip
