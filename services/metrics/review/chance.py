"""Whether ties stay inside departments more than chance alone would make them: E-I against every labelling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import factorial, perm, prod, sqrt
from random import Random

from services.metrics.review.association import Pair
from services.metrics.review.conventions import exceeds

FEWEST_TIES = 10
LIKELY = 0.1


@dataclass(frozen=True, slots=True)
class Inwardness:
    """E-I, what it would be by chance, and how often chance gives as little or less."""

    index: float
    expected: float
    p: float
    labelings: int
    """Of how many ways to deal departments; none where p comes of the mean and the deviation over all of them."""
    ties: int

    @property
    def told(self) -> bool:
        """Whether there are enough ties to speak of it, and it differs from chance."""
        return self.ties >= FEWEST_TIES and self.p <= LIKELY


def inwardness(department: Mapping[str, str], ties: Sequence[Pair], most: int) -> Inwardness | None:
    """(E - I) ÷ (E + I) (Krackhardt & Stern 1988); departments are dealt anew to people, up to `most` ways of it.

    Expected = 1 - 2 · P(two people share a department), exactly. Where there are more ways than `most`, so many are
    drawn by a generator that always begins alike.
    """
    nodes = sorted(department)
    if not ties or len(nodes) < 2:
        return None
    place = {node: index for index, node in enumerate(nodes)}
    ends = [(place[one], place[other]) for one, other in ties]
    number = {name: index for index, name in enumerate(sorted(set(department.values())))}
    labels = [number[department[node]] for node in nodes]
    outside = _outside(labels, ends)
    ways = factorial(len(nodes)) // prod(factorial(count) for count in Counter(labels).values())
    dealt = _every(sorted(labels)) if ways <= most else _drawn(labels, most)
    tried = min(ways, most)
    as_few = sum(_outside(each, ends) <= outside for each in dealt)
    alike = sum(count * (count - 1) for count in Counter(labels).values()) / (len(nodes) * (len(nodes) - 1))
    return Inwardness((2 * outside - len(ends)) / len(ends), 1 - 2 * alike, as_few / tried, tried, len(ends))


def inwardness_of_many(department: Mapping[str, str], ties: Sequence[Pair]) -> Inwardness | None:
    """The same of many people: the mean and the deviation over all labellings exactly, and p by the normal law.

    Two ties lie within departments at once as often as two, three or four people share theirs (Krishna Iyer 1949).
    """
    n, m = len(department), len(ties)
    sizes = Counter(department.values())
    if n < 4 or not m:
        return None
    inside = sum(department[one] == department[other] for one, other in ties)
    degrees = Counter(each for tie in ties for each in tie)
    joined = sum(each * (each - 1) for each in degrees.values())
    two, three, four = (_falling(sizes, count) for count in (2, 3, 4))
    pairs = [size * (size - 1) for size in sizes.values()]
    apart = four + sum(pairs) * sum(pairs) - sum(each * each for each in pairs)
    alike = Fraction(two, perm(n, 2))
    squared = (
        m * alike + joined * Fraction(three, perm(n, 3)) + (m * (m - 1) - joined) * Fraction(apart, perm(n, 4))
    )  # fmt: skip
    spread = sqrt(max(0.0, float(squared - m * m * alike * alike)))
    # As many within as there are, or more; a half, for ties are whole numbers.
    p = exceeds(float(m * alike), spread, inside - 0.5)
    return Inwardness((m - 2 * inside) / m, float(1 - 2 * alike), p, 0, m)


def _falling(sizes: Counter[str], count: int) -> int:
    """In how many ways so many people of one department are named."""
    return sum(perm(size, count) for size in sizes.values())


def _outside(labels: Sequence[int], ends: Sequence[tuple[int, int]]) -> int:
    return [labels[one] != labels[other] for one, other in ends].count(True)


def _every(labels: list[int]) -> Iterator[list[int]]:
    """Every different order of labels that are sorted, each once (Narayana's next permutation)."""
    while True:
        yield labels
        pivot = len(labels) - 2
        while pivot >= 0 and labels[pivot] >= labels[pivot + 1]:
            pivot -= 1
        if pivot < 0:
            return
        swap = len(labels) - 1
        while labels[swap] <= labels[pivot]:
            swap -= 1
        labels[pivot], labels[swap] = labels[swap], labels[pivot]
        labels[pivot + 1 :] = labels[:pivot:-1]


def _drawn(labels: Sequence[int], times: int) -> Iterator[list[int]]:
    random, dealt = Random(len(labels)), list(labels)
    for _ in range(times):
        for last in range(len(dealt) - 1, 0, -1):
            other = int(random.random() * (last + 1))
            dealt[last], dealt[other] = dealt[other], dealt[last]
        yield dealt
