"""What the numbers of the graph, of goals and of contributions mean, and what they are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from services.metrics.review.opened import Meaning

_TIES: Final = "over ties among the members"
_PICTURE: Final = "a picture, without a line"
NETWORK: Final[Mapping[str, Meaning]] = {
    "members": Meaning("Members", "Members of the team in the period.", "number of members", "members", _PICTURE),
    "ties": Meaning("Ties", "Pairs of members with a tie.", "pairs of 2 points or more", "pairs",
                    "more is not better: what counts is the coverage of what work needs"),
    "density": Meaning("Density", "Pairs of members with a tie, of all pairs.", f"2E ÷ (n(n - 1)), {_TIES}", "share",
                       "of four members on; a picture, without a line"),
    "isolates": Meaning("Without a tie", "Members without a tie in the team.", "members of degree 0", "members",
                        "of three members on; the first question, and no fault: new, absent, part-time?"),
    "degrees": Meaning("Ties of a member", "With how many team mates a member has a tie.", "number of ties", "members",
                       _PICTURE),
    "degree_centralisation": Meaning(
        "Ties gathered on one member", "How far ties gather on one member: 0 none, 1 all.",
        f"Σ(d_max - d_i) ÷ ((n - 1)(n - 2)), {_TIES}", "0 to 1",
        "of five members on; above .6, where most help comes from there too, it is a load"),
    "betweenness_centralisation": Meaning(
        "Ways that lead over one member", "How far the shortest ways lead over one member: 0 none, 1 all.",
        f"Σ(b_max - b_i) ÷ (n - 1), {_TIES}", "0 to 1", "of five members on; a bottleneck where it is near 1"),
    "efficiency": Meaning("Efficiency", "How near members are to each other by their ties.",
                          f"mean over all pairs of 1 ÷ distance, {_TIES}", "0 to 1", "of five members on"),
    "removal_impact": Meaning("If a member were ill", "How much of the efficiency goes if a member is not there.",
                              f"1 - efficiency without them ÷ efficiency, {_TIES}", "share", "of five members on"),
    "help_given": Meaning("Help given", "How often a member helped a team mate.",
                          "items of others resolved + actions of others helped with", "times", "breadth counts more"),
    "help_share": Meaning("Share of all help", "How much of all help in the team came from a member.",
                          "help given ÷ all help", "share", "of ten helps on; from a half on it may be a hub"),
    "reciprocity": Meaning("Help that went both ways", "How much of the help was returned.",
                           "Σ over pairs 2·min(h_ij, h_ji) ÷ Σ h", "share",
                           "of ten helps on; low is normal around a leader"),
}  # fmt: skip
INWARDNESS: Final = Meaning(
    "Ties outside against inside", "Whether ties stay within departments more than chance alone would make them.",
    "(E - I) ÷ (E + I), against departments dealt anew to the same people", "-1 to 1",
    "from ten ties on; above p = .1 it is not told from chance",
)  # fmt: skip
EDGE: Final = Meaning(
    "What there is between two", "The points of each channel of evidence, each at most its cap, and the strength.",
    "P = Σ of capped channels; strength = P ÷ (P + 4); a tie from 2 points on, strong from 6", "points",
    "belonging to the same team is no evidence",
)  # fmt: skip
NEED: Final = Meaning(
    "What work needed", "How often work needed two to have to do with each other.",
    "requests and items addressed between them + shared deals + duties handed over", "times",
    "needs come from work, not from opinion",
)  # fmt: skip
CONTRIBUTION: Final = Meaning(
    "Contribution", "Three numbers side by side: the credited share, the difference from what could be expected, and"
    " help given to others.", "IR5; IR6; items of others resolved + actions of others helped with", "money, %, times",
    "never one number, never a ranking; nobody is dismissed or paid by it",
)  # fmt: skip
UNSTAFFED: Final = Meaning(
    "Unstaffed role", "What a role has of the deals that were won though nobody filled it.",
    "Σ over deals: amount · weight of the role", "money", "it is nobody's",
)  # fmt: skip
GOAL: Final = Meaning(
    "Goal", "What a goal of the organisation weighs, how far it is reached, and how far the team's targets are.",
    "weight of its branch of the tree; actual ÷ target of what is due in the period", "share",
    "goals without a link are a question",
)  # fmt: skip
ACCOMPLISHMENT: Final = Meaning(
    "Accomplishment", "What the team says it has accomplished in the period that no number tells, by how many things"
    " that is shown, and whether somebody has looked at them.", "claimed by the team; verified by somebody who has not"
    " claimed it and is not in the team", "state", "one in a period; what nobody has verified does not count",
)  # fmt: skip
WEAKNESS: Final = Meaning(
    "Weakness", "What a rule says of the team, and what shows it.",
    "weak: below the weak line, and the upper limit below the healthy line; watch: below the healthy line",
    "state", "leads to an action when it was at least to be watched in the period before, but for W-ISO, W-HUB, W-MTG",
)  # fmt: skip
TO_RAISE: Final = Meaning(
    "What is to be raised", "The measure that the recommendation is about, and the line from which on it is healthy.",
    "the value of the measure; the healthy line of the rule-set", "points", "the line is the rule-set's",
)  # fmt: skip
_OF_HELP: Final = ("help_given", "help_share", "reciprocity")


_ELSEWHERE: Final[Mapping[str, Meaning]] = {
    "contributions": CONTRIBUTION, "unstaffed": UNSTAFFED, "goals": GOAL, "accomplishments": ACCOMPLISHMENT,
    "weaknesses": WEAKNESS, "recommendation": TO_RAISE,
}  # fmt: skip


def meaning_of(path: str) -> Meaning | None:
    """What a number means that is no measure and not of the table of options."""
    match path.split("/")[1:]:
        case ["associations", "network", name, *_] if name in NETWORK:
            return NETWORK[name]
        case ["associations", "inwardness", *_]:
            return INWARDNESS
        case ["associations", "edges", *_]:
            return EDGE
        case ["associations", "needs" | "uncovered", *_]:
            return NEED
        case [first, *_] if first in _ELSEWHERE:
            return _ELSEWHERE[first]
    return None


def parts_of(document: Mapping[str, Any], path: str) -> list[str]:
    """The numbers it is made of, by their paths; none where it is made of events themselves."""
    graph, rest = document["associations"], path.split("/")[2:]
    if path == "/recommendation/value" and document["recommendation"]["measure"]:
        return [f"/measures/team/{document['recommendation']['measure']}"]
    if path.startswith("/weaknesses/") and rest[0] in document["weaknesses"]:
        shown = document["weaknesses"][rest[0]]["shown_by"]
        return [f"/measures{each}" for each in shown if each.startswith("/team/")]
    if not path.startswith("/associations/") or "edges" not in graph:
        return []
    match rest:
        case ["network", "degrees", member]:
            return _edges(graph, (each for each in _inside(graph) if member in each.split("~")))
        case ["network", name, *_] if name not in _OF_HELP:
            return _edges(graph, _inside(graph))
        case ["inwardness", *_]:
            return _edges(graph, graph["edges"])
        case ["uncovered"]:
            return [f"/associations/needs/{'~'.join(each['between'])}" for each in graph["uncovered"]]
        case ["uncovered", place]:
            return [f"/associations/needs/{'~'.join(graph['uncovered'][int(place)]['between'])}"]
    return []


def _edges(graph: Mapping[str, Any], keys: Iterable[str]) -> list[str]:
    """The paths of those of them that are ties."""
    return [f"/associations/edges/{key}" for key in keys if graph["edges"][key]["tie"]]


def _inside(graph: Mapping[str, Any]) -> Iterator[str]:
    members = graph["network"]["degrees"].keys()
    return (key for key in graph["edges"] if members >= set(key.split("~")))
