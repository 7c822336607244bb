"""How active somebody is after a setback, against how active they usually are; and what of it a team is told."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from services.metrics.review.finding import find
from services.metrics.review.inputs import Before, Setback
from services.metrics.review.reading.setbacks import around
from services.metrics.review.rule_set import built_in
from services.metrics.review.weaknesses import weaknesses_of
from tests.review.north import START, north

MONDAY = date(2026, 1, 5)


def worked(first: date, last: date, much: float) -> dict[date, float]:
    days = [first + timedelta(days=each) for each in range((last - first).days)]
    return {day: much for day in days if day.weekday() < 5}


def at_work(day: date) -> bool:
    return day.weekday() < 5


def test_ten_working_days_after_are_set_against_stretches_of_ten_before() -> None:
    on = MONDAY + timedelta(weeks=8)
    done = worked(MONDAY, on, 4.0) | worked(on + timedelta(days=1), on + timedelta(days=15), 3.0)
    assert around(on, done, at_work, on + timedelta(days=30)) == (30.0, 40.0)


def test_what_is_not_over_or_has_too_little_before_it_is_not_known() -> None:
    on = MONDAY + timedelta(weeks=8)
    done = worked(MONDAY, on + timedelta(days=30), 4.0)
    assert around(on, done, at_work, on + timedelta(days=14)) == (None, 40.0)
    early = MONDAY + timedelta(weeks=5)
    assert around(early, done, at_work, on)[1] is None, "five weeks are two stretches and a half"


def test_who_is_away_for_good_has_no_ten_days_after() -> None:
    on = MONDAY + timedelta(weeks=8)
    done = worked(MONDAY, on, 4.0)
    assert around(on, done, lambda day: at_work(day) and day <= on, on + timedelta(days=60)) == (None, 40.0)


@pytest.mark.parametrize(
    ("members", "activities", "state"),
    [("BC", (70.0, 100.0), "weak"), ("BC", (90.0, 100.0), "healthy"), ("B", (70.0, 100.0), "not enough data")],
)
def test_a_team_is_told_where_at_least_two_are_below_and_it_is_less_active(
    members: str, activities: tuple[float, float], state: str
) -> None:
    found = tuple(
        Setback(id=f"{member}{at}", member=member, on=START, after=30, usual=42)
        for member in members
        for at in range(3)
    )
    weaknesses = weaknesses_of(
        find(north(setbacks=found, activities=activities, before=Before(periods=2)), built_in())
    )  # fmt: skip
    assert (weaknesses["W-ACT"].state, weaknesses["W-ACT"].about) == (state, ())
