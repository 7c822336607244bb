"""How a team is split into groups: by a mark of each member, or so that the groups carry alike. No I/O and no clock.

A proposal follows how the team came to be: member by member in the order in which they joined and left it. Who comes
goes to the group that they make most like the others; then at most two steps are taken, each a member who goes to
another group or two who change places, and only as long as a step makes the groups more alike by more than it costs
that somebody moves. So a member more or less moves four others at most, and mostly none. All numbers are whole, so that
every machine proposes the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from typing import Final

from shared.errors import Refused

MEASURES: Final = ("members", "target", "pipeline", "skills", "ramp")
"""What the groups are to carry alike."""
MOST_GROUPS: Final = 20
DRAWS: Final = 100
"""How many random splits a proposal is compared with."""
WHOLE: Final = 10_000
"""What all that is carried of a measure is in the arithmetic."""
STEPS: Final = 2
"""How many steps follow when somebody comes or goes."""
MOVED: Final = Fraction(1, 100)
"""What it costs that a member moves, as a square of a group's distance from the mean."""
MOST_PAIRED: Final = 60
"""In larger teams members go to other groups, but no two change places: that is hardly ever better there, and slow."""
_UNIT: Final = 60


class TooManyGroups(Refused):
    """{members} members are split into {fewest} to {most} groups, not into {groups}."""

    status, at = 422, "/into"


class NotExactlyOnce(Refused):
    """Each of the {members} members is in exactly one group; in none: {missing}; in several: {twice}."""

    status, at = 422, "/groups"


class MembersHaveChanged(Refused):
    """Members came to this team or its groups on {on}, or left them, while it was being split; ask again."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one member carries; amounts are whole numbers, by currency where they are money."""

    member: str
    target: Mapping[str, int] = field(default_factory=dict)
    pipeline: Mapping[str, int] = field(default_factory=dict)
    skills: Mapping[str, int] = field(default_factory=dict)
    ramp: Fraction = Fraction(1)
    """The share of a full quota that is expected of them."""

    def of(self, measure: str) -> Mapping[str, Fraction | int]:
        """What they carry of a measure, by its parts."""
        if measure == "members":
            return {"": 1}
        return {"": self.ramp} if measure == "ramp" else getattr(self, measure)


Split = Mapping[str, int]
"""The place of the group that each member is in."""


def refuse_unless_once(members: Sequence[str], groups: Sequence[Sequence[str]]) -> None:
    """Every member stands in exactly one group. Raises NotExactlyOnce."""
    said = [member for group in groups for member in group]
    missing = [member for member in members if member not in said]
    twice = sorted({member for member in said if said.count(member) > 1})
    if missing or twice:
        raise NotExactlyOnce(
            members=len(members), missing=", ".join(missing) or "nobody", twice=", ".join(twice) or "nobody"
        )


def refuse_too_many(members: int, groups: int) -> None:
    """A team is split into two groups at least, and none that must be empty. Raises TooManyGroups."""
    if not 2 <= groups <= min(MOST_GROUPS, max(members, 2)):
        raise TooManyGroups(members=members, fewest=2, most=min(MOST_GROUPS, max(members, 2)), groups=groups)


def main_mark(weights: Mapping[str, int]) -> str | None:
    """What most of somebody's work is about; equal ones by name."""
    return min(weights, key=lambda mark: (-weights[mark], mark)) if weights else None


def by_mark(marks: Mapping[str, str | None], group_of: Mapping[str, int], rest: int | None = None) -> dict[str, int]:
    """Each member in the group of what they work on. Who works on nothing that a group has, is in the one for the rest;
    without such a group they are left out."""
    places = {member: rest if mark is None else group_of.get(mark, rest) for member, mark in marks.items()}
    return {member: place for member, place in places.items() if place is not None}


def balanced(
    loads: Sequence[Load], groups: int, history: Sequence[tuple[str, bool]], *, held: Split | None = None,
    settled: bool = False, weights: Mapping[str, int] | None = None,
) -> dict[str, int]:  # fmt: skip
    """The members in so many groups that carry alike. `history` says who came (true) and who went, oldest first; who is
    `held` is in a group to begin with, and stays there if that is settled."""
    by_member = {load.member: load for load in loads}
    split = dict(held or {})
    stay = frozenset(split if settled else ())
    for member, comes in history:
        split.pop(member, None)
        if comes:
            split[member] = -1
        search = _Search([by_member[each] for each in sorted(split)], groups, split, weights or {})
        if comes:
            search.place(member)
        search.run(stay)
        split = search.split
    return split


def imbalance(loads: Sequence[Load], split: Split, groups: int) -> dict[str, Fraction]:
    """By measure how far the fullest group is from the emptiest, as a share of the mean; the widest of its parts."""
    found = {}
    for measure in MEASURES:
        spreads = [_spread(sums, groups) for sums in _sums(loads, split, groups, measure).values() if sum(sums)]
        if spreads:
            found[measure] = max(spreads)
    return found


def random_imbalance(
    loads: Sequence[Load], groups: int, shuffle: Callable[[list[str]], None], draws: int = DRAWS
) -> Fraction:
    """The largest imbalance of a split into groups of equal size by chance: the mean of many draws."""
    members, total = sorted(load.member for load in loads), Fraction(0)
    for _ in range(draws):
        shuffle(members)
        split = {member: place % groups for place, member in enumerate(members)}
        total += max(imbalance(loads, split, groups).values(), default=Fraction(0))
    return total / draws


def _sums(loads: Sequence[Load], split: Split, groups: int, measure: str) -> dict[str, list[Fraction | int]]:
    # Levels of different skills add up to what a group knows; amounts of different currencies do not add up.
    sums: dict[str, list[Fraction | int]] = {}
    for load in loads:
        for part, amount in load.of(measure).items():
            within = sums.setdefault("" if measure == "skills" else part, [0] * groups)
            within[split[load.member]] += amount
    return sums


def _spread(sums: Sequence[Fraction | int], groups: int) -> Fraction:
    return (Fraction(max(sums)) - Fraction(min(sums))) * groups / Fraction(sum(sums))


class _Search:
    """Steps to groups that carry more alike, the best step first."""

    def __init__(
        self, loads: Sequence[Load], groups: int, split: Mapping[str, int], weights: Mapping[str, int]
    ) -> None:
        self.groups, self.split = groups, dict(split)
        columns = list(_columns(loads, weights))
        self.weights = [weight for weight, _ in columns]
        self.rows = {load.member: [column[at] for _, column in columns] for at, load in enumerate(loads)}
        self.carried = [[0] * len(columns) for _ in range(groups)]
        for member, row in self.rows.items():
            if split[member] >= 0:
                self._add(split[member], row)
        # A square of a distance counts in the unit of all weights together.
        self.cost = int(MOVED * sum(self.weights) * WHOLE * WHOLE)

    def place(self, member: str) -> None:
        """Let somebody who comes go where the groups become most alike."""
        row = self.rows[member]
        self.split[member] = min(range(self.groups), key=lambda place: (self._fullness(place, row), place))
        self._add(self.split[member], row)

    def run(self, stay: Collection[str]) -> None:
        """Take the best steps, while one is worth it."""
        free = [member for member in self.rows if member not in stay]
        for _ in range(STEPS):
            gain, step = min(self._steps(free), default=(0, ()))
            if gain >= 0:
                return
            for member, place in step:
                self._add(self.split[member], [-amount for amount in self.rows[member]])
                self._add(place, self.rows[member])
                self.split[member] = place

    def _steps(self, free: Sequence[str]) -> Iterator[tuple[int, tuple[tuple[str, int], ...]]]:
        for member in free:
            here, row = self.split[member], self.rows[member]
            for place in range(self.groups):
                if place != here:
                    yield self._worth(here, place, row) + self.cost, ((member, place),)
        for one, other in combinations(free if len(free) <= MOST_PAIRED else (), 2):
            here, there = self.split[one], self.split[other]
            if here != there:
                row = [mine - theirs for mine, theirs in zip(self.rows[one], self.rows[other], strict=True)]
                yield self._worth(here, there, row) + 2 * self.cost, ((one, there), (other, here))

    def _worth(self, here: int, there: int, row: Sequence[int]) -> int:
        """By how much the squares of the distances grow when so much goes from one group to another."""
        mine, theirs, scale = self.carried[here], self.carried[there], 2 * self.groups * self.groups
        return scale * sum(
            weight * amount * (theirs[at] - mine[at] + amount)
            for at, (weight, amount) in enumerate(zip(self.weights, row, strict=True))
        )

    def _fullness(self, place: int, row: Sequence[int]) -> int:
        """By how much the squares grow, but for what is the same everywhere, when so much comes to a group."""
        return sum(
            weight * amount * have for weight, amount, have in zip(self.weights, row, self.carried[place], strict=True)
        )

    def _add(self, place: int, row: Sequence[int]) -> None:
        self.carried[place] = [have + more for have, more in zip(self.carried[place], row, strict=True)]


def _columns(loads: Sequence[Load], weights: Mapping[str, int]) -> Iterator[tuple[int, list[int]]]:
    """What each member carries of each part of a measure, of a whole; the parts share the weight of the measure."""
    for measure in MEASURES:
        parts = sorted({part for load in loads for part in load.of(measure)})
        for part in parts:
            amounts = [Fraction(load.of(measure).get(part, 0)) for load in loads]
            whole = sum(amounts)
            if whole > 0:
                weight = max(_UNIT * weights.get(measure, 1) // len(parts), 0)
                yield weight, [int(amount * WHOLE / whole) for amount in amounts]
