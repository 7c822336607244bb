"""How long reviews take, without a store: `python -m tests.bench.reviewing`. Seconds of one
core, from inputs to the hashed document.

The organisation has 5,000 members in teams of six, each with four quarters of the work of team North.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table

from services.metrics.review import options, rule_set
from services.metrics.review.inputs import Before, Inputs
from services.metrics.review.snapshot import take
from tests.review.north import START, deals, duties, north

MEMBERS = 5_000
WORK = ("meetings", "items", "actions", "requests", "check_ins", "duties", "deals")
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


def main() -> None:
    """Review every team of the organisation, and say how long that took."""
    inputs, rules, catalogue = a_year(), rule_set.built_in(), options.built_in()
    events = sum(len(getattr(inputs, name)) for name in WORK)
    teams, took = MEMBERS // len(inputs.members), []
    for _ in range(teams):
        # A new object each time: what was worked out of the last one must not be found again.
        team, began = replace(inputs), time.process_time()
        take(team, rules, catalogue)
        took.append(time.process_time() - began)
    table = Table("what", "figure", title=f"{teams} teams, {MEMBERS} members, {teams * events:,} things of a year")
    table.add_row("all of them", f"{sum(took):.1f} s")
    table.add_row("one team, median", f"{1000 * statistics.median(took):.1f} ms")
    table.add_row("one team, slowest", f"{1000 * max(took):.1f} ms")
    Console().print(table)


if __name__ == "__main__":
    main()
