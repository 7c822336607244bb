"""Planned against done: once in each stretch, and only what two had to do with each other."""

from __future__ import annotations

from datetime import date, timedelta

from services.metrics.review.carried_out import Carried, Contact, Pair, Rhythm, meetings_held, pairs_met, share_of

START = date(2026, 1, 5)
FORTNIGHTS = Rhythm(START, START + timedelta(weeks=13), 14)


def day(number: int) -> date:
    return START + timedelta(days=number)


def test_only_stretches_that_are_over_are_due_and_none_after_the_end() -> None:
    assert [FORTNIGHTS.due(day(each)) for each in (-5, 0, 13, 14, 83, 84, 900)] == [0, 0, 0, 1, 5, 6, 6]


def test_five_talks_in_one_week_do_not_stand_for_five_fortnights() -> None:
    often = [day(each) for each in (0, 1, 2, 3, 4)]
    assert FORTNIGHTS.kept(often, day(91)) == 1
    assert FORTNIGHTS.kept([day(13), day(14)], day(91)) == 2, "the last day of one and the first of the next"


def test_a_pair_met_when_one_of_each_side_was_there() -> None:
    pair = Pair(frozenset({"a"}), frozenset({"x", "y"}))
    contacts = [Contact(day(1), frozenset({"a", "b"})), Contact(day(2), frozenset({"a", "y"})),
                Contact(day(3), frozenset({"x", "y"}))]  # fmt: skip
    assert pair.met(contacts) == {day(2)}
    assert Pair(frozenset({"x"}), frozenset({"x", "y"})).met(contacts) == {day(3)}, "nobody meets themselves"


def test_a_pair_that_was_never_made_was_planned_all_the_same() -> None:
    pair = Pair(frozenset({"a"}), frozenset({"x"}))
    met = [Contact(day(each), frozenset({"a", "x"})) for each in range(0, 84, 14)]
    assert pairs_met("O1b", 2, [pair], FORTNIGHTS, met, day(84)) == Carried("O1b", "liaisons", 12, 6)


def test_of_two_meetings_a_third_adds_nothing() -> None:
    held = [day(0), day(14), day(28)]
    assert meetings_held("O2", FORTNIGHTS, 2, held, day(91)).share == 1
    assert meetings_held("O3", FORTNIGHTS, None, held, day(91)) == Carried("O3", "meetings", 6, 3)


def test_each_step_counts_alike_and_what_is_not_due_not_at_all() -> None:
    steps = [Carried("O1b", "liaisons", 12, 6), Carried("O1b", "action", 1, 1), Carried("O3", "meetings", 0, 0)]
    assert share_of(steps) == 0.75
    assert share_of([Carried("O3", "meetings", 0, 0)]) is None
