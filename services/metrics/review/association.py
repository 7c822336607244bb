"""The association graph: who has to do with whom, by the evidence of work, and which ties work needs.

P_ij is the sum of what the channels give a pair, each at most its cap, so that nobody can buy a tie by one channel.
S_ij = P_ij ÷ (P_ij + 4). Belonging to one team is no evidence: it is the opportunity.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product
from math import fsum
from typing import Final, NamedTuple

from services.metrics.review.inputs import Inputs, Request
from services.metrics.review.thresholds import GraphRules

CHANNELS: Final = ("meetings", "items", "actions", "requests", "check_ins")
Pair = tuple[str, str]


class Help(NamedTuple):
    """Somebody helped somebody: resolved their item, or helped with their action."""

    giver: str
    receiver: str
    source: str


class Contact(NamedTuple):
    """What one event gives a pair in a channel."""

    pair: Pair
    channel: str
    points: float
    source: str


@dataclass(frozen=True, slots=True)
class Edge:
    """What there is between two: points by channel, each within its cap, the strength, and how often work needed it."""

    pair: Pair
    points: Mapping[str, float]
    counts: Mapping[str, int]
    sources: tuple[str, ...]
    total: float
    strength: float
    tie: bool
    strong: bool


@dataclass(frozen=True, slots=True)
class Need:
    """How often work needed two to have to do with each other."""

    pair: Pair
    times: int
    sources: tuple[str, ...]


def pair_of(one: str, other: str) -> Pair:
    """Two people, whichever was named first."""
    return (one, other) if one < other else (other, one)


def anybody(department: str) -> str:
    """Who stands for a department where nobody in it was named."""
    return f"department:{department}"


def helps_of(inputs: Inputs) -> list[Help]:
    """All help that was given, in a fixed order."""
    found = [
        Help(resolver, each.raised_by, each.subject)
        for each in inputs.items if each.raised_by is not None
        for resolver in each.resolved_by if resolver != each.raised_by
    ]  # fmt: skip
    found += [Help(helper, a.owner, a.subject) for a in inputs.actions for helper in a.helpers if helper != a.owner]
    return sorted(found)


def edges_of(inputs: Inputs, rules: GraphRules) -> dict[Pair, Edge]:
    """Every pair that there is evidence of, by pair."""
    points: defaultdict[Pair, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    sources: defaultdict[Pair, set[str]] = defaultdict(set)
    for pair, channel, worth, source in contacts_of(inputs, rules):
        if not _of_team(pair, inputs):
            continue
        points[pair][channel].append(worth)
        sources[pair].add(source)
    return {pair: _edge(pair, points[pair], sources[pair], rules) for pair in sorted(points)}


def contacts_of(inputs: Inputs, rules: GraphRules) -> Iterator[Contact]:
    """What each event gives to whom."""
    for meeting in inputs.meetings:
        present = sorted(meeting.attended)
        if 1 < len(present) <= rules.large_meeting:
            # Newman: a meeting of many is shared by each pair that much less.
            worth = rules.meeting / (len(present) - 1)
            for pair in combinations(present, 2):
                yield Contact(pair, "meetings", worth, meeting.subject)
    for giver, receiver, source in helps_of(inputs):
        channel = "items" if source.startswith("item/") else "actions"
        yield Contact(pair_of(giver, receiver), channel, 1.0, source)
    for request in inputs.requests:
        asked = parties(request)
        if asked is not None and request.due_by(inputs.asked):
            yield Contact(asked, "requests", request.answered, request.subject)
    for each in inputs.check_ins:
        if each.giver != each.receiver:
            yield Contact(pair_of(each.giver, each.receiver), "check_ins", rules.check_in, each.subject)


def parties(request: Request) -> Pair | None:
    """Between whom a request lies; a department stands where nobody in it was named."""
    asks = request.from_member or anybody(request.from_department)
    answers = request.to_member or anybody(request.to_department)
    return None if asks == answers else pair_of(asks, answers)


def needs_of(inputs: Inputs) -> list[Need]:
    """n_ij: requests and items addressed between two, shared deals, and duties handed over."""
    found: defaultdict[Pair, list[str]] = defaultdict(list)
    for pair, source in _needed(inputs):
        if not _of_team(pair, inputs):
            continue
        found[pair].append(source)
    return [Need(pair, len(sources), tuple(sorted(set(sources)))) for pair, sources in sorted(found.items())]


def _needed(inputs: Inputs) -> Iterator[tuple[Pair, str]]:
    for request in inputs.requests:
        pair = parties(request)
        if pair is not None:
            yield pair, request.subject
    for item in inputs.items:
        if item.raised_by is not None and item.about is not None and item.about != inputs.home_of(item.raised_by):
            yield from ((pair, item.subject) for pair in _addressed(item.raised_by, item.resolved_by, item.about))
    for deal in inputs.deals:
        yield from ((pair, deal.subject) for pair in _all_pairs(member for member, _ in deal.credits))
    for duty in inputs.duties:
        if duty.owner is not None and duty.receiver is not None and duty.owner != duty.receiver:
            yield pair_of(duty.owner, duty.receiver), duty.subject


def _addressed(raiser: str, resolvers: Iterable[str], department: str) -> Iterator[Pair]:
    """Between who raised an item and those who answered for the department it was about."""
    answered = [each for each in resolvers if each != raiser]
    return (pair_of(*each) for each in product([raiser], answered[:1] or [anybody(department)]))


def _of_team(pair: Pair, inputs: Inputs) -> bool:
    """Whether one of the two is a member: what others have to do with each other is theirs."""
    return pair[0] in inputs.member_of or pair[1] in inputs.member_of


def _all_pairs(members: Iterable[str]) -> Iterator[Pair]:
    return combinations(sorted(set(members)), 2)


def _edge(pair: Pair, points: Mapping[str, list[float]], sources: set[str], rules: GraphRules) -> Edge:
    capped = {name: min(rules.cap, fsum(points[name])) for name in CHANNELS if name in points}
    total = fsum(capped.values())
    counts = {name: len(points[name]) for name in capped}
    return Edge(
        pair, capped, counts, tuple(sorted(sources)), total, total / (total + rules.half),
        tie=total >= rules.tie, strong=total >= rules.strong,
    )  # fmt: skip
