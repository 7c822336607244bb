"""Spells: half-open stretches of days in which somebody belonged to something."""

from __future__ import annotations

from copy import deepcopy
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.membership import (
    Spell,
    begun,
    changed,
    covers,
    ended,
    held_on,
    latest_on,
    nearest,
    on_day,
    overlaps,
    spell,
)  # fmt: skip
from tests.targets.bodies import day

MAY = spell("north", day("2026-05-01"), day("2026-06-01"))
JULY_ON = spell("south", day("2026-07-01"))


def days_of(spells: list[Spell]) -> list[tuple[str, str, str | None]]:
    return [(each["of"], each["from"][5:], each["to"] and each["to"][5:]) for each in spells]


def test_a_spell_holds_from_its_first_day_to_the_day_before_its_end() -> None:
    held = [covers(MAY, day(each)) for each in ("2026-04-30", "2026-05-01", "2026-05-31", "2026-06-01")]
    assert held == [False, True, True, False]
    assert [covers(JULY_ON, day(each)) for each in ("2026-06-30", "2026-07-01", "2999-12-31")] == [False, True, True]


def test_spells_that_touch_do_not_overlap() -> None:
    assert not overlaps(MAY, day("2026-06-01"), None)
    assert not overlaps(MAY, day("2026-04-01"), day("2026-05-01"))
    assert overlaps(MAY, day("2026-05-31"), day("2026-06-01"))
    assert overlaps(MAY, day("2026-04-01"), day("2026-05-02"))
    assert overlaps(JULY_ON, day("2026-01-01"), None)
    assert not overlaps(JULY_ON, day("2026-01-01"), day("2026-07-01"))


def test_of_several_spells_of_a_day_the_one_begun_last_counts() -> None:
    spells = begun([JULY_ON], "west", day("2026-07-10"), day("2026-07-20"))
    assert on_day(spells, day("2026-07-15")) == ["south", "west"]
    assert latest_on(spells, day("2026-07-15")) == "west"
    assert latest_on(spells, day("2026-07-20")) == "south"
    assert latest_on(spells, day("2026-06-30")) is None
    assert held_on(spells, day("2026-07-15"), "south") == JULY_ON


def test_on_a_day_between_spells_the_one_before_is_nearest_and_before_all_the_first() -> None:
    spells = [MAY, JULY_ON]
    assert nearest(spells, day("2026-06-15")) == MAY
    assert nearest(spells, day("2026-01-01")) == MAY
    assert nearest(spells, day("2026-07-01")) == JULY_ON
    assert nearest([], day("2026-07-01")) is None


def test_days_are_taken_out_of_the_middle_of_a_spell_and_the_rest_stays_on_both_sides() -> None:
    spells = ended([spell("north", day("2026-01-01"))], day("2026-03-01"), "north", until=day("2026-04-01"))
    assert days_of(spells) == [("north", "01-01", "03-01"), ("north", "04-01", None)]
    assert days_of(ended(spells, day("2026-02-01"))) == [("north", "01-01", "02-01")]
    assert ended([MAY], day("2026-05-01")) == []
    assert ended([MAY], day("2026-06-01")) == [MAY]
    assert ended([MAY], day("2026-05-10"), "south") == [MAY]
    assert ended([MAY], day("2026-05-10"), team="north") == [MAY]


def test_a_change_lasts_until_the_next_change_that_is_known_already() -> None:
    spells = [spell("sales", day("2026-01-01"))]
    spells = changed(spells, "hr", day("2026-07-01"))
    spells = changed(spells, "it", day("2026-03-01"))
    assert days_of(spells) == [("sales", "01-01", "03-01"), ("it", "03-01", "07-01"), ("hr", "07-01", None)]
    assert changed(spells, "it", day("2026-04-01")) == spells
    assert days_of(changed(spells, "sales", day("2026-03-01"))) == [("sales", "01-01", "07-01"), ("hr", "07-01", None)]
    assert changed(spells, "it", day("2025-12-31")) == spells


def test_the_same_department_in_two_employments_stays_two_stays_when_something_else_changes() -> None:
    spells = [spell("sales", day("2026-01-01"), day("2026-04-01")), spell("sales", day("2026-04-01"))]
    employments = [spell(None, day("2026-01-01"), day("2026-04-01")), spell(None, day("2026-04-01"))]
    later = changed(spells, "hr", day("2026-09-01"), employments)
    assert days_of(later) == [("sales", "01-01", "04-01"), ("sales", "04-01", "09-01"), ("hr", "09-01", None)]


some_days = st.integers(0, 40).map(lambda each: day("2026-01-01") + timedelta(days=each))
some_spells = st.lists(st.tuples(st.sampled_from("abc"), some_days, st.integers(1, 20)), max_size=5).map(
    lambda them: sorted(
        (spell(of, start, start + timedelta(days=length)) for of, start, length in them), key=lambda each: each["from"]
    )
)


@given(some_spells, some_days, some_days, st.sampled_from(["a", "b", None]))
def test_ending_takes_exactly_the_days_that_were_meant_and_changes_nothing_in_place(
    spells: list[Spell], start: date, end: date, of: str | None
) -> None:
    before = deepcopy(spells)
    first, last = sorted([start, end])
    left = ended(spells, first, of, until=last)
    assert spells == before
    for offset in range(70):
        each_day = day("2026-01-01") + timedelta(days=offset)
        meant = first <= each_day < last
        wanted = [each for each in on_day(before, each_day) if not (meant and of in (None, each))]
        assert sorted(on_day(left, each_day)) == sorted(wanted)


@given(st.lists(st.tuples(st.sampled_from("abc"), some_days), max_size=6))
def test_after_changes_there_is_one_answer_for_every_day_and_no_two_neighbours_alike(
    changes: list[tuple[str, date]],
) -> None:
    spells = [spell("a", day("2026-01-01"))]
    for of, start in changes:
        before = deepcopy(spells)
        after = changed(spells, of, start)
        assert spells == before
        assert latest_on(after, start) == of
        spells = after
    assert all(len(on_day(spells, day("2026-01-01") + timedelta(days=each))) == 1 for each in range(60))
    assert all(one["of"] != other["of"] and one["to"] == other["from"] for one, other in pairwise(spells))
