"""Splits of a team as numbers: everybody once, alike loads, little moved, the same every time."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from random import Random

import pytest

from services.teams.domain.splitting import (
    MEASURES,
    Load,
    NotExactlyOnce,
    TooManyGroups,
    balanced,
    by_mark,
    imbalance,
    main_mark,
    random_imbalance,
    refuse_too_many,
    refuse_unless_once,
)  # fmt: skip

MOST_MOVED = 4


def a_team(seed: int, size: int) -> list[Load]:
    chance = Random(seed)
    return [
        Load(
            f"mbr_{chance.getrandbits(60):015x}",
            {"EUR": chance.choice([300, 500, 800, 1200]) * 1000},
            {"EUR": int(chance.lognormvariate(10, 1))},
            {f"skill_{place}": chance.randrange(6) for place in range(4) if chance.random() < 0.7},
            Fraction(chance.choice([25, 50, 75, 100, 100, 100]), 100),
        )
        for _ in range(size)
    ]


def came(loads: Sequence[Load]) -> list[tuple[str, bool]]:
    return [(load.member, True) for load in loads]


SIZES = [(seed, size, groups) for seed in range(8) for size, groups in ((9, 3), (12, 3), (20, 4), (40, 5))]


@pytest.mark.parametrize(("seed", "size", "groups"), SIZES)
def test_everybody_is_in_one_group_and_the_groups_carry_more_alike_than_by_chance(
    seed: int, size: int, groups: int
) -> None:
    team = a_team(seed, size)
    split = balanced(team, groups, came(team))
    assert split.keys() == {load.member for load in team}
    assert set(split.values()) == set(range(groups))
    assert set(imbalance(team, split, groups)) == set(MEASURES)
    assert max(imbalance(team, split, groups).values()) < random_imbalance(team, groups, Random(1).shuffle)
    assert split == balanced(list(reversed(team)), groups, came(team))


@pytest.mark.parametrize(("seed", "size", "groups"), SIZES)
def test_who_comes_or_goes_moves_few_others(seed: int, size: int, groups: int) -> None:
    team = a_team(seed, size)
    split = balanced(team, groups, came(team))
    without_the_last = balanced(team[:-1], groups, came(team[:-1]))
    gone = Random(seed).choice(team).member
    without_one = balanced(team, groups, [*came(team), (gone, False)])
    assert without_one.keys() == split.keys() - {gone}
    for other in (without_the_last, without_one):
        assert sum(split[member] != place for member, place in other.items()) <= MOST_MOVED


def test_on_average_hardly_anybody_moves() -> None:
    moved = others = 0
    for seed in range(20):
        team = a_team(seed, 20)
        split, less = balanced(team, 4, came(team)), balanced(team[:-1], 4, came(team[:-1]))
        moved += sum(split[member] != place for member, place in less.items())
        others += len(less)
    assert Fraction(moved, others) < Fraction(1, 10)


def test_who_is_in_a_group_already_stays_there_unless_it_is_much_fuller() -> None:
    team = a_team(3, 12)
    held = {load.member: place % 3 for place, load in enumerate(team[:-1])}
    split = balanced(team, 3, [(team[-1].member, True)], held=held)
    assert sum(split[member] != place for member, place in held.items()) <= MOST_MOVED
    settled = balanced(team, 3, [(team[-1].member, True)], held=held, settled=True)
    assert held.items() <= settled.items()


def test_a_measure_that_weighs_nothing_is_not_looked_at() -> None:
    team = [Load(f"mbr_{place}", {"EUR": 1000 if place < 2 else 0}) for place in range(4)]
    apart = balanced(team, 2, came(team))
    assert apart["mbr_0"] != apart["mbr_1"]
    assert imbalance(team, apart, 2)["target"] == 0
    assert imbalance(team, {"mbr_0": 0, "mbr_1": 0, "mbr_2": 1, "mbr_3": 1}, 2)["target"] == 2


def test_amounts_of_two_currencies_are_not_added_up() -> None:
    team = [Load("a", {"EUR": 100}), Load("b", {"USD": 100})]
    assert imbalance(team, {"a": 0, "b": 1}, 2)["target"] == 2


def test_who_works_mostly_on_something_goes_where_that_goes() -> None:
    assert main_mark({"south": 2, "north": 2, "east": 1}) == "north"
    assert main_mark({}) is None
    marks = {"a": "north", "b": "south", "c": "west", "d": None}
    assert by_mark(marks, {"north": 0, "south": 1}) == {"a": 0, "b": 1}
    assert by_mark(marks, {"north": 0}, rest=1) == {"a": 0, "b": 1, "c": 1, "d": 1}


def test_a_split_that_names_somebody_twice_or_not_at_all_says_whom() -> None:
    with pytest.raises(NotExactlyOnce, match=r"3 members .* in none: c; in several: a"):
        refuse_unless_once(["a", "b", "c"], [["a", "b"], ["a"]])
    refuse_unless_once(["a", "b"], [["a"], ["b"]])
    with pytest.raises(TooManyGroups, match="3 members are split into 2 to 3 groups, not into 4"):
        refuse_too_many(3, 4)
    with pytest.raises(TooManyGroups):
        refuse_too_many(3, 1)
