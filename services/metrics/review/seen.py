"""What of a review is for whom: the direct leader, the team itself, and everybody else who may read reviews.

A member sees their own part and the graph of their team; a leader the cells of all members; others no member at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

Sight = Literal["whole", "team", "outside"]
_ABOUT_MEMBERS: Final = ("W-HUB", "W-ISO")
_NAMELESS: Final = ("members", "ties", "density", "degree_centralisation", "betweenness_centralisation", "efficiency",
                    "reciprocity")  # fmt: skip
ALONE: Final = 3
"""Of fewer members than this an average is about somebody."""


def as_seen(document: Mapping[str, Any], sight: Sight, member: str | None) -> dict[str, Any]:
    """The document as it is for somebody."""
    if sight == "whole":
        return dict(document)
    measures = document["measures"]
    mine = {name: each for name, each in measures["members"].items() if sight == "team" and name == member}
    found = dict(document) | {
        "measures": {"team": measures["team"], "members": mine},
        "contributions": [each for each in document["contributions"] if each["member"] in mine],
    }
    if sight == "outside":
        found["associations"] = without_names(document["associations"])
        found["weaknesses"] = {
            code: each | {"about": []} if code in _ABOUT_MEMBERS else each
            for code, each in document["weaknesses"].items()
        }
    return found


def without_names(graph: Mapping[str, Any]) -> dict[str, Any]:
    """The graph as it is for others: what it tells, of nobody in particular."""
    network = graph["network"]
    return {
        "needed": sum(graph["needs"].values()),
        "uncovered": sum(each["times"] for each in graph["uncovered"]),
        "network": {name: network[name] for name in _NAMELESS} | {"isolates": len(network["isolates"])},
        "inwardness": graph["inwardness"],
    }


def may_open(path: str, sight: Sight, member: str | None) -> bool:
    """Whether what a number is made of is for somebody."""
    if sight == "whole":
        return True
    if path.startswith(("/measures/members/", "/contributions/")):
        return sight == "team" and path.split("/")[-2 if path.startswith("/measures") else -1] == member
    return sight == "team" or not path.startswith("/associations/")
