"""The frame of every view: a question, the snapshot it is asked of, and figures that know their definition.

A figure is a function of a `Reading`. The same function gives the whole, a filtered view and each row of a breakdown:
a row is the question again with one more filter, reading from a ledger that was grouped once for all rows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import sqlalchemy as sa

from services.metrics.facts.deal_cells import Belongs
from services.metrics.facts.money_cells import NOBODY
from services.metrics.facts.teams import DepartmentFact, TeamFact
from services.metrics.sums import ALL
from services.metrics.views.belonging import Circle, circle_of, ledger_of_group
from services.metrics.views.conversion import Conversion, conversion_into
from services.metrics.views.ledger import PARTS, Entry, Ledger, entry_of, joined, read_ledger
from services.metrics.views.question import CIRCLES, SHARED_BY, NotKnownBy, Question
from services.metrics.views.sources import BY_TEAM, Source, sources_of
from services.metrics.views.values import Amounts
from shared.period import Period
from shared.store import Snapshot

_department = DepartmentFact.__table__.c  # type: ignore[attr-defined]
_team = TeamFact.__table__.c  # type: ignore[attr-defined]


Compute = Callable[["Reading"], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of a view: its key, what it means, how it is computed, and what rows it is made of."""

    key: str
    definition: str
    compute: Compute
    rows: str | None = None
    """The name of the source in `rows.py` that lists what the figure is made of."""
    opens: str = ""
    """Where what it is made of is seen, or why it is not, of a figure that has no rows of its own."""


@dataclass(frozen=True, slots=True)
class View:
    """One department's view."""

    department: str
    figures: Sequence[Figure]
    relationships: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """How clients, employees and the public stand to each other, each by the keys of the figures that say so."""
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
        self.added_up: dict[str, frozenset[str]] = {}
        """By figure the members whose quotas it adds up."""

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
        self.refuse_strange(measure)
        others = {each: value for each, value in self.filters.items() if each != dim}
        ledger = await (self._ledger(dim, others, [], measure) if stock else self._flows(dim, others, measure))
        only = self.filters.get(dim)
        return {
            key: entry
            for (key, name), entry in (ledger.until if stock else ledger.inside).items()
            if name == measure and only in (None, key)
        }

    async def nobodys(self, dim: str, measure: str, *, stock: bool = False) -> Entry:
        """What of a measure is nobody's along a dimension that shares it, of what else the question is about."""
        others = {each: value for each, value in self.filters.items() if each not in SHARED_BY}
        ledger = await self._ledger(dim, others, [NOBODY], measure)
        return entry_of(ledger.until if stock else ledger.inside, measure, [NOBODY])

    async def measures(self, beginning: str) -> list[str]:
        """The measures that begin so and of which anything is known by the end."""
        ledger, keys = await self._entries(beginning)
        return sorted({name for key, name in ledger.until if name.startswith(beginning) and key in keys})

    async def departments(self) -> list[str]:
        """The ids of all departments."""
        rows = await self.snapshot.rows(sa.select(_department.id).order_by(_department.id))
        return [key for (key,) in rows]

    def refuse_strange(self, measure: str) -> None:
        """Raise NotKnownBy where a measure does not know what is asked about: nothing known of it is not zero."""
        if strange := self._strange(measure):
            raise NotKnownBy(f"it is not known by {' and '.join(strange)}")

    def _strange(self, measure: str) -> list[str]:
        return sorted(dim for dim in self.filters if not all(each.knows(dim) for each in sources_of(measure)))

    async def _entries(self, measure: str) -> tuple[Ledger, Sequence[str]]:
        self.refuse_strange(measure)
        dim = self.along or (next(iter(self.filters), ALL) if len(self.filters) == 1 else ALL)
        others = {each: value for each, value in self.filters.items() if each != dim}
        keys = [self.filters[dim]] if dim else [ALL]
        if dim in BY_TEAM and any(dim not in source.columns for source in sources_of(measure)):
            teams = await self.teams_by(dim)
            dim, keys = "team", teams.get(keys[0], [])
        if dim == "group" and any(dim not in source.columns for source in sources_of(measure)):
            return await self._ledger_of_group(keys[0], others, measure), keys
        return await self._ledger(dim, others, keys, measure), keys

    async def _ledger(self, dim: str, others: Mapping[str, str], keys: Sequence[str], measure: str) -> Ledger:
        grouped = self.along is not None or len(keys) != 1
        sources = sources_of(measure) if others else ()
        names = tuple(source.model.kind for source in sources)
        place = (
            dim,
            None if grouped else keys[0],
            tuple(sorted(others.items())),
            self.question.span,
            names,
            self.question.into,
        )
        found = self.shelf.ledgers.get(place)
        if found is None:
            if others:
                found = await self._ledger_of_facts(dim, others, sources)
            else:
                one = None if grouped or dim == ALL else keys[0]
                found = await read_ledger(self.snapshot, dim, self.question.span, one, await self.settling())
            self.shelf.ledgers[place] = found
        return found

    async def _flows(self, dim: str, others: Mapping[str, str], measure: str) -> Ledger:
        """The ledger of what adds to a measure in the period, of its flows only: few of the facts have to be looked at
        where their days say which."""
        sources = sources_of(measure)
        if not others or not all(measure in each.happened for each in sources):
            return await self._ledger(dim, others, [], measure)
        place = (dim, None, tuple(sorted(others.items())), self.question.span, (measure,), self.question.into)
        found = self.shelf.ledgers.get(place)
        if found is None:
            found = self.shelf.ledgers[place] = await self._ledger_of_facts(dim, others, sources, measure)
        return found

    async def _ledger_of_group(self, group: str, others: Mapping[str, str], measure: str) -> Ledger:
        """A group has no sums of its own: it has those of its members, while they belong to it."""
        sources = sources_of(measure) if others else ()
        names = tuple(source.model.kind for source in sources)
        place = ("group", group, tuple(sorted(others.items())), self.question.span, names, self.question.into)
        found = self.shelf.ledgers.get(place)
        if found is None:
            if others:
                found = await self._ledger_of_facts(ALL, {**others, "group": group}, sources)
                found = Ledger(*(joined({}, getattr(found, part), group) for part in PARTS))
            else:
                found = await ledger_of_group(self.snapshot, group, self.question.span, await self.settling())
            self.shelf.ledgers[place] = found
        return found

    async def _ledger_of_facts(
        self, dim: str, others: Mapping[str, str], sources: Sequence[Source], flow: str | None = None
    ) -> Ledger:
        """The ledger of the facts that pass some filters; of one measure's flow of those that add to it."""
        found = []
        for source in sources:
            conditions = await self.passing(source, others, ever=True)
            if flow is not None:
                conditions.append(source.happened[flow](self.question.span.start, self.question.span.end))
            found.append((source, await self.snapshot.all(source.model, sa.select(source.model).where(*conditions))))
        return await self.ledger_of(found, dim, others)

    async def ledger_of(
        self, found: Sequence[tuple[Source, Sequence[Any]]], dim: str = ALL, others: Mapping[str, str] | None = None
    ) -> Ledger:
        """The ledger of some facts, each with the part of it that passes the filters: those of the question unless
        others are given."""
        filters = self.filters if others is None else others
        span, ledger = self.question.span, Ledger({}, {}, {})
        for source, facts in found:
            for parts, belongs in await self._belonging(filters) if source.narrowed else [(PARTS, None)]:
                cells = chain.from_iterable(source.cells(fact, belongs, filters.get("product")) for fact in facts)
                ledger.add(cells, dim, span, parts, self.question.into)
        settling = await self.settling()
        if settling is not None:
            for part, on in span.seen_on.items():
                settling.settle_all(getattr(ledger, part), on)
        return ledger

    async def settling(self) -> Conversion | None:
        """What converts money, if it is to be converted; what it finds no rate for is noted."""
        into = self.question.into
        if into is None:
            return None
        found: Conversion = await self.shared(f"conversion {into}", lambda: conversion_into(self.snapshot, into))
        return found

    def into(self, currency: str) -> Reading:
        """The same question with all money in one currency, as far as rates are known."""
        converted = replace(self.question, into=currency, currency=currency)
        return Reading(self.snapshot, converted, self.shelf, self.along)

    async def worth(self, currency: str, read: Callable[[Reading], Awaitable[Amounts]]) -> Amounts:
        """What is read, in one currency as far as rates are known; they are asked only where there is any other."""
        found = await read(self)
        return await read(self.into(currency)) if found.besides(currency) else found

    def note_besides(self, figure: str, what: str, found: Amounts, aimed: str, currency: str) -> None:
        """Say what of something is in other currencies than what it is held against, where no rate is known."""
        if others := found.besides(currency):
            told = f"{what} in {', '.join(others)} is not counted"
            self.note(figure, f"{told}: the {aimed} is in {currency}, and no rate is known")

    async def not_converted(self) -> str | None:
        """What is not converted, because no rate says what it was worth."""
        settling = await self.settling()
        if settling is None or not settling.missing:
            return None
        days = ", ".join(f"{code} (first on {day})" for code, day in sorted(settling.missing.items()))
        return f"no rate into {settling.into} is known for {days}; it stands apart"

    async def belonging(self) -> Belongs | None:
        """Who counts on a day for the members and groups that the question is about; none where it is about all."""
        return (await self._belonging(self.filters))[0][1]

    async def _belonging(self, filters: Mapping[str, str]) -> list[tuple[Sequence[str], Belongs | None]]:
        """Who counts for the members and groups of these filters, in each part of a ledger."""
        circles = [await self.circle(dim, filters[dim]) for dim in CIRCLES if dim in filters]
        if not circles:
            return [(PARTS, None)]

        def all_of(each: Sequence[Belongs]) -> Belongs:
            return lambda member, day: all(belongs(member, day) for belongs in each)

        span = self.question.span
        return [
            (["inside"], all_of([each.on_day for each in circles])),
            (["before"], all_of([each.at(span.start) for each in circles])),
            (["until"], all_of([each.at(span.asked) for each in circles])),
        ]

    async def circle(self, dim: str, key: str) -> Circle:
        """The members that a member or a group stands for."""
        found: Circle = await self.shared(f"{dim} {key}", lambda: circle_of(self.snapshot, dim, key))
        return found

    async def passing(
        self, source: Source, filters: Mapping[str, str], *, ever: bool = False
    ) -> list[sa.ColumnElement[bool]]:
        """The conditions that the facts of a source meet which pass these filters, or of which a part does, or may
        `ever` have done so since they were amended."""
        conditions: list[sa.ColumnElement[bool]] = []
        for dim, value in filters.items():
            if dim in CIRCLES and source.knows("member"):
                circle = await self.circle(dim, value)
                conditions.append(
                    sa.or_(sa.false(), *(source.concerns(member, ever=ever) for member in circle.members))
                )
            elif dim == "product" and source.products:
                conditions.append(source.holds(value, ever=ever))
            elif dim in source.columns:
                conditions.append(source.columns[dim] == value)
            elif dim in BY_TEAM and "team" in source.columns:
                conditions.append(source.columns["team"].in_((await self.teams_by(dim)).get(value, [])))
            else:
                conditions.append(sa.false())
        return conditions

    def split_by(self, figure: str, measure: str) -> bool:
        """Whether a measure is known by everything the question is about; if not, a note says so."""
        if strange := self._strange(measure):
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
        place = (name, tuple(sorted(self.filters.items())), self.question.span, self.question.into)
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

    def about(self, filters: Mapping[str, str]) -> Reading:
        """The same question about somebody or something else; of nothing, about everything."""
        along = self.along if self.along in filters else None
        return Reading(self.snapshot, replace(self.question, filters=filters), self.shelf, along)

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
        figures[figure.key] = await value_of(figure, reading)
    return figures


async def value_of(figure: Figure, reading: Reading) -> Any:
    """What a figure is for a question; one that is not known is none, with a note saying why."""
    try:
        value = await figure.compute(reading)
    except NotKnownBy as reason:
        value = None
        reading.note(figure.key, str(reason))
    if value is None and figure.key not in reading.notes:
        reading.note(figure.key, "there is nothing to compute it from")
    return value
