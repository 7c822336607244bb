"""The numbers of a review as they are read: with their interval, what they are made of, or what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from markupsafe import Markup

from services.metrics.page.asked import address
from services.metrics.page.charts import NOTHING, tag
from services.metrics.page.values import MINUS, SPACE, grouped, money, percent
from services.metrics.review.catalogue import MEASURES
from services.metrics.review.thresholds import Line, Rules

SMALL_TEAM: Final = 6
"""In a team of fewer a share is told by its counts: a percentage of two or three things says more than there is."""
_POINTS: Final = ("COM", "TWK", "TP1", "TP5", "TP6", "IB6")
"""Means on a scale of 100: no shares of anything."""
_LINED: Final = ("TP1", "TP2", "TP3", "TP4", "TP5", "TP6", "COM", "TWK", "TR1")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of a review."""

    id: str
    name: str
    value: str
    interval: str
    counts: str
    state: str | None
    bar: Markup
    missing: str | None
    link: str

    @property
    def definition(self) -> str:
        """What it means."""
        return MEASURES[self.id].definition

    @property
    def formula(self) -> str:
        """How it is computed."""
        return MEASURES[self.id].formula

    @property
    def unit(self) -> str:
        """In what it is told."""
        return MEASURES[self.id].unit

    @property
    def guard(self) -> str:
        """What keeps it from being misread."""
        return MEASURES[self.id].guard


@dataclass(frozen=True, slots=True)
class Reader:
    """What is the same for all numbers of one review."""

    review: str
    rules: Rules
    currency: str
    baseline: bool
    small: bool

    def figure(self, place: str, id: str, told: Mapping[str, Any]) -> Figure:
        """A number at a place of the document."""
        measure, line = MEASURES[id], self.rules.line_of(id) if id in _LINED else None
        unit = "points" if id in _POINTS else measure.unit
        of, hits = _whole(told["n"]), _whole(told["numerator"])
        by_count = self.small and measure.unit == "%" and hits is not None and id not in _LINED
        value = f"{hits} of {of}" if by_count else self.worded(told["value"], unit)
        return Figure(
            id, measure.name[:1].upper() + measure.name[1:], value,
            "" if by_count else self._interval(told, unit),
            "; ".join(filter(None, ["" if by_count or of is None else _counts(hits, of, told), told.get("note")])),
            self.state(told, line) if line else None,
            bar_of(told, line) if told["low"] is not None and not by_count else NOTHING, told["missing"],
            opened(self.review, f"{place}/{id}"),
        )  # fmt: skip

    def worded(self, value: str | None, unit: str) -> str:
        """A number in its unit."""
        if value is None:
            return "not enough data"
        match unit:
            case "%":
                return f"{tenths(value)}{SPACE}%"
            case "points":
                return tenths(value)
            case "money":
                return money({"amount": f"{Decimal(value):.2f}", "currency": self.currency})
            case "share":
                return percent(value)
        return f"{Decimal(value):.2f}"

    def state(self, told: Mapping[str, Any], line: Line) -> str:
        """Where a number stands by its lines; while an organisation is new nothing is called weak."""
        if told["value"] is None:
            return "not enough data"
        value = Decimal(told["value"])
        if value >= Decimal(repr(line.healthy)):
            return "healthy"
        high = Decimal(told["high"] or told["value"])
        weak = value < Decimal(repr(line.weak)) and high < Decimal(repr(line.healthy))
        return "weak" if weak and not self.baseline else "watch"

    def _interval(self, told: Mapping[str, Any], unit: str) -> str:
        if told["low"] is None:
            return ""
        return f"{self.worded(told['low'], unit).split(SPACE)[0]} to {self.worded(told['high'], unit)}"


def _counts(hits: str | None, of: str, told: Mapping[str, Any]) -> str:
    """How many cases it speaks of, and what a number of somebody is never shown without: the team's."""
    said = f"{hits} of {of}" if hits is not None else f"n = {of}"
    if told.get("slope") is not None:
        return f"{said} levels; {signed(float(told['slope']))} from one to the next"
    return f"{said}; the team: {tenths(told['team_average'])}" if told.get("team_average") is not None else said


def opened(review: str, path: str) -> str:
    """The address of what a number means and is made of."""
    return address(f"/reviews/{review}/explain", {"path": path})


def signed(value: float) -> str:
    """A number to two places, with a true minus."""
    return f"{MINUS if value < 0 else ''}{abs(value):.2f}"


def tenths(value: str | Decimal) -> str:
    """A number to one place."""
    rounded = Decimal(value).quantize(Decimal("0.1"), ROUND_HALF_EVEN)
    return f"{MINUS if rounded < 0 else ''}{grouped(abs(rounded))}"


def bar_of(told: Mapping[str, Any], line: Line | None) -> Markup:
    """Where a number stands, between what it lies, and the lines it is judged by; to 100, or as far as they go."""
    if told["value"] is None or told["low"] is None:
        return NOTHING
    top = Decimal(150) if line and line.healthy > 100 else Decimal(100)

    def at(value: str | float) -> Decimal:
        return min(max(Decimal(str(value)) / top * 100, Decimal(0)), Decimal(100))

    low, high = at(told["low"]), at(told["high"])
    shapes = [
        tag("rect", cls="ground", x="0", y="4", width="100", height="4"),
        tag("rect", cls="between", x=f"{low:.1f}", y="3", width=f"{high - low:.1f}", height="6"),
    ]
    if line is not None:
        shapes += [tag("rect", cls=f"line-{name}", x=f"{at(value):.1f}", y="0", width="0.8", height="12")
                   for name, value in (("weak", line.weak), ("healthy", line.healthy))]  # fmt: skip
    point = min(max(at(told["value"]) - 1, Decimal(0)), Decimal(98))
    shapes.append(tag("rect", cls="point", x=f"{point:.1f}", y="1", width="2", height="10"))
    view = {"viewBox": "0 0 100 12", "preserveAspectRatio": "none"}
    return tag("svg", *shapes, cls="span", aria_hidden="true", focusable="false", **view)


def _whole(value: str | None) -> str | None:
    return None if value is None else grouped(exact_of(value))


def exact_of(value: str) -> Decimal:
    """A count without places that say nothing."""
    number = Decimal(value)
    return number.to_integral_value() if number == number.to_integral_value() else number.quantize(Decimal("0.1"))
