"""The graph of the whole organisation: how work runs between its departments or teams, and which groups ties make.

It speaks of nobody. What is of fewer people than may be told of is joined with others that are few, and if they are
still too few, with those who are nowhere or with the smallest that are not few.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.metrics.review.association import Need, anybody, edges_of, needs_of
from services.metrics.review.chance import Inwardness, inwardness_of_many
from services.metrics.review.communities import by_chance, communities, modularity
from services.metrics.review.inputs import Inputs
from services.metrics.review.measure import Measure, Value
from services.metrics.review.network import Graph
from services.metrics.review.team_process import TP4, tied
from services.metrics.review.thresholds import Rules

FEWEST_MEMBERS: Final = 30
FEWEST_UNITS: Final = 3
FEW: Final = "few"
"""What is joined because it would be of too few people."""
NOWHERE: Final = ""
"""Where somebody is who is in none of them."""
UNTIED: Final = "nobody has a tie to anybody"
_DEPARTMENT: Final = anybody("")
MOD = Measure(
    "MOD", "modularity", "organisation", "How far ties stay within departments, or teams: silos have much of it.",
    "Σ over them of (ties within ÷ m - (degrees ÷ 2m)²)",
    "from 30 members and 3 of them on; what chance alone would make stands beside it", FEWEST_MEMBERS, unit="ratio",
)  # fmt: skip
FOUND = Measure(
    "FOUND", "modularity of the groups found", "organisation",
    "How far ties stay within the groups that the ties themselves make, wherever their members belong.",
    "the same, of groups that no move of a member or a group makes more of",
    "ties look grouped by chance too; a group is a question and no fault", FEWEST_MEMBERS, unit="ratio",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unit:
    """A department or a team: how many there are, their ties, and what work needed of others and of each other."""

    ref: str
    members: int
    inside: int
    outside: int
    coverage: Value


@dataclass(frozen=True, slots=True)
class Between:
    """What there is between two of them."""

    pair: tuple[str, str]
    ties: int
    coverage: Value


@dataclass(frozen=True, slots=True)
class Group:
    """People whom their ties make a group, by where they belong."""

    members: int
    ties: int
    of: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Whole:
    """All that is told of it."""

    members: int
    ties: int
    untied: int
    coverage: Value
    units: Sequence[Unit]
    between: Sequence[Between]
    modularity: Value
    chance: float | None
    inwardness: Inwardness | None
    found: Value
    groups: Sequence[Group]
    smaller: tuple[int, int]
    """How many groups are of too few people to be told of, and of how many together."""


def whole_of(inputs: Inputs, rules: Rules, belongs: Mapping[str, str]) -> Whole:
    """The graph of everybody in some inputs, by where each of them belongs."""
    edges, fewest = edges_of(inputs, rules.graph), rules.survey.outside
    people = [pair for pair, edge in edges.items() if edge.tie and pair[0] in belongs and pair[1] in belongs]
    needed = [(each, tied(each.pair, edges)) for each in needs_of(inputs)]
    graph, places = Graph(belongs, people), _Places(belongs, fewest)
    groups = communities(graph) if len(graph.nodes) >= FEWEST_MEMBERS else []
    silo, found = _of_units(graph, belongs), _of_groups(graph, groups)
    told, smaller = _groups(graph, groups, places, fewest)
    return Whole(
        len(graph.nodes), graph.ties, sum(not each for each in graph.around.values()), _coverage(needed),
        _units(people, needed, places), _between(people, needed, places), silo,
        None if silo.value is None else by_chance(graph, belongs),
        None if silo.value is None else inwardness_of_many(belongs, people), found, told, smaller,
    )  # fmt: skip


class _Places:
    """Where everybody belongs, as far as it may be told."""

    def __init__(self, belongs: Mapping[str, str], fewest: int) -> None:
        self.belongs = belongs
        self.members = Counter(belongs.values())
        few = [each for each in self.members if self.members[each] < fewest]
        if 0 < sum(self.members[each] for each in few) < fewest:
            others = self.members.keys() - set(few)
            few += sorted(others, key=lambda each: (each != NOWHERE, self.members[each], each))[:1]
        self._few = frozenset(few)

    def of(self, who: str) -> str:
        """Where somebody belongs; a department that was asked as such is itself."""
        return self.told(
            who.removeprefix(_DEPARTMENT) if who.startswith(_DEPARTMENT) else self.belongs.get(who, NOWHERE)
        )

    def told(self, place: str) -> str:
        """A place, or that it is one of too few people."""
        return FEW if place in self._few else place

    @property
    def sizes(self) -> Counter[str]:
        """How many belong to each that is told of."""
        found = Counter[str]()
        for place, members in self.members.items():
            found[self.told(place)] += members
        return found


Needed = Sequence[tuple[Need, bool]]
"""What work needed, and whether there was a tie."""


def _coverage(needed: Iterable[tuple[Need, bool]]) -> Value:
    all_of_them = list(needed)
    return TP4.share(sum(each.times for each, tie in all_of_them if tie), sum(each.times for each, _ in all_of_them))


def _units(people: Sequence[tuple[str, str]], needed: Needed, places: _Places) -> list[Unit]:
    inside, outside = Counter[str](), Counter[str]()
    for one, other in (map(places.of, pair) for pair in people):
        (inside if one == other else outside)[one] += 1
        if one != other:
            outside[other] += 1
    mine: dict[str, list[tuple[Need, bool]]] = {}
    for each in needed:
        for place in set(map(places.of, each[0].pair)):
            mine.setdefault(place, []).append(each)
    sizes = places.sizes
    return [Unit(each, sizes[each], inside[each], outside[each], _coverage(mine.get(each, ())))
            for each in sorted({*sizes, *mine})]  # fmt: skip


def _between(people: Sequence[tuple[str, str]], needed: Needed, places: _Places) -> list[Between]:
    """Every two between which there is a tie or a need, those first whose needs are covered the least."""

    def pair_of(pair: tuple[str, str]) -> tuple[str, str]:
        one, other = sorted(map(places.of, pair))
        return one, other

    ties = Counter(pair_of(pair) for pair in people)
    mine: dict[tuple[str, str], list[tuple[Need, bool]]] = {}
    for each in needed:
        mine.setdefault(pair_of(each[0].pair), []).append(each)
    found = [Between(pair, ties[pair], _coverage(mine.get(pair, ()))) for pair in {*ties, *mine} if pair[0] != pair[1]]
    return sorted(found, key=lambda each: ((each.coverage.hits or 0) - (each.coverage.of or 0), each.pair))


def _of_units(graph: Graph, belongs: Mapping[str, str]) -> Value:
    """MOD: of where people belong."""
    members, units = len(graph.nodes), len(set(belongs.values()) - {NOWHERE})
    if members < FEWEST_MEMBERS or units < FEWEST_UNITS:
        return MOD.nothing(
            f"{members} of at least {FEWEST_MEMBERS} members, {units} of at least {FEWEST_UNITS} departments or teams"
        )
    value = modularity(graph, belongs)
    return MOD.nothing(UNTIED) if value is None else MOD.number(value, graph.ties)


def _of_groups(graph: Graph, groups: Sequence[tuple[str, ...]]) -> Value:
    """FOUND: of the groups that ties make."""
    if not groups:
        return FOUND.nothing(f"{len(graph.nodes)} of at least {FEWEST_MEMBERS} members")
    value = modularity(graph, {who: str(number) for number, group in enumerate(groups) for who in group})
    return FOUND.nothing(UNTIED) if value is None else FOUND.number(value, graph.ties)


def _groups(
    graph: Graph, groups: Sequence[tuple[str, ...]], places: _Places, fewest: int
) -> tuple[list[Group], tuple[int, int]]:
    """The groups of enough people, and how many others there are, of two or more."""
    small = [len(each) for each in groups if 1 < len(each) < fewest]
    told = [
        Group(len(each), sum(other in each for who in each for other in graph.around[who]) // 2,
              dict(Counter(places.of(who) for who in sorted(each))))
        for each in map(frozenset, groups) if len(each) >= fewest
    ]  # fmt: skip
    return told, (len(small), sum(small))
