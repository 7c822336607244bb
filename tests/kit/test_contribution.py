"""Contributions to a deal are what a full enumeration gives, and sum to its value to the cent."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contribution import WEIGHTS, Staffing, contributions
from shared.money import Money

STAFFED = {"source": ["B"], "discovery": ["B"], "demo": ["A", "C"], "close": ["B"], "handover": ["E"]}
TEAMS = st.lists(st.sampled_from("ABCDEF"), max_size=4, unique=True)


def enumerated(staffed: Staffing, team: str) -> dict[str, Fraction]:
    """Each one's mean marginal contribution over all orders of joining: a role is worth what its present part is."""

    @cache
    def worth(there: frozenset[str]) -> Fraction:
        return sum(
            (Fraction(weight) * len(there & set(staffed[role])) / len(staffed[role])
             for role, weight in WEIGHTS.items() if staffed.get(role)),
            Fraction(0),
        )  # fmt: skip

    found = dict.fromkeys(team, Fraction(0))
    orders = list(permutations(team))
    for order in orders:
        for place, member in enumerate(order):
            found[member] += worth(frozenset(order[: place + 1])) - worth(frozenset(order[:place]))
    return {member: total / len(orders) for member, total in found.items() if total}


def test_the_example_of_the_review() -> None:
    found = contributions(WEIGHTS, STAFFED)
    parts, nobodys = found.of(Money("40000.00", "EUR"))
    assert {member: str(part) for member, part in parts.items()} == {
        "A": "4000.00 EUR", "B": "28000.00 EUR", "C": "4000.00 EUR", "E": "4000.00 EUR",
    }  # fmt: skip
    assert (nobodys, found.unstaffed) == (Money("0.00", "EUR"), {})
    assert found.members == enumerated(STAFFED, "ABCDEF")


@settings(deadline=None, max_examples=50)
@given(staffed=st.fixed_dictionaries({role: TEAMS for role in WEIGHTS}), minor=st.integers(0, 10**9))
def test_it_is_what_all_orders_of_joining_give_and_not_a_cent_is_lost(
    staffed: dict[str, list[str]], minor: int
) -> None:
    found = contributions(WEIGHTS, staffed)
    assert {member: share for member, share in found.members.items() if share} == enumerated(staffed, "ABCDEF")
    assert found.unstaffed.keys() == {role for role, members in staffed.items() if not members}
    parts, nobodys = found.of(Money.of_minor(minor, "EUR"))
    assert sum(part.minor for part in parts.values()) + nobodys.minor == minor
