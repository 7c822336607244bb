"""What of a review is for whom: the direct leader, the team itself, and everybody else who may read reviews.

A member sees their own part and the graph of their team; a leader the cells of all members but how somebody takes
setbacks, which is for them alone; others no member at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

Sight = Literal["whole", "team", "outside"]
_ABOUT_MEMBERS: Final = ("W-HUB", "W-ISO")
_NAMELESS: Final = ("members", "ties", "density", "degree_centralisation", "betweenness_centralisation", "efficiency",
                    "reciprocity")  # fmt: skip
_ONLY_THEIRS: Final = ("IB8",)
"""How somebody takes setbacks is shown to them alone."""
_INSIDE: Final = ("IB6",)
"""Of the team's measures those for the team and who leads it: what its members say of each other."""
_SURVEYS: Final = ("TP5", "TP6", "RW5", "RW6")
_INDICES: Final = ("COM", "TWK")
_NOBODY: Final = {"claimed_by": None, "verified_by": None}
_UNTOLD: Final = {"value": None, "low": None, "high": None, "n": None}
FEWEST_OUTSIDE: Final = 5
ALONE: Final = 3
"""Of fewer members than this an average is about somebody."""


def as_seen(document: Mapping[str, Any], sight: Sight, member: str | None) -> dict[str, Any]:
    """The document as it is for somebody."""
    measures = document["measures"]
    if is_thin(document):
        return dict(document)
    if sight == "whole":
        members = {name: each if name == member else shared(each) for name, each in measures["members"].items()}
        return dict(document) | {"measures": {"team": measures["team"], "members": members}}
    mine = {name: each for name, each in measures["members"].items() if sight == "team" and name == member}
    found = dict(document) | {
        "measures": {"team": measures["team"], "members": mine},
        "contributions": [each for each in document["contributions"] if each["member"] in mine],
        # How long who carries all help sits in meetings is for who leads them.
        "weaknesses": {code: _without(each, "meeting_hours") for code, each in document["weaknesses"].items()},
    }
    return found | _outside(found) if sight == "outside" else found


def _outside(document: Mapping[str, Any]) -> dict[str, Any]:
    """What of a document is otherwise for those who are not of the team."""
    told = document["measures"]["team"]
    team, goals = of_outside(told, fewest_of(document)), document.get("goals", {"linked": []})
    found = {
        "measures": {"team": team, "members": {}},
        "associations": without_names(document["associations"]),
        "goals": goals | {"linked": [each | {"targets": []} for each in goals["linked"]]},
        "accomplishments": [each | _NOBODY for each in document.get("accomplishments", [])],
        "weaknesses": {
            code: _without(each, "began") | {"about": []} if code in _ABOUT_MEMBERS else each
            for code, each in document["weaknesses"].items()
        },
    }
    if any(team[each] != told[each] for each in _INDICES):
        # What is missing to the line, and so each benefit, would tell what few have answered.
        found |= {"options": None, "recommendation": document["recommendation"] | {"value": None}}
    return found


def _without(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {each: value for each, value in values.items() if each != name}


def is_thin(document: Mapping[str, Any]) -> bool:
    """Whether nothing is told of members any more: the review is older than they are remembered for."""
    return "needs" not in document["associations"]


def shared(values: Mapping[str, Any]) -> dict[str, Any]:
    """A member's measures without those that are for nobody but them."""
    return {name: each for name, each in values.items() if name not in _ONLY_THEIRS}


def of_outside(values: Mapping[str, Any], fewest: int) -> dict[str, Any]:
    """The team's measures without those that are only for itself and who leads it; of what fewer have answered than may
    be told outside, and of what is made of that, no number."""
    few = {each for each in _SURVEYS if each in values and _few(values[each], fewest)}
    few |= {name for name, each in values.items() if few & set(each["parts"])}
    return {
        name: each | _UNTOLD | {"missing": f"fewer than {fewest} answers: for the team and who leads it"}
        if name in few else each
        for name, each in values.items() if name not in _INSIDE
    }  # fmt: skip


def fewest_of(document: Mapping[str, Any]) -> int:
    """From how many answers on those outside are told of them."""
    return int(document.get("outside_from", FEWEST_OUTSIDE))


def _few(value: Mapping[str, Any], fewest: int) -> bool:
    return value["value"] is not None and float(value["n"]) < fewest


def without_names(graph: Mapping[str, Any]) -> dict[str, Any]:
    """The graph as it is for others: what it tells, of nobody in particular."""
    network = graph["network"]
    return {
        "needed": sum(graph["needs"].values()),
        "uncovered": sum(each["times"] for each in graph["uncovered"]),
        "network": {name: network[name] for name in _NAMELESS} | {"isolates": len(network["isolates"])},
        "inwardness": graph["inwardness"],
        "departments": graph.get("departments", []),
    }


def may_open(path: str, sight: Sight, member: str | None) -> bool:
    """Whether what a number is made of is for somebody."""
    if path.startswith("/measures/members/") and path.endswith(_ONLY_THEIRS) and path.split("/")[-2] != member:
        return False
    if sight == "whole":
        return True
    if path.startswith(("/measures/members/", "/contributions/")):
        return sight == "team" and path.split("/")[-2 if path.startswith("/measures") else -1] == member
    return sight == "team" or not path.startswith(("/associations/", "/goals/", "/weaknesses/"))
