"""An organisation of 5,000 members in teams of six, with a year of events in its views.

One team's year comes over the bus as events; the others are the same rows under other names, so that filling the views
takes seconds and not the minutes of applying a million events.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from services.metrics.app import service as metrics
from services.metrics.review.inputs import Inputs
from shared.period import Period
from shared.store.migrate import metadata_of
from tests.kit.told import OBSERVATIONS
from tests.review.four_teams import COMMUNICATION, COOPERATION
from tests.review.north import NORTH, OF, START, renamed
from tests.review.told import Lives, aimed, asked, euros, heard, recruited, team_of, work_of
from tests.world import World, world

FIRST = "t0000"
WORK = ("meetings", "items", "actions", "requests", "check_ins", "duties", "deals")
QUARTER = timedelta(days=91)
KEPT_ONCE = OBSERVATIONS | {"applied", "external"}


def a_team_of(year: Inputs) -> Lives:
    """The first team and its year, with a pulse and targets for every quarter."""
    people = {each: f"{FIRST}{each}" for each in (*NORTH, *OF)}
    things = {each.id: f"{FIRST}-{each.id}" for name in WORK for each in getattr(year, name)}
    work = replace(renamed(year, people | things), team=FIRST)
    found = team_of(FIRST, [people[each] for each in NORTH], people["A"])
    for each, department in OF.items():
        found |= recruited(people[each], department)
    found |= work_of(work)
    for at in range(4):
        days = Period.between(START + at * QUARTER, START + (at + 1) * QUARTER)
        closes = days.end - timedelta(days=3)
        sums = COMMUNICATION | COOPERATION
        found |= asked(f"{FIRST}-{at}", FIRST, closes - timedelta(days=7), closes, sums, of=6)
        found |= aimed(f"{FIRST}-{at}", "team", FIRST, days, euros(200_000))
        for each in NORTH:
            found |= aimed(f"{FIRST}{each}-{at}", "member", people[each], days, euros(40_000))
    return found


@asynccontextmanager
async def filled(folder: Path, year: Inputs, teams: int) -> AsyncIterator[World]:
    """A Concert whose views hold that year for so many teams."""
    async with world(folder) as concert:
        await heard(concert, a_team_of(year))
        with closing(sqlite3.connect(folder / "metrics.db", timeout=30)) as store, store:
            for table in metadata_of(metrics).sorted_tables:
                if table.name not in KEPT_ONCE:
                    _multiply(store, table.name, teams)
        yield concert


def _multiply(store: sqlite3.Connection, table: str, teams: int) -> None:
    rows = store.execute(f'SELECT * FROM "{table}"').fetchall()
    theirs = [row for row in rows if any(isinstance(each, str) and FIRST in each for each in row)]
    if theirs:
        marks = ", ".join("?" * len(theirs[0]))
        store.executemany(f'INSERT INTO "{table}" VALUES ({marks})', _copies(theirs, teams))


def _copies(rows: Sequence[tuple[Any, ...]], teams: int) -> Iterator[tuple[Any, ...]]:
    for number in range(1, teams):
        name = f"t{number:04d}"
        for row in rows:
            yield tuple(each.replace(FIRST, name) if isinstance(each, str) else each for each in row)
