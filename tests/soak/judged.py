"""What must be true when all has been told and nothing goes wrong any more."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import httpx

from services.metrics.consistency.certificate import OWNERS
from tests.soak.company import SPAN
from tests.soak.grounds import Ground, Progress
from tests.soak.lives import Figures
from tests.soak.telling import Teller

STUCK_SECONDS: Final = 60.0
ASK_SECONDS: Final = 60.0
CERTIFIED_SECONDS: Final = 180.0
"""For all shards of all owners to be verified, of which each look takes seconds where there is much."""


async def all_applied(ground: Ground, teller: Teller) -> dict[str, Progress]:
    """Wait until every event has been applied or given up. Raises AssertionError when nothing moves any more."""
    wanted = {owner: teller.books.told[owner] - teller.broken[owner] for owner in OWNERS}
    last, moved = dict[str, Progress](), time.monotonic()
    while True:
        try:
            found = await ground.progress()
        except OSError:
            found = last
        if found != last:
            last, moved = found, time.monotonic()
        lacking = {owner: count - _of(found, owner).applied for owner, count in wanted.items()}
        held = {owner: count - _of(found, owner).skipped for owner, count in teller.given_up.items()}
        if not any(lacking.values()) and not any(count > 0 for count in held.values()):
            return found
        assert time.monotonic() - moved < STUCK_SECONDS, f"not applied: {lacking}; not given up: {held}"
        await asyncio.sleep(0.5)


def _of(progress: Mapping[str, Progress], owner: str) -> Progress:
    return progress.get(owner, Progress(0, 0, 0))


async def certified(ground: Ground, given_up: Counter[str]) -> tuple[float, dict[str, Any]]:
    """Wait for a certificate that doubts nothing but what was given up; how many seconds it took to compute. Raises
    AssertionError."""
    borne = sorted(
        f"{count} events of {owner} were discarded by hand, each for a reason that is kept"
        for owner, count in given_up.items() if count
    )  # fmt: skip
    until, found = time.monotonic() + CERTIFIED_SECONDS, dict[str, Any]()
    async with ground.victim.client("metrics") as client:
        while time.monotonic() < until:
            began = time.monotonic()
            answer = await client.get("/v1/consistency", params={"fresh": "true"}, timeout=ASK_SECONDS)
            found = answer.json()
            if answer.status_code == 200 and sorted(found["reasons"]) == borne:
                assert found["verdict"] == ("catching_up" if borne else "consistent")
                assert found["accepted"] is bool(borne)
                return time.monotonic() - began, found
            await asyncio.sleep(0.5)
    raise AssertionError(f"the certificate says {found.get('reasons', found)}, and not {borne}")


async def differences(ground: Ground, figures: Figures) -> list[str]:
    """Where the views show something else than what was told."""
    async with ground.victim.client("metrics") as client:
        views = (await _asked(client, "/v1/views", **SPAN))["views"]
        found = {
            f"{name} of {view}": (views[view]["figures"][name], right) for (view, name), right in figures.whole.items()
        }  # fmt: skip
        rows = (await _asked(client, "/v1/views/sales", breakdown="team", **SPAN))["breakdown"]["rows"]
        parts = {row["ref"]: row["figures"] for row in rows}
        # One after the other: a read of two years by month may take longer than a busy database gives it.
        for month in sorted({month for _, month in figures.by_month}):
            parts[month] = (await _asked(client, "/v1/views/sales", period=month))["figures"]
        for (name, ref), right in {**figures.by_team, **figures.by_month}.items():
            found[f"{name} of {ref}"] = (parts.get(ref, {}).get(name), right)
    return [f"{name}: {shown} instead of {right}" for name, (shown, right) in found.items() if _plain(shown) != right]


async def _asked(client: httpx.AsyncClient, path: str, **query: str) -> Any:
    """What is answered; who is told to ask again does."""
    until = time.monotonic() + CERTIFIED_SECONDS
    while True:
        answer = await client.get(path, params=query, timeout=ASK_SECONDS)
        if answer.status_code != 503 or time.monotonic() > until:
            assert answer.status_code == 200, answer.text
            return answer.json()
        await asyncio.sleep(1)


def _plain(shown: Any) -> Any:
    """A figure as it was counted: money in cents."""
    return int(Decimal(shown["amount"]) * 100) if isinstance(shown, dict) else shown
