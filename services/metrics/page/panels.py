"""The charts of a view, each with its table: figures over time, and figures that consist of parts.

Money of several currencies is drawn one currency to a chart and stands in one table, each amount with its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from markupsafe import Markup

from services.metrics.page import charts
from services.metrics.page.amounts import currencies_of, has_parts, in_currency, named_parts, number_of, weight_of
from services.metrics.page.dashboard import Dashboard
from services.metrics.page.layout import Chart, label_of
from services.metrics.page.values import Shown, grouped, in_words, money, percent, short
from shared.http.documents import anchor
from shared.period import Period

MOST_CURRENCIES: Final = 4
Tell = Callable[[Any, str], Shown]
"""How the value of a figure is told on this page."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table: its name, where it leads, and its values."""

    name: str
    link: str | None
    cells: Sequence[Shown]


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart, and the table under it; of several charts of the same numbers the last one has it."""

    title: str
    chart: Markup
    legend: Sequence[str] = ()
    head: Sequence[str] = ()
    rows: Sequence[Line] = field(default=())

    @property
    def id(self) -> str:
        """Its name on the page."""
        return anchor(self.title)


def over_time(dashboard: Dashboard, chart: Chart, tell: Tell) -> list[Panel]:
    """The panels of one or two figures over the pieces of the period; none while there is nothing to draw."""
    rows = dashboard.over_time
    keys = [key for key in chart.keys if key in dashboard.view["figures"]]
    values = {key: [row["figures"].get(key) for row in rows] for key in keys}
    if not any(weight_of(value) for column in values.values() for value in column):
        return []
    periods = [row["period"] for row in rows]
    several = len({period.start.year for period in periods}) > 1
    labels = [short_label(period, several) for period in periods]
    title = chart.title.format(piece=dashboard.period_piece)
    draw = charts.line if chart.form == "line" else charts.columns
    legend = [label_of(key) for key in keys] if len(keys) > 1 else []
    head = [in_words(dashboard.period_piece), *(label_of(key) for key in keys)]
    table = [
        Line(
            row["name"],
            dashboard.asked.url(period=row["period"].label),
            [tell(row["figures"].get(key), key) for key in keys],
        )
        for row in rows
    ]
    return list(_drawn(title, draw, labels, values, legend, head, table))


def in_parts(key: str, value: Any, tell: Tell) -> list[Panel]:
    """The panels of a figure that consists of named amounts."""
    if not has_parts(value):
        return []
    parts = named_parts(value)
    labels = [in_words(name) for name, _ in parts]
    table = [Line(label, None, [tell(part, key)]) for label, (_, part) in zip(labels, parts, strict=True)]
    values = {key: [part for _, part in parts]}
    return list(_drawn(label_of(key), charts.columns, labels, values, [], ["", label_of(key)], table))


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


def _drawn(
    title: str,
    draw: Callable[..., Markup],
    labels: Sequence[str],
    values: Mapping[str, Sequence[Any]],
    legend: Sequence[str],
    head: Sequence[str],
    table: Sequence[Line],
) -> Iterator[Panel]:
    flat = [value for column in values.values() for value in column]
    held = sorted({currency for value in flat for currency in currencies_of(value) if in_currency(value, currency)})
    currencies = held[:MOST_CURRENCIES] or [""]
    for currency in currencies:
        series = [
            charts.Series(label_of(key), [_number(value, currency) for value in column])
            for key, column in values.items()
        ]
        named = f"{title} ({currency})" if len(held) > 1 else title
        axis, exact = _words(flat, currency)
        chart = draw(named, labels, series, axis, exact)
        last = currency == currencies[-1]
        yield Panel(named, chart, legend, head, table) if last else Panel(named, chart, legend)


def _number(value: Any, currency: str) -> Decimal | None:
    return in_currency(value, currency) if currencies_of(value) else number_of(value)


def _words(values: Sequence[Any], currency: str) -> tuple[charts.Words, charts.Words]:
    """How the numbers of a chart are written: short beside the axis, exact where one points at them."""
    if currency:
        return short, lambda number: money({"amount": str(number), "currency": currency})
    if any(isinstance(value, Mapping) and "rate" in value for value in values):
        return (lambda number: percent(number).replace(".0", "")), percent
    return short, grouped
