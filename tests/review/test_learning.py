"""What verdicts teach: the worked example, in any order, and never twice what somebody knew already."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from typing import Any

import pytest
from pydantic import ValidationError

from services.metrics.review.options import Catalogue, Effect, Option, built_in
from services.metrics.review.prior import Lesson, learnt, updated, with_lessons
from services.metrics.review.steps import buddies, steps_of
from services.metrics.review.verification import correlation, deal, lot_of, lot_verdict, worsened
from tests.review.north import rounded

KEY = ("O1b", "COM")


def lesson(observed: float, error: float, **other: Any) -> Lesson:
    fields: dict[str, Any] = {
        "option": "O1b", "measure": "COM", "verdict": "worked", "review": f"rev_{observed}", "team": "north",
        "on": date(2026, 1, 5),
    }  # fmt: skip
    return Lesson(observed=observed, error=error, **fields | other)


def test_the_prior_of_the_worked_example() -> None:
    found = updated(Effect(mean=14, deviation=7), 16, 8.7)
    assert rounded([found.mean, found.deviation]) == [14.8, 5.5]
    assert found.source == "own results"


def test_lessons_teach_the_same_in_every_order() -> None:
    lessons = [lesson(16, 8.7), lesson(2, 5, on=date(2026, 2, 1)), lesson(-4, 12, on=date(2025, 1, 1))]
    means = {round(learnt(built_in(), each, None)[KEY].now.mean, 9) for each in permutations(lessons)}
    assert len(means) == 1


def test_the_next_review_chooses_by_what_was_learnt_and_other_effects_stay() -> None:
    after = with_lessons(built_in(), learnt(built_in(), [lesson(2, 1)], None))
    effects = {each.id: each.effects for each in after.options}
    assert effects["O1b"]["COM"].mean < 3
    assert effects["O3"] == {each.id: each.effects for each in built_in().options}["O3"]


def test_what_was_adopted_as_ones_own_result_knows_of_all_before() -> None:
    own = built_in().model_copy(update={"options": tuple(_own(each) for each in built_in().options)})
    lessons = [lesson(16, 8.7, on=date(2026, 1, 5)), lesson(2, 5, on=date(2026, 3, 1))]
    known = learnt(own, lessons, date(2026, 2, 1))[KEY]
    assert [each.observed for each in known.lessons] == [2]
    assert len(learnt(built_in(), lessons, date(2026, 2, 1))[KEY].lessons) == 2, "an assumption knows of nothing"


def _own(option: Option) -> Option:
    effects = {name: each.model_copy(update={"source": "own results"}) for name, each in option.effects.items()}
    return option.model_copy(update={"effects": effects})


def test_weeks_that_were_all_alike_do_not_make_certain() -> None:
    assert updated(Effect(mean=14, deviation=7), 100, 0.0).deviation > 0.9


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ([{"what": "liaisons", "every_days": 14}], "liaisons say between, every_days"),
        ([{"what": "duty", "work": "dance", "due_days": 7}], "there is no work dance"),
        ([{"what": "meetings", "kind": "teamwork", "every_days": 7, "minutes": 30}], "meetings are joint"),
        ([{"what": "duty", "work": "targets", "due_days": 7, "minutes": 5}], "duty say work, due_days"),
        ([{"what": "duty", "work": "targets", "due_days": 7}] * 2, "one step of each sort"),
    ],
)  # fmt: skip
def test_steps_that_nobody_could_carry_out_are_refused(steps: list[dict[str, Any]], says: str) -> None:
    option = {
        "id": "X",
        "kind": "process",
        "description": "Something",
        "change": "low",
        "difficulty": 1,
        "steps": steps,
    }
    with pytest.raises(ValidationError, match=says):
        Option.model_validate(option)


def test_every_option_but_doing_nothing_is_carried_out_by_something() -> None:
    assert [each.id for each in built_in().options if not each.steps] == ["O0"]
    assert Catalogue.model_validate(built_in().model_dump(mode="json")) == built_in()


def document(degrees: dict[str, int], given: dict[str, int], alone: list[str], hubs: list[str]) -> dict[str, Any]:
    return {"associations": {"network": {"degrees": degrees, "help_given": given}},
            "weaknesses": {"W-HUB": {"about": hubs}, "W-ISO": {"about": alone}}}  # fmt: skip


def test_a_buddy_has_ties_and_is_not_who_carries_all_help_already() -> None:
    north = document({"A": 4, "B": 2, "C": 2, "D": 1, "E": 1, "F": 0}, {"A": 12, "B": 3, "C": 3, "D": 2}, ["F"], ["A"])
    assert list(buddies(north)) == [("F", "E")]
    two = document({"A": 1, "B": 1, "F": 0, "G": 0}, {}, ["F", "G"], [])
    assert list(buddies(two)) == [("F", "A"), ("G", "B")]
    nobody = document({"F": 0, "G": 0, "H": 0}, {}, ["F", "G", "H"], [])
    assert list(buddies(nobody)) == [("F", "G"), ("G", "H")], "nobody has ties"


def test_liaisons_are_for_those_who_lack_a_tie_and_left_out_where_nobody_does() -> None:
    options = {each.id: each for each in built_in().options}
    north = document({"A": 1, "F": 0}, {}, ["F"], [])
    found = steps_of([options["O1b"], options["O1c"]], north, [["C", "M1"]], ())
    assert [(each.option, each.pairs) for each in found if each.what == "liaisons"] == [
        ("O1b", (("C", "M1"),)), ("O1c", (("F", "A"),)),
    ]  # fmt: skip
    none = steps_of([options["O1b"]], north, [], ())
    assert [each.what for each in none] == ["action"]


def test_teams_that_keep_their_places_correlate_and_those_all_alike_say_nothing() -> None:
    assert correlation([(1, 10), (2, 20), (3, 30)]) == pytest.approx(1)
    assert correlation([(1, 30), (2, 20), (3, 10)]) == 0, "less than chance is no correction the other way"
    assert correlation([(1, 5), (2, 5), (3, 5)]) is None


def test_what_gets_worse_by_chance_or_by_little_is_no_harm() -> None:
    before = [10.0, 12, 11, 9, 10, 11]
    assert worsened(before, [15.0, 16, 15, 14, 16, 15], "more", 0.2)
    assert not worsened(before, [15.0, 16, 15, 14, 16, 15], "less", 0.2)
    assert not worsened(before, [11.5, 12, 12, 11.5, 12, 12], "more", 0.2), "by less than a fifth"
    assert not worsened(before, [30.0, 0, 25, 0, 20, 1], "more", 0.2), "that may be chance"
    assert not worsened([0.0] * 6, [5.0] * 6, "more", 0.2), "of nothing there is no share"


def test_a_lot_is_drawn_the_same_by_everybody_and_gives_each_week_once() -> None:
    assert deal(range(6), "seed") == deal(range(6), "seed")
    assert sorted(deal(range(6), "seed")) == list(range(6))
    assert len({tuple(deal(range(6), str(each))) for each in range(30)}) > 20


def test_weeks_without_a_case_are_left_out_of_a_lot_and_the_best_of_24_lots_is_no_chance() -> None:
    starts = {"a": 2, "b": 4, "c": 6, "d": 8}
    points = {team: [None if week == 3 else 100.0 * (week >= at) for week in range(10)] for team, at in starts.items()}
    found = lot_of(points, starts)
    assert (found.change, found.teams, round(found.p, 4)) == (100, 4, 0.0417)
    assert lot_verdict(found, 8) == "worked"
    assert lot_verdict(found, 8, balance_kept=False) == "harm"
    three = {team: points[team] for team in "abc"}
    assert lot_verdict(lot_of(three, {team: starts[team] for team in "abc"}), 8) == "inconclusive"
