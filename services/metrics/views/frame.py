"""The frame of every view: a question, the snapshot it is asked of, and figures that know their definition.

A figure is a function of a `Reading`. The same function gives the whole, a filtered view and each row of a breakdown:
a row is the question again with one more filter, reading from a ledger that was grouped once for all rows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.teams import DepartmentFact, TeamFact
from services.metrics.sums import ALL
from services.metrics.views.groups import group_ledger, owned_by_group
from services.metrics.views.ledger import Entry, Ledger, Span, entry_of, ledger_of, read_ledger
from services.metrics.views.sources import BY_TEAM, SOURCES, Source, sources_of
from shared.period import Period, Unit
from shared.store import Snapshot

DIMENSIONS: Final = ("department", "team", "group", "member", "customer", "product", "kind")
STRETCHES: Final[dict[str, Unit]] = {"month": "month", "quarter": "quarter", "week": "week"}
BREAKDOWNS: Final = (*STRETCHES, *DIMENSIONS, "region")
_deals = SOURCES[0]
_department = DepartmentFact.__table__.c  # type: ignore[attr-defined]
_team = TeamFact.__table__.c  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a view: a period, whose, and in which light."""

    period: Period
    today: date
    """The day of asking, in the organisation's time zone."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """By dimension the id that everything must belong to."""
    currency: str = "EUR"
    """What nothing is shown in: the organisation's currency."""
    first_month: int = 1
    zone: str = "UTC"

    @property
    def span(self) -> Span:
        """The days that flows are counted in, and the day up to which stocks are."""
        tomorrow = date.fromordinal(self.today.toordinal() + 1)
        return Span(self.period.start, self.period.end, max(self.period.start, min(self.period.end, tomorrow)))


Compute = Callable[["Reading"], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of a view: its key, what it means, how it is computed, and what rows it is made of."""

    key: str
    definition: str
    compute: Compute
    rows: str | None = None
    """The name of the source in `rows.py` that lists what the figure is made of."""


@dataclass(frozen=True, slots=True)
class View:
    """One department's view."""

    department: str
    figures: Sequence[Figure]
    kinds_of: str = ""
    """The measure whose kinds a breakdown by kind runs over: a view's kinds are not another's."""

    def figure(self, key: str) -> Figure | None:
        """The figure of this key."""
        return next((each for each in self.figures if each.key == key), None)


@dataclass(slots=True)
class Shelf:
    """What the rows of one breakdown share, so that it is read once."""

    ledgers: dict[Any, Ledger] = field(default_factory=dict)
    memo: dict[Any, Any] = field(default_factory=dict)


class Reading:
    """A question put to a snapshot."""

    def __init__(
        self, snapshot: Snapshot, question: Question, shelf: Shelf | None = None, along: str | None = None
    ) -> None:
        self.snapshot = snapshot
        self.question = question
        self.shelf = shelf or Shelf()
        self.along = along
        """The dimension of the breakdown this is a row of, if it is one."""
        self.notes: dict[str, str] = {}

    @property
    def filters(self) -> Mapping[str, str]:
        """By dimension the id that everything must belong to."""
        return self.question.filters

    async def flow(self, measure: str) -> Entry:
        """What happened inside the period."""
        ledger, keys = await self._entries(measure)
        return entry_of(ledger.inside, measure, keys)

    async def start(self, measure: str) -> Entry:
        """All that had happened before the period began."""
        ledger, keys = await self._entries(measure)
        return entry_of(ledger.before, measure, keys)

    async def stock(self, measure: str) -> Entry:
        """All that has happened up to the period's end or the day of asking, whichever is earlier."""
        ledger, keys = await self._entries(measure)
        return entry_of(ledger.until, measure, keys)

    async def measured_along(self, dim: str, key: str, measure: str, *, stock: bool = False) -> Entry:
        """A measure of one key of another dimension, of the same period: its flow, or its stock at the end."""
        ledger = await self._ledger(dim, {}, [key], measure)
        return entry_of(ledger.until if stock else ledger.inside, measure, [key])

    async def entries_along(self, dim: str, measure: str, *, stock: bool = False) -> dict[str, Entry]:
        """A measure for each key of a dimension, of what the question is about: its flow, or its stock at the end."""
        others = {each: value for each, value in self.filters.items() if each != dim}
        ledger = await self._ledger(dim, others, [], measure)
        only = self.filters.get(dim)
        return {
            key: entry
            for (key, name), entry in (ledger.until if stock else ledger.inside).items()
            if name == measure and only in (None, key)
        }

    async def measures(self, beginning: str) -> list[str]:
        """The measures that begin so and of which anything is known by the end."""
        ledger, keys = await self._entries(beginning)
        return sorted({name for key, name in ledger.until if name.startswith(beginning) and key in keys})

    async def departments(self) -> list[str]:
        """The ids of all departments."""
        rows = await self.snapshot.rows(sa.select(_department.id).order_by(_department.id))
        return [key for (key,) in rows]

    async def _entries(self, measure: str) -> tuple[Ledger, Sequence[str]]:
        dim = self.along or (next(iter(self.filters), ALL) if len(self.filters) == 1 else ALL)
        others = {each: value for each, value in self.filters.items() if each != dim}
        keys = [self.filters[dim]] if dim else [ALL]
        if dim == "group" and not others and _deals in sources_of(measure):
            return await self.shared(f"ledger of group {keys[0]}", lambda: group_ledger(self, keys[0])), keys
        if dim in BY_TEAM and any(dim not in source.columns for source in sources_of(measure)):
            teams = await self.teams_by(dim)
            dim, keys = "team", teams.get(keys[0], [])
        return await self._ledger(dim, others, keys, measure), keys

    async def _ledger(self, dim: str, others: Mapping[str, str], keys: Sequence[str], measure: str) -> Ledger:
        grouped = self.along is not None or len(keys) != 1
        sources = sources_of(measure) if others else ()
        names = tuple(source.model.kind for source in sources)
        place = (dim, None if grouped else keys[0], tuple(sorted(others.items())), self.question.span, names)
        found = self.shelf.ledgers.get(place)
        if found is None:
            if others:
                found = ledger_of([await self._facts(each, others) for each in sources], dim, self.question.span)
            else:
                one = None if grouped or dim == ALL else keys[0]
                found = await read_ledger(self.snapshot, dim, self.question.span, one)
            self.shelf.ledgers[place] = found
        return found

    async def _facts(self, source: Source, filters: Mapping[str, str]) -> tuple[Any, Sequence[Any]]:
        conditions = await self.passing(source, filters)
        return source.keeper, await self.snapshot.all(source.model, sa.select(source.model).where(*conditions))

    async def deals_of(self, filters: Mapping[str, str]) -> list[sa.ColumnElement[bool]]:
        """The conditions that deals meet which pass these filters."""
        return await self.passing(_deals, filters)

    async def passing(self, source: Source, filters: Mapping[str, str]) -> list[sa.ColumnElement[bool]]:
        """The conditions that the facts of a source meet which pass these filters."""
        conditions: list[sa.ColumnElement[bool]] = []
        for dim, value in filters.items():
            if dim in source.columns:
                conditions.append(source.columns[dim] == value)
            elif dim in BY_TEAM and "team" in source.columns:
                conditions.append(source.columns["team"].in_((await self.teams_by(dim)).get(value, [])))
            elif dim == "group" and source is _deals:
                conditions.append(await owned_by_group(self, value))
        return conditions

    def split_by(self, figure: str, measure: str) -> bool:
        """Whether a measure is known by everything the question is about; if not, a note says so."""
        strange = sorted(dim for dim in self.filters if not all(each.knows(dim) for each in sources_of(measure)))
        if strange:
            self.note(figure, f"it is not known by {' and '.join(strange)}")
        return not strange

    async def teams_by(self, dim: str) -> dict[str, list[str]]:
        """The teams of each region or department."""

        async def read() -> dict[str, list[str]]:
            found: dict[str, list[str]] = {}
            for team, whose in await self.snapshot.rows(sa.select(_team.id, _team[dim])):
                found.setdefault(whose or "", []).append(team)
            return found

        result: dict[str, list[str]] = await self.shared(f"teams by {dim}", read)
        return result

    async def once(self, name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        """Something several figures of one question need, computed once."""
        place = (name, tuple(sorted(self.filters.items())), self.question.span)
        if place not in self.shelf.memo:
            self.shelf.memo[place] = await work()
        return self.shelf.memo[place]

    async def shared(self, name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        """Something all rows of a breakdown need, computed once for all of them."""
        place = (name, self.question.span)
        if place not in self.shelf.memo:
            self.shelf.memo[place] = await work()
        return self.shelf.memo[place]

    def note(self, figure: str, why: str) -> None:
        """Say why a figure is not known."""
        self.notes[figure] = why

    def row(self, dim: str, key: str) -> Reading:
        """The same question about one of a dimension."""
        narrowed = replace(self.question, filters={**self.filters, dim: key})
        return Reading(self.snapshot, narrowed, self.shelf, dim)

    def over(self, period: Period) -> Reading:
        """The same question about other days; rows of a breakdown share what is read for them."""
        # Ledgers are kept by their span, so one shelf holds those of several periods.
        return Reading(self.snapshot, replace(self.question, period=period), self.shelf, self.along)

    def within(self, period: Period) -> Reading:
        """The same question about a part of the period."""
        return Reading(self.snapshot, replace(self.question, period=period), Shelf(), self.along)


async def compute(view: View, reading: Reading) -> dict[str, Any]:
    """All figures of a view for one question; one that is not known is none, with a note saying why."""
    figures = {}
    for figure in view.figures:
        value = await figure.compute(reading)
        if value is None and figure.key not in reading.notes:
            reading.note(figure.key, "there is nothing to compute it from")
        figures[figure.key] = value
    return figures
