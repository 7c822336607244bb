"""What one look at the page needs, read in one snapshot: a view whole, the headlines of the others, and the pickers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from services.metrics.facts.teams import TeamFact
from services.metrics.page.asked import Asked
from services.metrics.page.called import departments, known, refs_in
from services.metrics.page.layout import LAYOUTS, lead_of
from services.metrics.page.periods import Choices, beside, choices_of, first_look, pieces_of
from services.metrics.views import VIEWS
from services.metrics.views.frame import Reading, View, compute, value_of
from services.metrics.views.names import names_of
from services.metrics.views.question import STRETCHES, Question
from services.metrics.views.readers import for_reader
from services.metrics.views.shown import broken_down, house_of, moment_of, question_of, show
from shared.asked_period import AskedPeriod
from shared.identity.permissions import Principal
from shared.instant import day_of, now
from shared.period import Period
from shared.store import Snapshot

_team = TeamFact.__table__.c  # type: ignore[attr-defined]
_TEAMS = sa.select(_team.id, _team.name).order_by(_team.name, _team.id)


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything the page of one view shows, all of one moment."""

    asked: Asked
    question: Question
    view: Mapping[str, Any]
    headlines: Mapping[str, tuple[str, Any]]
    """By department the figure that stands on its tab: its key and its value."""
    before: Mapping[str, Any]
    """The figures of the period before, where there is one."""
    earlier: Period | None
    later: Period | None
    over_time: Sequence[Mapping[str, Any]]
    """The view again for each piece of the period, for charts."""
    choices: Choices
    teams: Sequence[tuple[str, str]]
    names: Mapping[str, str] = field(default_factory=dict)
    """What the filters are called, by dimension."""
    called: Mapping[str, str] = field(default_factory=dict)
    """What departments are called, and the things that its figures speak of, as far as that is known here."""

    @property
    def period(self) -> Period:
        """The period it speaks of."""
        return self.question.period

    @property
    def period_piece(self) -> str:
        """What the period is cut into for charts."""
        return pieces_of(self.period) or ""


async def question_asked(snapshot: Snapshot, asked: Asked) -> Question:
    """The question of an address; without a period that of the first look."""
    period = asked.asked_period
    if period is None:
        house = await house_of(snapshot)
        first = await first_look(snapshot, day_of(now(), house.zone), house.first_month)
        period = AskedPeriod(first.label)
    return await question_of(snapshot, period, asked.filters)


async def look(snapshot: Snapshot, asked: Asked, principal: Principal, open_to: Sequence[str]) -> Dashboard:
    """One view and the headlines of the others, of one and the same moment."""
    department = asked.view if asked.view is not None and asked.view in open_to else open_to[0]
    view, layout = VIEWS[department], LAYOUTS[department]
    by = asked.breakdown or layout.breakdowns[0]
    question = await for_reader(snapshot, await question_asked(snapshot, asked), principal)
    asked = replace(asked, view=department, breakdown=by, period=question.period.label)
    shown = await show(view, snapshot, question, None, principal, await moment_of(snapshot))
    rows = await broken_down(_only(view, layout.columns), Reading(snapshot, question), by, principal)
    earlier = beside(question.period, question.first_month, -1)
    return Dashboard(
        asked,
        question,
        {**shown, "breakdown": {"by": by, "rows": rows}},
        await _headlines(snapshot, question, open_to, {department: shown["figures"]}),
        await compute(view, Reading(snapshot, replace(question, period=earlier))) if earlier else {},
        earlier,
        beside(question.period, question.first_month, 1),
        await _over_time(snapshot, department, question, principal, lead_of(layout, shown["figures"])),
        await choices_of(snapshot, question),
        [(team, name or team) for team, name in await snapshot.rows(_TEAMS)],
        await _names(snapshot, question.filters, principal),
        await departments(snapshot) | await known(snapshot, refs_in(shown["figures"]), principal),
    )


async def _headlines(
    snapshot: Snapshot, question: Question, open_to: Sequence[str], have: Mapping[str, Mapping[str, Any]]
) -> dict[str, tuple[str, Any]]:
    return {name: await _headline(snapshot, question, name, have.get(name, {})) for name in open_to}


async def _headline(
    snapshot: Snapshot, question: Question, department: str, have: Mapping[str, Any]
) -> tuple[str, Any]:
    keys = LAYOUTS[department].headline
    for key in keys:
        figure = VIEWS[department].figure(key)
        if figure is not None:
            value = have[key] if key in have else await value_of(figure, Reading(snapshot, question))
            if value is not None:
                return key, value
    return keys[0], None


async def _over_time(
    snapshot: Snapshot, department: str, question: Question, principal: Principal, lead: Sequence[str]
) -> list[Mapping[str, Any]]:
    pieces = pieces_of(question.period)
    if pieces is None:
        return []
    drawn = _only(VIEWS[department], {*lead, *(key for chart in LAYOUTS[department].charts for key in chart.keys)})
    parts = question.period.split(STRETCHES[pieces], question.first_month)
    rows = await broken_down(drawn, Reading(snapshot, question), pieces, principal)
    # What has not begun yet has no place in a chart: a stock would go on as a flat line into the future.
    return [{**row, "period": part} for row, part in zip(rows, parts, strict=True) if part.start <= question.today]


def _only(view: View, keys: Collection[str]) -> View:
    """A view of some figures: the others need not be computed for every row."""
    found = [figure for figure in view.figures if figure.key in keys]
    return replace(view, figures=found or view.figures)


async def _names(snapshot: Snapshot, filters: Mapping[str, str], principal: Principal) -> dict[str, str]:
    names = {}
    for dim, key in filters.items():
        names[dim] = (await names_of(snapshot, dim, [key], principal)).get(key, key)
    return names
