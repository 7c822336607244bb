"""`make bench`: the table of speed, from one run on this machine. `FEW=1` makes it short.

Ratios compare two things measured in turns in the same run, because machines are noisy.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import statistics
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
from pydantic_core import to_json
from rich.console import Console
from rich.table import Table

from concert.imports.plan import Plan
from concert.imports.report import Report
from concert.imports.send import carry_out
from tests.bench import views
from tests.bench.client import Line, lines, rate
from tests.bench.grounds import PORT, Ground, embedded, on_servers, serving
from tests.bench.rebuilding import rebuilding
from tests.engines import Unavailable

FEW = bool(os.environ.get("FEW"))
CONNECTIONS, ROUNDS, SECONDS = 16, 3, 1.0 if FEW else 4.0
DEALS, WRITES_A_SECOND, WRITES = 8800 // (8 if FEW else 1), 100, 200 if FEW else 1000
Lines = list[tuple[str, str, str]]


def plan_of(deals: int) -> Plan:
    """So many deals of 30 members in 6 teams, opened and won or lost, as a CRM would send them."""
    plan = Plan("bench")
    for number in range(6):
        plan.step("teams").add({"external": plan.external(f"t{number}"), "name": f"Team {number}"})
    for number in range(30):
        person = {"external": plan.external(f"m{number}"), "name": f"Member {number}", "department": "sales"}
        plan.step("members").add(person | {"starts_on": "2025-01-01"})
    for number in range(30):
        join = {"do": "join", "member": plan.ref(f"m{number}"), "team": plan.ref(f"t{number % 6}")}
        plan.step("members").add(join | {"from": "2025-01-01"})
    for number in range(85):
        plan.step("customers").add({"external": plan.external(f"c{number}"), "name": f"Customer {number}"})
    for number in range(deals):
        deal = {"external": plan.external(f"d{number}"), "owner": plan.ref(f"m{number % 30}"),
                "customer": plan.ref(f"c{number % 85}"), "opened_on": f"2025-{number % 9 + 1:02d}-01"}  # fmt: skip
        on = f"2025-{number % 9 + 2:02d}-{number % 27 + 1:02d}"
        ref = plan.ref(f"d{number}")
        value = {"amount": f"{number % 5000 + 1}.00", "currency": "EUR"}
        closing: dict[str, Any] = {"do": "win", "deal": ref, "on": on, "value": value}
        if number % 3 == 2:
            closing = {"do": "lose", "deal": ref, "on": on, "reason": "price"}
        plan.step("deals").add(deal, closing)
    return plan


async def import_and_see(token: str, ground: Ground) -> Lines:
    """From the first byte of a CRM import to all of it visible in all five views."""
    plan, report = plan_of(DEALS), Report()
    people = Plan("bench", {name: plan.steps.pop(name) for name in ("teams", "members", "customers")})
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{PORT}", headers=headers, timeout=120) as client:
        known = await carry_out(people, client, report, lambda name, rows: None)
        waited = await client.get("/v1/deals", params={"after": known.batches}, headers={"Prefer": "wait=30"})
        assert waited.status_code == 200, waited.text
        begin = time.perf_counter()
        outcome = await carry_out(plan, client, report, lambda name, rows: None)
        query = {"period": "2025", "after": outcome.batches}
        seen = await client.get("/v1/views", params=query, headers={"Prefer": "wait=30"})
        seconds = time.perf_counter() - begin
    figures = seen.json()["views"]["sales"]["figures"]
    assert figures["deals_won"] + figures["deals_lost"] == DEALS, figures
    rate_of = f"{outcome.events / seconds:,.0f} events/s"
    return [
        (
            f"{DEALS:,} deals imported and visible in all five views",
            f"{seconds:.2f} s, {rate_of}",
            "under 5 s" if not ground.environment else "",
        )
    ]


async def write_against_echo(token: str, ground: Ground) -> Lines:
    """Durable deals against an echo of the same body, in turns."""
    numbers = itertools.count()

    def bodies() -> Iterator[bytes]:
        while True:
            yield to_json({"owner": "ext:bench:m1", "opened_on": "2025-05-05", "name": f"Deal {next(numbers)}",
                           "value": {"amount": "100.00", "currency": "EUR"}})  # fmt: skip

    stored, echoed = [], []
    async with lines(PORT, token, CONNECTIONS) as connections:
        for _ in range(ROUNDS):
            echoed.append(await rate(connections, "/v1/echo", bodies, SECONDS))
            stored.append(await rate(connections, "/v1/deals", bodies, SECONDS))
    one, other = statistics.median(stored), statistics.median(echoed)
    figure = f"{one / other:.2f} ({one:,.0f} against {other:,.0f} a second)"
    return [("durable POST of a deal against an echo, 16 connections", figure, f"at least {ground.post_ratio}")]


async def write_to_visible(token: str, ground: Ground) -> Lines:
    """At 100 writes a second: from a write's answer until all five views hold it."""
    waits: list[float] = []
    body = to_json({"owner": "ext:bench:m2", "opened_on": date(2025, 6, 1)})

    async def one(line: Line) -> None:
        _, headers, _ = await line.ask("POST", "/v1/deals", body)
        begin = time.perf_counter()
        # The rows of one figure stand in the same snapshot as all five views and cost little to show.
        path = f"/v1/views/sales/rows?figure=deals_opened&period=2025-06&limit=1&after={headers['concert-version']}"
        status, _, content = await line.ask("GET", path, extra="Prefer: wait=10\r\n")
        assert status == 200, content
        waits.append(time.perf_counter() - begin)

    async with lines(PORT, token, 64) as connections:
        free = asyncio.Queue[Line]()
        for each in connections:
            free.put_nowait(each)

        async def lent() -> None:
            line = await free.get()
            await one(line)
            free.put_nowait(line)

        begin, running = time.perf_counter(), []
        for number in range(WRITES):
            await asyncio.sleep(max(0.0, begin + number / WRITES_A_SECOND - time.perf_counter()))
            running.append(asyncio.create_task(lent()))
        await asyncio.gather(*running)
    ordered = sorted(waits)
    p50, p99 = ordered[len(ordered) // 2] * 1000, ordered[int(len(ordered) * 0.99)] * 1000
    return [
        (
            "write to visible in all five views, 100 writes/s",
            f"p50 {p50:.0f} ms, p99 {p99:.0f} ms",
            f"p99 {ground.visible}",
        )
    ]


def measure(ground: Ground, table: Table) -> None:
    """One ground's part of the table."""
    table.add_section()
    table.add_row(f"[bold]{ground.name}, one process[/bold]", "", "")
    with serving(ground) as served:
        begun, _ = served.memory()
        for measured in (import_and_see, write_against_echo, write_to_visible):
            for line in asyncio.run(measured(served.token, ground)):
                table.add_row(*line)
        now, most = served.memory()
        table.add_row("memory of the process", f"{begun} MiB at first, {now} MiB after it all, {most} MiB at most", "")
    for line in asyncio.run(rebuilding(ground)):
        table.add_row(*line)


def main() -> None:
    """Measure and print."""
    table = Table("figure", "measured", "aim", title="Concert")
    with embedded() as ground:
        measure(ground, table)
    for line in views.report(FEW):
        table.add_row(*line)
    try:
        with on_servers() as ground:
            measure(ground, table)
    except Unavailable as reason:
        table.add_row("PostgreSQL and Kafka", f"not measured: {reason}", "")
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
