"""Charts as inline SVG, drawn on the server: exact, printable, readable without colour and without JavaScript.

A chart never carries the only copy of a number: its table stands under it, and its title says what it shows. Colours
come from the style sheet by class, so that the same drawing serves light, dark and paper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from markupsafe import Markup

from shared.http.documents import anchor

WIDTH, HEIGHT = 640, 232
LEFT, RIGHT, TOP, BOTTOM = 58, 6, 12, 26
MOST_LABELS: Final = 14
MOST_BARS_WITH_NUMBERS: Final = 6
LEAST_FOR_SPARK: Final = 6
_STEPS: Final = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
NOTHING: Final = Markup("")
Words = Callable[[Decimal], str]


@dataclass(frozen=True, slots=True)
class Series:
    """A row of numbers under one name; none where a number is not known."""

    name: str
    values: Sequence[Decimal | None]


def columns(title: str, labels: Sequence[str], series: Sequence[Series], axis: Words, exact: Words) -> Markup:
    """Upright bars, one group for each label; the second series is outlined, so that colour is not needed."""
    scale = Scale([value for each in series for value in each.values if value is not None])
    step = Decimal(WIDTH - LEFT - RIGHT) / max(len(labels), 1)
    bar = min(step * Decimal("0.72") / len(series), Decimal(46))
    shapes: list[Markup] = []
    for place, label in enumerate(labels):
        middle = LEFT + step * (place + Decimal("0.5"))
        for row, each in enumerate(series):
            value = each.values[place]
            if value is None:
                continue
            x = middle + bar * (row - Decimal(len(series)) / 2)
            top, bottom = sorted((scale.y(value), scale.y(Decimal(0))))
            says = tag("title", f"{label}: {each.name} {exact(value)}")
            box = {"x": _n(x + Decimal("0.5")), "y": _n(top), "width": _n(max(bar - 1, Decimal(1)))}
            shapes.append(tag("rect", says, cls=f"bar s{row + 1}", **box, height=_n(max(bottom - top, Decimal(0)))))
            if len(series) == 1 and len(labels) <= MOST_BARS_WITH_NUMBERS and value:
                at = {"x": _n(x + bar / 2), "y": _n(top - 4)}
                shapes.append(tag("text", axis(value), cls="number", **at, text_anchor="middle"))
    return _frame(title, labels, scale, axis, shapes, step)


def line(title: str, labels: Sequence[str], series: Sequence[Series], axis: Words, exact: Words) -> Markup:
    """Lines with a mark at each known number; the second one is dashed, with square marks."""
    scale = Scale([value for each in series for value in each.values if value is not None])
    step = Decimal(WIDTH - LEFT - RIGHT) / max(len(labels), 1)
    shapes: list[Markup] = []
    for row, each in enumerate(series, 1):
        points = [(LEFT + step * (place + Decimal("0.5")), value) for place, value in enumerate(each.values)]
        for stretch in _stretches(points):
            path = " ".join(f"{_n(x)},{_n(scale.y(value))}" for x, value in stretch)
            shapes.append(tag("polyline", cls=f"line s{row}", points=path))
        for label, (x, value) in zip(labels, points, strict=True):
            if value is not None:
                says = tag("title", f"{label}: {each.name} {exact(value)}")
                shapes.append(tag("circle", says, cls=f"mark s{row}", cx=_n(x), cy=_n(scale.y(value)), r="3.5"))
    return _frame(title, labels, scale, axis, shapes, step)


def spark(values: Sequence[Decimal | None]) -> Markup:
    """A small picture of how a number went, without words: its table stands elsewhere on the page."""
    known = [value for value in values if value is not None]
    if len(known) < LEAST_FOR_SPARK or not any(known):
        return NOTHING
    low, high = min(Decimal(0), *known), max(Decimal(0), *known)
    step = Decimal(100) / len(values)
    shapes = []
    for place, value in enumerate(values):
        if value is not None:
            top, bottom = sorted(24 * (high - each) / (high - low) for each in (value, Decimal(0)))
            box = {"x": _n(step * place + 1), "y": _n(top), "width": _n(step - 2)}
            shapes.append(tag("rect", **box, height=_n(max(bottom - top, Decimal(1)))))
    view = {"viewBox": "0 0 100 25", "preserveAspectRatio": "none"}
    return tag("svg", *shapes, cls="spark", aria_hidden="true", focusable="false", **view)


def gauge(part: Decimal, whole: Decimal) -> Markup:
    """A bar in a cell of a table, as long as its number is of the largest one."""
    length = max(Decimal(0), min(part / whole, Decimal(1))) * 100 if whole > 0 else Decimal(0)
    box = tag("rect", cls="bar s1", x="0", y="0", width=_n(length), height="10")
    view = {"viewBox": "0 0 100 10", "preserveAspectRatio": "none"}
    return tag("svg", box, cls="gauge", aria_hidden="true", focusable="false", **view)


class Scale:
    """The upright axis: from a round number below to a round number above, nought included."""

    def __init__(self, values: Sequence[Decimal]) -> None:
        low, high = min([Decimal(0), *values]), max([Decimal(0), *values])
        whole = all(value == value.to_integral_value() for value in values)
        self.step = _round_step((high - low) / 4 or Decimal("0.25"), whole)
        self.low = (low / self.step).to_integral_value("ROUND_FLOOR") * self.step
        self.high = max((high / self.step).to_integral_value("ROUND_CEILING") * self.step, self.low + self.step)

    def y(self, value: Decimal) -> Decimal:
        """How far down a number stands."""
        return TOP + (HEIGHT - TOP - BOTTOM) * (self.high - value) / (self.high - self.low)

    def ticks(self) -> list[Decimal]:
        """The numbers that have a line across."""
        many = int((self.high - self.low) / self.step)
        return [self.low + self.step * place for place in range(many + 1)]


def tag(name: str, *inside: str | Markup, cls: str | None = None, **attributes: Any) -> Markup:
    """An element; whatever is not markup already is escaped."""
    given = {"class": cls, **{key.replace("_", "-"): value for key, value in attributes.items()}}
    written = Markup("").join(
        Markup(' {}="{}"').format(key, value) for key, value in given.items() if value is not None
    )
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), written, Markup("").join(inside))


def _frame(
    title: str, labels: Sequence[str], scale: Scale, axis: Words, shapes: Iterable[Markup], step: Decimal
) -> Markup:
    lines: list[Markup] = []
    for tick in scale.ticks():
        y = scale.y(tick)
        ends = {"x1": str(LEFT), "x2": str(WIDTH - RIGHT), "y1": _n(y), "y2": _n(y)}
        lines.append(tag("line", cls="rule zero" if not tick else "rule", **ends))
        lines.append(tag("text", axis(tick), x=str(LEFT - 8), y=_n(y + 4), text_anchor="end"))
    every = -(-len(labels) // MOST_LABELS)
    for place, label in enumerate(labels):
        if place % every == 0:
            x = LEFT + step * (place + Decimal("0.5"))
            lines.append(tag("text", label, x=_n(x), y=str(HEIGHT - 8), text_anchor="middle"))
    name = f"chart-{anchor(title)}"
    return tag(
        "svg",
        tag("title", title, id=name),
        *lines,
        *shapes,
        cls="chart",
        role="img",
        aria_labelledby=name,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
    )


def _stretches(points: Sequence[tuple[Decimal, Decimal | None]]) -> list[list[tuple[Decimal, Decimal]]]:
    """The stretches between the gaps, so that nothing is drawn where nothing is known."""
    found: list[list[tuple[Decimal, Decimal]]] = [[]]
    for x, value in points:
        if value is None:
            found.append([])
        else:
            found[-1].append((x, value))
    return [stretch for stretch in found if len(stretch) > 1]


def _round_step(rough: Decimal, whole: bool) -> Decimal:
    """The next larger of 1, 2, 2.5, 5 and 10 times a power of ten; of whole numbers a whole one."""
    power = Decimal(1).scaleb(rough.adjusted())
    steps = (step * power for step in _STEPS if step * power >= rough)
    if whole:
        return next((step for step in steps if step == step.to_integral_value()), Decimal(1))
    return next(steps)


def _n(number: Decimal) -> str:
    """A place in a drawing: to a tenth."""
    return f"{number.quantize(Decimal('0.1')).normalize():f}"
