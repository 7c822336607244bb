"""Intervals, shrinkage and errors, against the numbers worked by hand."""

from __future__ import annotations

import pytest

from services.metrics.review.conventions import adjusted_error, plain_error, score100, shrunk, student, wilson
from services.metrics.review.individual_behaviour import resilience
from services.metrics.review.individual_results import shrunk_difference
from services.metrics.review.inputs import Setback
from services.metrics.review.measure import Survey, Value, state_of
from services.metrics.review.rule_set import built_in
from services.metrics.review.team_process import TP2, TP5, influence
from tests.review.north import START, north, rounded


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(11, 17, 44.9, 80.5), (8, 17, 29.0, 66.0), (18, 21, 69.1, 94.1), (14, 17, 63.1, 92.7), (2, 10, 6.9, 45.9),
     (26, 32, 67.6, 90.0)],
)  # fmt: skip
def test_the_interval_of_a_proportion_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    found = wilson(hits, of)
    assert (round(100 * found.low, 1), round(100 * found.high, 1)) == (low, high)


def test_whoever_won_all_is_not_below_those_who_did() -> None:
    for of in range(1, 200):
        assert wilson(of, of).high == 1
        assert wilson(0, of).low == 0


def test_all_or_none_still_have_an_error_in_an_index() -> None:
    assert plain_error(10, 10) == 0
    assert adjusted_error(10, 10) > 0.09


def test_a_rate_of_few_is_drawn_towards_the_organisations() -> None:
    assert round(100 * shrunk(3, 8, 0.25, 20), 1) == 28.6


def test_the_quantile_of_few_weeks_is_students() -> None:
    assert [round(student(each), 3) for each in (24, 48)] == [1.711, 1.677]


def test_answers_are_told_from_four_on_if_three_of_five_answered() -> None:
    told = TP5.answers(Survey(3.0, 0.8, 6, 6), 4, 0.6)
    assert told.value == score100(3.0) == 50
    assert told.low is not None
    assert round(50 - told.low, 1) == 13.4
    for answers, asked in ((3, 4), (5, 9)):
        untold = TP5.answers(Survey(3.0, 0.8, answers, asked), 4, 0.6)
        assert untold.value is None
        assert f"{answers} answers of {asked} asked" in str(untold.missing)


def test_what_is_missing_is_not_zero() -> None:
    for of in (0, 7):
        found = TP2.share(0, of)
        assert (found.value, found.missing) == (None, f"{of} of at least 8 cases")
        assert state_of(found, 75, 60) == "not enough data"
    assert TP2.share(0, 8).value == 0


@pytest.mark.parametrize(
    ("value", "high", "state"),
    [
        (75.0, 90.0, "healthy"),
        (74.0, 74.5, "watch"),
        (59.0, 75.0, "watch"),
        (59.0, 74.9, "weak"),
        (60.0, 70.0, "watch"),
    ],
)
def test_weak_is_below_the_line_and_surely_not_healthy(value: float, high: float, state: str) -> None:
    assert state_of(Value("TP2", value, 0.0, high), 75, 60) == state


def test_the_difference_from_expected_is_drawn_towards_nothing() -> None:
    rules = built_in().results
    value, interval = shrunk_difference(118, 110 * 0.95, 11, rules)
    assert (round(value, 1), round(interval.low, 1), round(interval.high, 1)) == (5.3, -13.7, 24.3)
    value, interval = shrunk_difference(31, 110 * 0.40 * 0.92 * 0.95, 4, rules)
    assert (round(value, 1), round(interval.low, 1), round(interval.high, 1)) == (-3.9, -25.9, 18.2)


def test_resilience_is_the_median_against_ones_own_baseline() -> None:
    found = tuple(
        Setback(id=f"s{at}", member="B", on=START, after=after, usual=42) for at, after in enumerate((36, 44, 30))
    )
    assert round(resilience(north(setbacks=found), "B").value or 0, 2) == 0.86
    assert resilience(north(setbacks=found[:2]), "B").value is None
    assert resilience(north(setbacks=found), "A").value is None


def test_influence_is_a_total_and_a_slope() -> None:
    said = {f"I{at}": Survey(mean, 0.5, 6, 6) for at, mean in enumerate((4.2, 3.6, 2.9), 1)}
    found = influence(north(surveys=said), built_in())
    assert rounded([found.value, found.slope], 2) == [3.57, -0.65]
    assert influence(north(surveys={"I1": said["I1"]}), built_in()).value is None, "a level that was not asked about"
