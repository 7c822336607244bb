"""From a view's numbers to what a template prints: cards, charts with their tables, and the table of the breakdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from markupsafe import Markup

from services.metrics.page import charts
from services.metrics.page.amounts import currencies_of, has_parts, in_currency, number_of, weight_of, zero_in
from services.metrics.page.called import as_told
from services.metrics.page.dashboard import Dashboard
from services.metrics.page.layout import LAYOUTS, STOCKS, Layout, groups_of, label_of, lead_of
from services.metrics.page.panels import Panel, in_parts, over_time
from services.metrics.page.values import Shown, change_of, day_in_words, in_words, shown
from services.metrics.views import VIEWS
from services.metrics.views.question import STRETCHES

MOST_ROWS: Final = 100


@dataclass(frozen=True, slots=True)
class Card:
    """A figure: what it is, how much it is, what it was before, and where it comes from."""

    key: str
    label: str
    value: Shown
    definition: str
    speaks_of: str
    why: str = ""
    """Why it is not known."""
    earlier: str = ""
    """The period before, where it can be compared with."""
    before: str = ""
    change: str = ""
    rows: str | None = None
    spark: Markup = charts.NOTHING


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table that breaks the view down."""

    name: str
    link: str | None
    gauge: Markup
    cells: Sequence[Shown]


@dataclass(frozen=True, slots=True)
class Table:
    """The view broken down: what the columns are, the rows, and how many there are in all."""

    head: Sequence[str]
    rows: Sequence[Row]
    many: int
    without: Sequence[str]
    """Figures that are not known in any row."""


class Board:
    """What the page of one view prints."""

    def __init__(self, dashboard: Dashboard, titles: Mapping[str, str]) -> None:
        self.dashboard = dashboard
        self._names = {**dashboard.called, **titles}
        self.department = str(dashboard.asked.view)
        self.layout: Layout = LAYOUTS[self.department]
        self.figures: Mapping[str, Any] = dashboard.view["figures"]
        self.currency = self._one_currency()
        self._notes = {note["figure"]: note["why"] for note in dashboard.view["notes"]}

    @property
    def between(self) -> str:
        """The days of the period in words."""
        period = self.dashboard.period
        return f"{day_in_words(period.start)} \N{EN DASH} {day_in_words(period.end - timedelta(days=1))}"

    def headline_label(self, department: str) -> str:
        """What the figure on a department's tab is called."""
        return label_of(self.dashboard.headlines[department][0])

    @property
    def lead(self) -> list[Card]:
        """The first and large cards."""
        return [self.card(key, large=True) for key in lead_of(self.layout, self.figures)]

    @property
    def groups(self) -> list[tuple[str, list[Card]]]:
        """The other figures that are known, in their groups."""
        lead = lead_of(self.layout, self.figures)
        apart = {*lead, *(key for key in self.layout.parts if has_parts(self.figures.get(key)))}
        rest = [key for key, value in self.figures.items() if value is not None and key not in apart]
        return [(group.title, [self.card(key) for key in group.keys]) for group in groups_of(self.layout, rest)]

    @property
    def unknown(self) -> list[Card]:
        """The figures that are not known, each with the reason."""
        return [self.card(key) for key, value in self.figures.items() if value is None]

    def card(self, key: str, *, large: bool = False) -> Card:
        """One figure."""
        value, before = self.figures[key], self.dashboard.before.get(key)
        earlier = self.dashboard.earlier if number_of(value) is not None and number_of(before) is not None else None
        figure = VIEWS[self.department].figure(key)
        has_rows = figure is not None and figure.rows is not None
        history = [number_of(row["figures"].get(key)) for row in self.dashboard.over_time] if large else []
        return Card(
            key,
            label_of(key),
            self._shown(as_told(key, value, self._names), key),
            self.dashboard.view["definitions"].get(key, ""),
            self._speaks_of(key),
            self._notes.get(key, "") if value is None else "",
            earlier.label if earlier else "",
            str(self._shown(before, key)) if earlier else "",
            change_of(before, value) if earlier and self._comparable(key, value) else "",
            self.dashboard.asked.on(breakdown=None).url("/rows") + f"&figure={key}" if has_rows else None,
            charts.spark(history),
        )

    def _comparable(self, key: str, value: Any) -> bool:
        """Whether a figure can be held against the period before: what is only partly over has not counted all yet."""
        running = self.dashboard.period.contains(self.dashboard.question.today)
        return not running or key in STOCKS or (isinstance(value, Mapping) and "rate" in value)

    def _shown(self, value: Any, key: str) -> Shown:
        return shown(zero_in(value, self.currency), key)

    def _one_currency(self) -> str:
        """What no money is told in: the one currency that all money of this page is in, else the organisation's."""
        dashboard = self.dashboard
        sets = [self.figures, dashboard.before, *(row["figures"] for row in dashboard.over_time)]
        values = [value for figures in sets for value in figures.values()]
        held = {currency for value in values for currency in currencies_of(value) if in_currency(value, currency)}
        return held.pop() if len(held) == 1 else str(dashboard.view["currency"])

    def _speaks_of(self, key: str) -> str:
        span = self.dashboard.question.span
        last = day_in_words(max(span.asked, span.start + timedelta(days=1)) - timedelta(days=1))
        if key in STOCKS:
            return f"As at {last}."
        return f"Counted from {day_in_words(span.start)} to {last}."

    @property
    def panels(self) -> list[Panel]:
        """The charts over time, and those of figures that consist of parts."""
        found = [panel for chart in self.layout.charts for panel in over_time(self.dashboard, chart, self._shown)]
        for key in self.layout.parts:
            found += in_parts(key, self.figures.get(key), self._shown)
        return found

    @property
    def table(self) -> Table:
        """The view broken down."""
        breakdown = self.dashboard.view["breakdown"]
        by, rows = str(breakdown["by"]), list(breakdown["rows"])
        keys = [key for key in self.layout.columns if key in self.figures] or list(self.figures)[:8]
        shown_keys = [key for key in keys if any(row["figures"].get(key) is not None for row in rows)]
        if by == "kind" or (self.dashboard.asked.filters and by not in STRETCHES):
            # Kinds of expenses have nothing among requests, members of other teams nothing in this one.
            rows = [row for row in rows if any(weight_of(row["figures"].get(key)) for key in keys)]
        first = shown_keys[0] if shown_keys else ""
        weights = [weight_of(row["figures"].get(first)) or Decimal(0) for row in rows]
        if by not in STRETCHES:
            order = sorted(range(len(rows)), key=lambda place: -weights[place])
            rows, weights = [rows[place] for place in order], [weights[place] for place in order]
        made = [
            self._row(by, row, shown_keys, charts.gauge(weight, max(weights)))
            for row, weight in zip(rows[:MOST_ROWS], weights, strict=False)
        ]
        without = [label_of(key) for key in keys if key not in shown_keys] if rows else []
        return Table([in_words(by), *(label_of(key) for key in shown_keys)], made, len(rows), without)

    def _row(self, by: str, row: Mapping[str, Any], keys: Sequence[str], gauge: Markup) -> Row:
        cells = [self._shown(row["figures"].get(key), key) for key in keys]
        return Row(str(row["name"]), self._into(by, row["ref"]), gauge, cells)

    def _into(self, by: str, ref: str | None) -> str | None:
        """Where a row of the breakdown leads: to the same view of it alone."""
        asked = self.dashboard.asked
        if not ref:
            return None
        if by in STRETCHES:
            return asked.url(period=ref)
        further = [each for each in self.layout.breakdowns if each != by and each not in asked.filters]
        return asked.url(**{by: ref, "breakdown": further[0] if further else None})
