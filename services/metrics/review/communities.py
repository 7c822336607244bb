"""Groups in a network: how far ties stay within groups that are given, and the groups that the ties themselves make.

Ties are counted in whole numbers until the last division. People are looked at in an order that depends on how they are
tied and not on what they are called, so that calling them otherwise changes only the names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import fsum
from typing import Final

from services.metrics.review.network import Graph

ROUNDS: Final = 4
"""So many ties away somebody's neighbourhood plays a part in when they are looked at."""
Links = Sequence[Mapping[int, int]]
"""By place what ties it to others; to itself, twice what lies within it."""


def modularity(graph: Graph, group_of: Mapping[str, str]) -> float | None:
    """Q = Σ over groups of (ties within ÷ m - (degrees ÷ 2m)²) (Newman & Girvan 2004); none without a tie."""
    ends = 2 * graph.ties
    if not ends:
        return None
    within, degrees = Counter[str](), Counter[str]()
    for node, others in graph.around.items():
        degrees[group_of[node]] += len(others)
        within[group_of[node]] += sum(group_of[other] == group_of[node] for other in others)
    return fsum(within[each] / ends - degrees[each] * degrees[each] / (ends * ends) for each in sorted(degrees))


def by_chance(graph: Graph, group_of: Mapping[str, str]) -> float | None:
    """What Q would be on average if the groups were dealt anew to the same people with the same ties, exactly."""
    n, ends = len(graph.nodes), 2 * graph.ties
    if not ends or n < 2:
        return None
    squares = sum(len(each) * len(each) for each in graph.around.values())
    crossed = ends * ends - squares
    sizes = Counter(group_of[node] for node in graph.nodes)
    alike = sum(size * (size - 1) for size in sizes.values()) / (n * (n - 1))
    shared = fsum(
        size * squares / n + size * (size - 1) * crossed / (n * (n - 1)) for _, size in sorted(sizes.items())
    ) / (ends * ends)
    return alike - shared


def communities(graph: Graph) -> list[tuple[str, ...]]:
    """The groups that the ties make (Blondel et al. 2008), the largest first; who has no tie is a group alone."""
    nodes = _in_order(graph)
    place = {node: number for number, node in enumerate(nodes)}
    links: Links = [{place[other]: 1 for other in graph.around[node]} for node in nodes]
    group = list(range(len(nodes)))
    while True:
        found = _numbered(_moved(links))
        if len(set(found)) == len(links):
            break
        group = [found[each] for each in group]
        links = _joined(links, found)
    members: dict[int, list[str]] = {}
    for node, number in zip(nodes, group, strict=True):
        members.setdefault(number, []).append(node)
    return sorted((tuple(sorted(each)) for each in members.values()), key=lambda each: (-len(each), each))


def _in_order(graph: Graph) -> list[str]:
    """People by their degree, that of those they are tied to, and so on (Weisfeiler & Leman 1968)."""
    look = {node: len(others) for node, others in graph.around.items()}
    for _ in range(ROUNDS):
        seen = {node: (look[node], *sorted(look[each] for each in others)) for node, others in graph.around.items()}
        rank = {each: number for number, each in enumerate(sorted(set(seen.values())))}
        look = {node: rank[each] for node, each in seen.items()}
    return sorted(graph.nodes, key=lambda node: (look[node], node))


def _moved(links: Links) -> list[int]:
    """Each goes to the group around it where Q grows the most, until none gains by it any more."""
    degree = [sum(each.values()) for each in links]
    ends, group, total = sum(degree), list(range(len(links))), list(degree)
    restless = True
    while restless:
        restless = False
        for node, others in enumerate(links):
            around = Counter[int]()
            for other, ties in others.items():
                if other != node:
                    around[group[other]] += ties
            own = best = group[node]
            total[own] -= degree[node]
            most = ends * around[own] - degree[node] * total[own]
            for each in sorted(around):
                gain = ends * around[each] - degree[node] * total[each]
                if gain > most:
                    best, most = each, gain
            total[best] += degree[node]
            group[node], restless = best, restless or best != own
    return group


def _numbered(group: Sequence[int]) -> list[int]:
    """The groups by numbers without a gap, in the order in which they come."""
    number: dict[int, int] = {}
    return [number.setdefault(each, len(number)) for each in group]


def _joined(links: Links, group: Sequence[int]) -> Links:
    """Groups as places of their own, with the ties between them."""
    joined = [Counter[int]() for _ in range(max(group) + 1)]
    for node, others in enumerate(links):
        for other, ties in others.items():
            joined[group[node]][group[other]] += ties
    return joined
