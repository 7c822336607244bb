"""Who has to do with whom: with names for the team and its leader, by departments for everybody else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from services.metrics.page.review.drawing import Drawn, Pair, drawn
from services.metrics.page.review.figures import SMALL_TEAM, opened, signed, tenths
from services.metrics.page.review.words import times
from services.metrics.page.values import in_words, percent
from services.metrics.review.seen import is_thin

CHANNELS: Final = {"meetings": "meeting", "items": "item", "actions": "action", "requests": "request",
                   "check_ins": "check-in"}  # fmt: skip
DEPARTMENT: Final = "department:"
OVERLOAD: Final = 0.6
"""Where more of the ties are gathered on who gives most help, that is a load."""


@dataclass(frozen=True, slots=True)
class Line:
    """What lies between two: how strong, by which evidence, how often work needed it, and what it opens to."""

    between: str
    points: str
    says: str
    evidence: str
    needed: int
    link: str | None


@dataclass(frozen=True, slots=True)
class Graph:
    """The drawing, the lines below it, and what the whole of it tells."""

    drawing: Markup
    lines: Sequence[Line]
    missing: Sequence[Line]
    told: Sequence[tuple[str, str]]
    named: bool


def graph_of(document: Mapping[str, Any], review: str, names: Mapping[str, str]) -> Graph:
    """The graph with names."""
    graph = document["associations"]
    network, edges, needs = graph["network"], graph["edges"], graph["needs"]
    uncovered = {_pair("~".join(each["between"])): each["times"] for each in graph["uncovered"]}
    known = {each: called(each, names) for each in people_of(document)}
    lines = {_pair(key): _line(key, edge, int(needs.get(key, 0)), review, known) for key, edge in edges.items()}
    members = sorted(network["degrees"])
    ties = {_pair(key): bool(edge["strong"]) for key, edge in edges.items() if edge["tie"]}
    met = {each for pair in (*ties, *uncovered) for each in pair} - set(members)
    says = {pair: f"{each.between}: {each.evidence}" for pair, each in lines.items()}
    says |= {pair: f"{_both(pair, known)}: needed {number} times, no working tie" for pair, number in uncovered.items()}
    drawing = drawn(
        Drawn("Who has to do with whom", members, sorted(met), known, ties, uncovered, marks_of(document), says)
    )
    return Graph(
        drawing,
        [lines[pair] for pair in sorted(lines, key=lambda pair: (-float(edges["~".join(pair)]["points"]), pair))],
        [_gap(pair, number, lines.get(pair), review, known) for pair, number in uncovered.items()],
        told_of(network, graph["inwardness"], has_hub(document)), True,
    )  # fmt: skip


def by_department(document: Mapping[str, Any], team: str, departments: Mapping[str, str],
                  titles: Mapping[str, str], told: Mapping[str, Any]) -> Graph:  # fmt: skip
    """The same for others: the team as one, and the departments it works with."""
    graph = document["associations"]
    members = set(graph["network"]["degrees"])
    needed: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    for key, number in graph["needs"].items():
        needed.update({_side(key, members, departments): number})
    for each in graph["uncovered"]:
        missing.update({_side("~".join(each["between"]), members, departments): each["times"]})
    places = [each for each in sorted(needed) if each]
    names = {"": team} | {each: titles.get(each, in_words(each)) for each in places}
    drawing = drawn(Drawn(
        "With which departments the team has to do", [""], places, names,
        {("", each): False for each in places if needed[each] > missing[each]},
        {("", each): missing[each] for each in places if missing[each]},
    ))  # fmt: skip
    lines = [
        Line(names[each] if each else "within the team", "", "", f"{times(needed[each], 'need')},"
             f" {missing[each]} without a working tie", needed[each], None)
        for each in sorted(needed)
    ]  # fmt: skip
    return Graph(drawing, lines, [], told_of(told["network"], told["inwardness"], has_hub(document)), False)


def called(ref: str, names: Mapping[str, str]) -> str:
    """What somebody is called; who has no name here is somebody of a department, or an id."""
    anybody = f"{in_words(ref.removeprefix(DEPARTMENT))} (anybody)" if ref.startswith(DEPARTMENT) else ref
    return names.get(ref, anybody)


def people_of(document: Mapping[str, Any]) -> set[str]:
    """Everybody the graph of a document speaks of."""
    graph = document["associations"]
    if is_thin(document):
        return set()
    pairs = [_pair(key) for key in (*graph["edges"], *graph["needs"])]
    return {*graph["network"]["degrees"], *(each for pair in pairs for each in pair)}


def marks_of(document: Mapping[str, Any]) -> dict[str, str]:
    """The words for members who stand out."""
    hubs = document["weaknesses"]["W-HUB"]["about"]
    return {each: "no tie" for each in document["associations"]["network"]["isolates"]} | dict.fromkeys(hubs, "hub")


def has_hub(document: Mapping[str, Any]) -> bool:
    """Whether most help comes from one member."""
    return bool(document["weaknesses"]["W-HUB"]["state"] in ("weak", "watch"))


def told_of(
    network: Mapping[str, Any], inwardness: Mapping[str, Any] | None, hub: bool = False
) -> list[tuple[str, str]]:
    """What the whole of it tells, where there are enough people to tell it."""
    found = []
    for key, name, note in (
        ("density", "Pairs of members with a tie", "a picture, without a line"),
        ("degree_centralisation", "Ties gathered on one member", "0 none, 1 all; leaders stand in the middle"),
        ("betweenness_centralisation", "Ways that lead over one member", "0 none, 1 all"),
        ("reciprocity", "Help that went both ways", "low is normal around a leader"),
    ):
        if network.get(key) is not None:
            value = percent(network[key]) if key in ("density", "reciprocity") else f"{float(network[key]):.2f}"
            if key == "density" and network["members"] < SMALL_TEAM:
                value = f"{network['ties']} of {network['members'] * (network['members'] - 1) // 2}"
            if key == "degree_centralisation" and hub and float(network[key]) > OVERLOAD:
                note = "most help comes from there too: whoever that is may be overloaded"
            found.append((name, f"{value} ({note})"))
    if inwardness is not None:
        found.append(("Ties outside against inside", inward_in_words(inwardness)))
    return found


def inward_in_words(found: Mapping[str, Any]) -> str:
    """Whether ties turn inward, and whether chance alone would do the same."""
    index = float(found["index"])
    way = "turned inward" if index < 0 else "turned outward"
    sure = "more than chance would" if found["told"] else "not to be told from chance"
    return f"{signed(index)}: {way}, {sure}, with {found['ties']} ties"


def _line(key: str, edge: Mapping[str, Any], needed: int, review: str, known: Mapping[str, str]) -> Line:
    counts = [
        times(each["times"], CHANNELS[name]) for name, each in edge["channels"].items() if each["times"]
    ]  # fmt: skip
    says = "strong tie" if edge["strong"] else "tie" if edge["tie"] else "no tie"
    path = f"/associations/edges/{key}"
    return Line(_both(_pair(key), known), tenths(edge["points"]), says, ", ".join(counts), needed,
                opened(review, path))  # fmt: skip


def _gap(pair: Pair, number: int, line: Line | None, review: str, known: Mapping[str, str]) -> Line:
    evidence = line.evidence if line else "nothing yet"
    path = f"/associations/needs/{'~'.join(pair)}"
    return Line(_both(pair, known), line.points if line else "0.0", "no tie", evidence, number, opened(review, path))


def _both(pair: Pair, known: Mapping[str, str]) -> str:
    return " \N{EN DASH} ".join(known[each] for each in pair)


def _pair(key: str) -> Pair:
    one, _, other = key.partition("~")
    return one, other


def _side(key: str, members: set[str], departments: Mapping[str, str]) -> str:
    """The department on the other side of a pair; nothing where both are of the team."""
    outside = [each for each in _pair(key) if each not in members]
    if not outside:
        return ""
    return outside[0].removeprefix(DEPARTMENT) if outside[0].startswith(DEPARTMENT) else departments.get(
        outside[0], "other")  # fmt: skip
