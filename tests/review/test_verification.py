"""Whether an action worked: the worked example, its opposite with a stale baseline, and what can be seen at all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.metrics.review.inputs import CheckIn, Request
from services.metrics.review.rule_set import built_in
from services.metrics.review.verification import (
    Window,
    can_show,
    error_of,
    estimate,
    lot_test,
    regression_to_the_mean,
    resemblance,
    verdict,
    window_of,
)  # fmt: skip
from services.metrics.review.weekly import weekly
from tests.review.north import START, north, rounded

BEFORE, AFTER = Window(47, 14, 13), Window(66, 13, 13)
NORTH = (BEFORE, AFTER)
WEST = (Window(62, 12, 13), Window(65, 12, 13))


def test_the_difference_in_differences_of_north() -> None:
    found = estimate([NORTH], [WEST])
    assert rounded([found.change, *found.interval]) == [16, 1.4, 30.6]
    assert round(found.error, 2) == 8.68
    assert round(error_of([[NORTH], [WEST]], 0), 1) == 7.1
    assert verdict(found, 8) == "worked"


def test_the_same_data_with_a_stale_baseline_show_nothing() -> None:
    drift = regression_to_the_mean(0.6, 63, 47)
    found = estimate([NORTH], [WEST], drift=drift)
    assert rounded([drift, found.change, *found.interval]) == [6.4, 9.6, -5.0, 24.2]
    assert verdict(found, 8) == "inconclusive"


def test_a_team_alone_is_compared_with_itself_and_that_is_said() -> None:
    found = estimate([NORTH])
    assert rounded([found.change, *found.interval]) == [19, 7.9, 30.1]
    assert found.design == "before and after"


def test_what_can_be_seen_at_all() -> None:
    one, alone = estimate([NORTH], [WEST]), estimate([NORTH])
    assert rounded([one.smallest_detectable, alone.smallest_detectable]) == [21.6, 16.1]
    pooled = estimate([NORTH] * 4, [WEST] * 4)
    assert rounded([pooled.smallest_detectable, pooled.change]) == [10.8, 16]
    assert can_show(14, one.smallest_detectable)
    assert not can_show(10, one.smallest_detectable)


@pytest.mark.parametrize(
    ("after", "balance", "done", "said"),
    [(66, True, True, "worked"), (66, False, True, "harm"), (66, True, False, "not carried out"),
     (20, True, True, "harm"), (40, True, True, "did not work"), (50, True, True, "inconclusive")],
)  # fmt: skip
def test_the_verdict(after: float, balance: bool, done: bool, said: str) -> None:
    found = estimate([(BEFORE, Window(after, 4, 13))], [(Window(60, 4, 13), Window(60, 4, 13))])
    assert verdict(found, 8, balance_kept=balance, carried_out=done) == said


def test_another_team_of_comparison_makes_it_surer_however_different_its_level_is() -> None:
    low = (Window(12, 12, 13), Window(15, 12, 13))
    one, two = estimate([NORTH], [WEST]), estimate([NORTH], [WEST, low])
    assert two.change == one.change == 16
    assert two.error < one.error


def test_weeks_that_resemble_each_other_widen_the_error() -> None:
    slow, quick = [1, 2, 3, 4, 5, 6, 7, 8], [1, 8, 2, 7, 3, 6, 4, 5]
    assert resemblance(quick) == 0.2, "at least a fifth"
    assert 0.5 < resemblance(slow) < 0.9
    assert window_of([1, 2, 3]) == Window(2, 1, 3)
    assert resemblance([5, 5, 5]) == 0.2


def test_a_start_drawn_by_lot_is_judged_by_the_other_lots() -> None:
    starts = {f"t{at}": week for at, week in enumerate((3, 6, 9, 12, 15, 18))}
    jumps = {team: [40.0] * week + [60.0] * (21 - week) for team, week in starts.items()}
    still = {team: [50.0 + week % 2 for week in range(21)] for team in starts}
    assert lot_test(jumps, starts) < 0.01
    assert lot_test(still, starts) > 0.1


@pytest.mark.parametrize("weeks", [6, 13])
def test_who_meets_as_often_is_as_tied_in_a_short_window_as_in_a_long_one(weeks: int) -> None:
    end = START + timedelta(weeks=weeks)
    said = tuple(CheckIn(id=f"c{at}", giver="C", receiver="M1", on=START + timedelta(weeks=at))
                 for at in range(0, weeks, 2))  # fmt: skip
    asked = tuple(
        Request(id=f"r{at}", asked_on=START + timedelta(weeks=at), from_department="sales", to_department="marketing",
                from_member="C", to_member="M1", promised_by=START)
        for at in range(weeks)
    )  # fmt: skip
    found = north(end=end, asked=end, check_ins=said, requests=asked, meetings=(), items=(), actions=())
    assert set(weekly(found, built_in(), "COM")) == {50.0}, "no answer on time, and a tie in every week"
