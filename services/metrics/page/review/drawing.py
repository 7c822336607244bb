"""The association graph as a drawing: members on a ring, those they work with around it, ties and what is missing.

Whatever it shows stands in words beside it or in the tables below: lines differ by form, nodes carry their word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import atan2, cos, hypot, pi, sin
from typing import Final

from markupsafe import Markup

from services.metrics.page.charts import NOTHING, tag

WIDTH, HEIGHT = 640, 430
_RING: Final = (152, 112)
_AROUND: Final = (226, 178)
_MOST: Final = 40
"""With more people a drawing is a ball of wool: then only the tables are shown."""
TIMES: Final = "\N{MULTIPLICATION SIGN}"
Place = tuple[float, float]
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn: people by their ids, each with what it is called, and what lies between them."""

    title: str
    members: Sequence[str]
    partners: Sequence[str]
    names: Mapping[str, str]
    ties: Mapping[Pair, bool]
    """Each with whether it is strong."""
    missing: Mapping[Pair, int]
    """Needed without a tie, and how often."""
    marks: Mapping[str, str] = field(default_factory=dict)
    """A word for who stands out, `hub` or `no tie`."""
    says: Mapping[Pair, str] = field(default_factory=dict)


def drawn(graph: Drawn) -> Markup:
    """The drawing; nothing where there is nobody, or there are too many."""
    if not graph.members or len(graph.members) + len(graph.partners) > _MOST:
        return NOTHING
    places = places_of(graph)
    lines = [_line(graph, pair, places, strong) for pair, strong in sorted(graph.ties.items())]
    lines += [_gap(graph, pair, places, times) for pair, times in sorted(graph.missing.items())]
    nodes = [_node(graph, each, places[each], inside=True) for each in graph.members]
    nodes += [_node(graph, each, places[each], inside=False) for each in graph.partners]
    title = tag("title", graph.title, id="graph-title")
    top, bottom = (pick(y for _, y in places.values()) for pick in (min, max))
    return tag("svg", title, *lines, *nodes, cls="chart graph", role="img", aria_labelledby="graph-title",
               viewBox=f"0 {top - 46:.0f} {WIDTH} {bottom - top + 92:.0f}")  # fmt: skip


def places_of(graph: Drawn) -> dict[str, Place]:
    """Members in an order in which ties are short, others on the side of those they have to do with."""
    pairs = [*graph.ties, *graph.missing]
    ring = _ordered(sorted(graph.members), pairs)
    angles = {each: 2 * pi * place / len(ring) - pi / 2 for place, each in enumerate(ring)}
    found = {each: _at(angle, _RING) for each, angle in angles.items()}
    wanted = {each: _drawn_to(each, pairs, found) for each in graph.partners}
    around = sorted(graph.partners, key=lambda each: (wanted[each], each))
    step = 2 * pi / max(len(around), 1)
    shift = _mean_angle([wanted[each] - place * step for place, each in enumerate(around)])
    return found | {each: _at(shift + place * step, _AROUND) for place, each in enumerate(around)}


def _at(angle: float, radii: tuple[int, int]) -> Place:
    return WIDTH / 2 + radii[0] * cos(angle), HEIGHT / 2 + radii[1] * sin(angle)


def _ordered(members: list[str], pairs: Sequence[Pair]) -> list[str]:
    """Members around a ring: two change places as long as that makes the ties shorter."""
    known = set(members)
    inside = [pair for pair in pairs if pair[0] in known and pair[1] in known]

    def length(order: Sequence[str]) -> float:
        place = {each: number for number, each in enumerate(order)}
        return sum(sin(pi * abs(place[one] - place[other]) / len(order)) for one, other in inside)

    best, shortest, better = list(members), length(members), True
    while better:
        better = False
        for one in range(len(best)):
            for other in range(one + 1, len(best)):
                tried = list(best)
                tried[one], tried[other] = best[other], best[one]
                if length(tried) < shortest - 1e-9:
                    best, shortest, better = tried, length(tried), True
    return best


def _drawn_to(partner: str, pairs: Sequence[Pair], places: Mapping[str, Place]) -> float:
    """In which direction those lie whom somebody has to do with."""
    near = [places[each] for pair in pairs if partner in pair for each in pair if each in places]
    x = sum(place[0] - WIDTH / 2 for place in near)
    y = sum(place[1] - HEIGHT / 2 for place in near)
    return atan2(y / _RING[1], x / _RING[0]) if near else 0.0


def _mean_angle(angles: Sequence[float]) -> float:
    return atan2(sum(map(sin, angles)), sum(map(cos, angles))) if angles else 0.0


def _line(graph: Drawn, pair: Pair, places: Mapping[str, Place], strong: bool) -> Markup:
    says = graph.says.get(pair, "")
    return _between(places[pair[0]], places[pair[1]], "tie strong" if strong else "tie", says)


def _gap(graph: Drawn, pair: Pair, places: Mapping[str, Place], times: int) -> Markup:
    one, other = places[pair[0]], places[pair[1]]
    x, y = (one[0] + other[0]) / 2, (one[1] + other[1]) / 2
    label = tag("text", f"{times}{TIMES}", cls="missing", x=_n(x), y=_n(y + 4), text_anchor="middle")
    return _between(one, other, "tie missing", graph.says.get(pair, "")) + label


def _between(one: Place, other: Place, form: str, says: str) -> Markup:
    ends = {"x1": _n(one[0]), "y1": _n(one[1]), "x2": _n(other[0]), "y2": _n(other[1])}
    return tag("line", tag("title", says) if says else NOTHING, cls=form, **ends)


def _node(graph: Drawn, who: str, place: Place, *, inside: bool) -> Markup:
    mark = graph.marks.get(who, "")
    form = "node" if inside else "node other"
    shapes = [tag("circle", cls=f"{form} {mark.replace(' ', '-')}".strip(), cx=_n(place[0]), cy=_n(place[1]), r="9")]
    if mark:
        shapes.insert(0, tag("circle", cls=f"halo {mark.replace(' ', '-')}", cx=_n(place[0]), cy=_n(place[1]), r="14"))
    x, y = place[0] - WIDTH / 2, place[1] - HEIGHT / 2
    far = hypot(x, y) or 1.0
    sideways = abs(x) / far > 0.35
    anchor = ("start" if x > 0 else "end") if sideways else "middle"
    at = place[0] + (18 * (1 if x > 0 else -1) if sideways else 0)
    down = place[1] + (5 if sideways else (30 if y > 0 else -20 - (15 if mark else 0)))
    shapes.append(tag("text", graph.names.get(who, who), cls="name", x=_n(at), y=_n(down), text_anchor=anchor))
    if mark:
        shapes.append(tag("text", mark, cls=f"mark-{mark.replace(' ', '-')}", x=_n(at), y=_n(down + 17),
                          text_anchor=anchor))  # fmt: skip
    return tag("g", *shapes)


def _n(number: float) -> str:
    return f"{number:.1f}"
