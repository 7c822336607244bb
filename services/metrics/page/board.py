"""From a view's numbers to what a template prints: cards, charts with their tables, and the table of the breakdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from services.metrics.page import charts
from services.metrics.page.dashboard import Dashboard
from services.metrics.page.layout import LAYOUTS, STOCKS, Chart, Layout, groups_of, label_of
from services.metrics.page.values import (
    Shown,
    change_of,
    currencies_of,
    day_in_words,
    grouped,
    in_currency,
    in_words,
    money,
    number_of,
    percent,
    short,
    shown,
    zero_in,
)  # fmt: skip
from services.metrics.views import VIEWS
from services.metrics.views.frame import STRETCHES
from shared.http.documents import anchor
from shared.period import Period

MOST_ROWS = 100
MOST_LEAD = 4
MOST_CURRENCIES = 4


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
class Panel:
    """A chart and the table under it."""

    title: str
    chart: Markup
    legend: Sequence[str]
    head: Sequence[str]
    rows: Sequence[tuple[str, str | None, Sequence[Shown]]]
    note: str = ""

    @property
    def id(self) -> str:
        """Its name on the page."""
        return anchor(self.title)


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

    def __init__(self, dashboard: Dashboard) -> None:
        self.dashboard = dashboard
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
    def _lead(self) -> list[str]:
        return [key for key in self.layout.lead if self.figures.get(key) is not None][:MOST_LEAD]

    @property
    def lead(self) -> list[Card]:
        """The first and large cards."""
        return [self.card(key, large=True) for key in self._lead]

    @property
    def groups(self) -> list[tuple[str, list[Card]]]:
        """The other figures that are known, in their groups."""
        lead = self._lead
        apart = {*lead, *(key for key in self.layout.parts if _has_parts(self.figures.get(key)))}
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
            self._shown(value, key),
            self.dashboard.view["definitions"].get(key, ""),
            self._speaks_of(key),
            self._notes.get(key, "") if value is None else "",
            earlier.label if earlier else "",
            str(self._shown(before, key)) if earlier else "",
            change_of(before, value) if earlier else "",
            self.dashboard.asked.on(breakdown=None).url("/rows") + f"&figure={key}" if has_rows else None,
            charts.spark(history),
        )

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
        found = [panel for chart in self.layout.charts for panel in self._over_time(chart)]
        for key in self.layout.parts:
            found += self._in_parts(key)
        return found

    def _over_time(self, chart: Chart) -> list[Panel]:
        rows = self.dashboard.over_time
        named = chart.title.format(piece=self.dashboard.period_piece)
        keys = [key for key in chart.keys if key in self.figures]
        values = [[row["figures"].get(key) for row in rows] for key in keys]
        flat = [value for series in values for value in series]
        if not rows or not any(_weight(value) for value in flat):
            return []
        several = _spans_years([row["period"] for row in rows])
        labels = [short_label(row["period"], several) for row in rows]
        held = sorted({currency for value in flat for currency in currencies_of(value) if in_currency(value, currency)})
        panels = []
        for currency in held[:MOST_CURRENCIES] or [self.dashboard.view["currency"]]:
            series = [
                charts.Series(label_of(key), [_drawn(value, currency) for value in line])
                for key, line in zip(keys, values, strict=True)
            ]
            title = f"{named} ({currency})" if len(held) > 1 else named
            draw = charts.line if chart.form == "line" else charts.columns
            axis, exact = _words(flat, currency)
            panels.append((title, draw(title, labels, series, axis, exact)))
        head = [in_words(self.dashboard.period_piece), *(label_of(key) for key in keys)]
        table = [
            (row["name"], self._zoom(row["period"]), [self._shown(row["figures"].get(key), key) for key in keys])
            for row in rows
        ]
        legend = [label_of(key) for key in keys] if len(keys) > 1 else []
        return [
            Panel(title, drawing, legend, head if last else (), table if last else ())
            for place, (title, drawing) in enumerate(panels, 1)
            for last in [place == len(panels)]
        ]

    def _zoom(self, period: Period) -> str:
        return self.dashboard.asked.url(period=period.label)

    def _in_parts(self, key: str) -> list[Panel]:
        value = self.figures.get(key)
        parts = named_parts(value)
        if not _has_parts(value):
            return []
        held = sorted({currency for _, part in parts for currency in currencies_of(part)})
        table = [(in_words(name), None, [self._shown(part, key)]) for name, part in parts]
        panels = []
        for place, currency in enumerate(held[:MOST_CURRENCIES] or [""], 1):
            series = [charts.Series(label_of(key), [_drawn(part, currency) for _, part in parts])]
            axis, exact = _words([part for _, part in parts], currency)
            title = f"{label_of(key)} ({currency})" if len(held) > 1 else label_of(key)
            drawing = charts.columns(title, [in_words(name) for name, _ in parts], series, axis, exact)
            last = place == min(len(held), MOST_CURRENCIES) or not held
            panels.append(Panel(title, drawing, (), ("", label_of(key)) if last else (), table if last else ()))
        return panels

    @property
    def table(self) -> Table:
        """The view broken down."""
        breakdown = self.dashboard.view["breakdown"]
        by, rows = str(breakdown["by"]), list(breakdown["rows"])
        keys = [key for key in self.layout.columns if key in self.figures] or list(self.figures)[:8]
        shown_keys = [key for key in keys if any(row["figures"].get(key) is not None for row in rows)]
        if by == "kind":
            # Requests and expenses have kinds of their own; those of the other sort have nothing here.
            rows = [row for row in rows if any(_weight(row["figures"].get(key)) for key in keys)]
        first = shown_keys[0] if shown_keys else ""
        weights = [_weight(row["figures"].get(first)) or Decimal(0) for row in rows]
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
        if by not in ("department", "team", "group", "member", "customer", "product"):
            return None
        further = [each for each in self.layout.breakdowns if each != by and each not in asked.filters]
        return asked.url(**{by: ref, "breakdown": further[0] if further else None})


def _has_parts(value: Any) -> bool:
    return any(_weight(part) for _, part in named_parts(value))


def named_parts(value: Any) -> list[tuple[str, Any]]:
    """The named amounts a figure consists of."""
    if isinstance(value, Mapping) and not currencies_of(value) and "rate" not in value and "mixed" not in value:
        return [(str(name), part) for name, part in value.items()]
    if isinstance(value, Sequence) and not isinstance(value, str):
        found = []
        for each in value:
            if isinstance(each, Mapping):
                name = next((each[key] for key in ("label", "name", "age", "kind", "ref") if each.get(key)), "")
                part = next((part for part in each.values() if not isinstance(part, str)), None)
                found.append((str(name), part))
        return found
    return []


def short_label(period: Period, several_years: bool) -> str:
    """A piece of a period as it stands under a chart."""
    label = period.label
    if "/" in label:
        return f"{period.start.day} {period.start:%b}"
    if "W" in label:
        return label.partition("-")[2]
    if "Q" in label:
        return f"{label[5:]} {label[2:4]}" if several_years else label[5:]
    if "-" in label:
        return f"{period.start:%b} {period.start:%y}" if several_years else f"{period.start:%b}"
    return label


def _spans_years(periods: Sequence[Period]) -> bool:
    return len({period.start.year for period in periods}) > 1


def _drawn(value: Any, currency: str) -> Decimal | None:
    return in_currency(value, currency) if currencies_of(value) else number_of(value)


def _weight(value: Any) -> Decimal | None:
    """A number to compare rows by; of several currencies the largest amount, for want of a common measure."""
    if isinstance(value, Mapping) and value.get("mixed"):
        return max((Decimal(each["amount"]) for each in value["amounts"]), default=None, key=abs)
    return number_of(value)


def _words(values: Sequence[Any], currency: str) -> tuple[Callable[[Decimal], str], Callable[[Decimal], str]]:
    """How the numbers of a chart are written: short beside the axis, exact where one points at them."""
    if any(currencies_of(value) for value in values):
        return short, lambda number: money({"amount": str(number), "currency": currency})
    if any(isinstance(value, Mapping) for value in values):
        return (lambda number: percent(number).replace(".0", "")), percent
    return short, grouped
