"""How long reviews take: `python -m tests.bench.reviewing`.

The organisation has 5,000 members in teams of six, each with four quarters of the work of team North. First without a
store, in seconds of one core, from inputs to the hashed document; then `POST /v1/reviews` of one team's last quarter,
with everybody's year in the views.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from services.metrics.review import options, rule_set
from services.metrics.review.inputs import Before, Inputs
from services.metrics.review.snapshot import take
from tests.bench.organisation import WORK, filled
from tests.charter import switched_on
from tests.review.north import START, deals, duties, north

MEMBERS, REVIEWS = 5_000, 25
DAYS = ("on", "raised_on", "resolved_on", "due", "done_on", "asked_on", "promised_by", "closed_on", "assigned_on")


def later(things: tuple[Any, ...], quarter: int) -> tuple[Any, ...]:
    """The same work again, so many quarters later."""
    shift = timedelta(days=91 * quarter)
    return tuple(
        replace(each, id=f"{each.id}.{quarter}", **{
            name: getattr(each, name) + shift for name in DAYS if getattr(each, name, None) is not None
        })
        for each in things
    )  # fmt: skip


def a_year() -> Inputs:
    """Team North's work of a year."""
    once = north(before=Before(periods=2), duties=duties(41, 52), deals=deals("B", 118, 11) + deals("F", 31, 4))
    work: dict[str, Any] = {
        name: tuple(each for quarter in range(4) for each in later(getattr(once, name), quarter)) for name in WORK
    }
    end = date.fromordinal(START.toordinal() + 364)
    return replace(once, end=end, asked=end, **work)


def without_a_store(inputs: Inputs, table: Table) -> None:
    """Review every team of the organisation, from its inputs."""
    rules, catalogue = rule_set.built_in(), options.built_in()
    teams, took = MEMBERS // len(inputs.members), []
    for _ in range(teams):
        # A new object each time: what was worked out of the last one must not be found again.
        team, began = replace(inputs), time.process_time()
        take(team, rules, catalogue)
        took.append(time.process_time() - began)
    table.add_row("all of them, from inputs to documents", f"{sum(took):.1f} s of one core", "10 s")
    table.add_row("one team, median and slowest", f"{1000 * statistics.median(took):.1f} ms, {1000 * max(took):.1f} ms")


async def over_http(inputs: Inputs, table: Table) -> None:
    """Ask for reviews of several teams, whose events are in the views with those of all others."""
    teams, took, worked = MEMBERS // len(inputs.members), [], []
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        async with filled(Path(folder), inputs, teams) as concert:
            await switched_on(concert)
            table.add_row("filling the views with everybody's year", f"{time.perf_counter() - began:.0f} s")
            for number in range(REVIEWS):
                start = START + timedelta(days=91 * 2)
                period = {"from": start.isoformat(), "to": (start + timedelta(days=91)).isoformat()}
                body = {"team": f"t{number * (teams // REVIEWS):04d}", "period": period}
                began, busy = time.perf_counter(), time.process_time()
                made = await concert.made("/v1/reviews", body)
                took.append(time.perf_counter() - began)
                worked.append(time.process_time() - busy)
                assert made["document"]["measures"]["team"]["TP4"]["n"] == "17.0000", made["document"]
            whole = {"from": str(START + timedelta(days=91 * 2)), "to": str(START + timedelta(days=91 * 3))}
            began, busy_since = time.perf_counter(), time.process_time()
            graph = await concert.admin.get("/v1/associations/organisation", params=whole, timeout=60)
            assert graph.status_code == 200, graph.text
            took_all, worked_all = time.perf_counter() - began, time.process_time() - busy_since
    table.add_row(
        "the graph of the whole organisation, of a quarter", f"{took_all:.1f} s, {worked_all:.1f} s of one core"
    )
    median, busy = 1000 * statistics.median(took), 1000 * statistics.median(worked)
    table.add_row(
        "POST /v1/reviews of a team's quarter, median", f"{median:.0f} ms, {busy:.0f} ms of one core", "300 ms"
    )


def main() -> None:
    """Measure both, and say what it took."""
    inputs = a_year()
    teams = MEMBERS // len(inputs.members)
    events = sum(len(getattr(inputs, name)) for name in WORK)
    title = f"{teams} teams, {MEMBERS} members, {teams * events:,} things of a year"
    table = Table("what", "figure", "aim", title=title)
    without_a_store(inputs, table)
    asyncio.run(over_http(inputs, table))
    Console().print(table)


if __name__ == "__main__":
    main()
