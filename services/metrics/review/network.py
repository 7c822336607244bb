"""Measures of the association graph: what may be shown of it from how many people on, and what it tells.

The paths are counted here and not by a library: a team is small, and a few lines are exact and the same everywhere.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum

from services.metrics.review.association import Help, Pair

FEWEST_FOR_DENSITY = 4
FEWEST_FOR_ISOLATES = 3
FEWEST_FOR_CENTRALITY = 5
FEWEST_HELPS = 10


class Graph:
    """People and the ties between them."""

    def __init__(self, nodes: Iterable[str], ties: Iterable[Pair]) -> None:
        self.nodes = tuple(sorted(set(nodes)))
        around: defaultdict[str, set[str]] = defaultdict(set)
        known = set(self.nodes)
        for one, other in ties:
            if one in known and other in known:
                around[one].add(other)
                around[other].add(one)
        self.around: Mapping[str, Sequence[str]] = {node: sorted(around[node]) for node in self.nodes}

    @property
    def ties(self) -> int:
        """E: how many ties there are."""
        return sum(len(each) for each in self.around.values()) // 2

    def without(self, node: str) -> Graph:
        """The graph as it would be if somebody were ill."""
        rest = [each for each in self.nodes if each != node]
        return Graph(rest, ((one, other) for one in rest for other in self.around[one]))

    def distances(self, start: str) -> dict[str, int]:
        """How many ties it takes from somebody to each of those they reach."""
        found, waiting = {start: 0}, deque([start])
        while waiting:
            node = waiting.popleft()
            for other in self.around[node]:
                if other not in found:
                    found[other] = found[node] + 1
                    waiting.append(other)
        return found


@dataclass(frozen=True, slots=True)
class Network:
    """What the graph of a team tells; none where the team is too small to tell it."""

    nodes: int
    ties: int
    degrees: Mapping[str, int]
    density: float | None
    isolates: tuple[str, ...]
    degree_centralisation: float | None
    betweenness_centralisation: float | None
    efficiency: float | None
    removal_impact: Mapping[str, float]
    help_given: Mapping[str, int]
    help_share: Mapping[str, float]
    reciprocity: float | None


def network_of(members: Collection[str], ties: Iterable[Pair], helps: Sequence[Help]) -> Network:
    """All of it, for the members of a team."""
    graph = Graph(members, ties)
    n = len(graph.nodes)
    central = n >= FEWEST_FOR_CENTRALITY
    whole = efficiency(graph) if central else None
    given = {node: sum(each.giver == node for each in helps) for node in graph.nodes}
    told = len(helps) >= FEWEST_HELPS
    return Network(
        nodes=n, ties=graph.ties, degrees={node: len(graph.around[node]) for node in graph.nodes},
        density=density(graph) if n >= FEWEST_FOR_DENSITY else None,
        isolates=tuple(node for node in graph.nodes if not graph.around[node]) if n >= FEWEST_FOR_ISOLATES else (),
        degree_centralisation=degree_centralisation(graph) if central else None,
        betweenness_centralisation=betweenness_centralisation(graph) if central else None,
        efficiency=whole,
        removal_impact={node: 1 - efficiency(graph.without(node)) / whole for node in graph.nodes} if whole else {},
        help_given=given,
        help_share={node: given[node] / len(helps) for node in graph.nodes} if told else {},
        reciprocity=reciprocity(helps) if told else None,
    )  # fmt: skip


def density(graph: Graph) -> float:
    """D = 2E ÷ (n(n - 1)): a picture, no target; more is not better."""
    n = len(graph.nodes)
    return 2 * graph.ties / (n * (n - 1))


def degree_centralisation(graph: Graph) -> float:
    """C_D = Σ(d_max - d_i) ÷ ((n - 1)(n - 2)) (Freeman 1978)."""
    n, degrees = len(graph.nodes), [len(each) for each in graph.around.values()]
    return sum(max(degrees) - each for each in degrees) / ((n - 1) * (n - 2))


def betweenness_centralisation(graph: Graph) -> float:
    """C_B = Σ(b_max - b_i) ÷ (n - 1), b_i the share of pairs whose shortest ways lead over i (Freeman 1977)."""
    between = betweenness(graph)
    most = max(between.values())
    return fsum(most - each for each in between.values()) / (len(graph.nodes) - 1)


def betweenness(graph: Graph) -> dict[str, float]:
    """For each the share of pairs of others whose shortest ways lead over them (Brandes 2001)."""
    n, found = len(graph.nodes), dict.fromkeys(graph.nodes, 0.0)
    for start in graph.nodes:
        order, ways, before = _shortest(graph, start)
        owed = dict.fromkeys(graph.nodes, 0.0)
        for node in reversed(order):
            for earlier in before[node]:
                owed[earlier] += ways[earlier] / ways[node] * (1 + owed[node])
            if node != start:
                found[node] += owed[node]
    return {node: each / ((n - 1) * (n - 2)) for node, each in found.items()}


def _shortest(graph: Graph, start: str) -> tuple[list[str], dict[str, int], dict[str, list[str]]]:
    """From nearest to farthest, how many shortest ways lead to each, and over whom."""
    far = graph.distances(start)
    ways, before = {start: 1}, {start: list[str]()}
    for node in list(far)[1:]:
        before[node] = [each for each in graph.around[node] if far[each] == far[node] - 1]
        ways[node] = sum(ways[each] for each in before[node])
    return list(far), ways, before


def efficiency(graph: Graph) -> float:
    """The mean over all pairs of 1 ÷ distance, nothing where there is no way (Latora & Marchiori 2001)."""
    n = len(graph.nodes)
    if n < 2:
        return 0.0
    near = fsum(1 / far for node in graph.nodes for far in graph.distances(node).values() if far)
    return near / (n * (n - 1))


def reciprocity(helps: Sequence[Help]) -> float:
    """Σ over pairs 2·min(h_ij, h_ji) ÷ Σ h: low is normal around a leader."""
    times: defaultdict[Pair, int] = defaultdict(int)
    for each in helps:
        times[each.giver, each.receiver] += 1
    mutual = sum(min(count, times.get((other, one), 0)) for (one, other), count in list(times.items()))
    return mutual / len(helps)
