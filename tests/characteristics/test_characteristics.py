"""How often reviews are right where the truth is known; `python -m tests.characteristics` has the whole of it."""

from __future__ import annotations

import pytest

from tests.characteristics.rule import TRUTHS, correct
from tests.characteristics.verdicts import PLANS, judged, picked

# Of the specification, at North's amount of events.
SAID = {"healthy 80/80": 0.993, "COM weak 45/80": 0.969, "TWK weak 80/45": 0.969, "both 45/45": 0.949,
        "COM mildly weak 52/80": 0.850, "in between 67/67": 0.676}  # fmt: skip


@pytest.mark.parametrize("name", SAID)
def test_the_rule_is_right_about_as_often_as_was_computed_when_it_was_made(name: str) -> None:
    assert correct(TRUTHS[name], 1.0, 300) == pytest.approx(SAID[name], abs=0.09)


def test_a_period_that_confirms_another_makes_fewer_teams_in_between_act() -> None:
    between = TRUTHS["in between 67/67"]
    assert correct(between, 0.5, 500, periods=2) > correct(between, 0.5, 500)


@pytest.mark.parametrize("plan", PLANS)
def test_what_had_no_effect_is_seldom_called_worked(plan: str) -> None:
    assert judged(PLANS[plan], 0, 0.2, 250).get("worked", 0) < 0.12


def test_one_team_shows_large_effects_only_and_four_show_half_of_them() -> None:
    alone, four = PLANS["one and one other"], PLANS["four and four others"]
    assert judged(alone, 22, 0.2, 200)["worked"] > 0.7
    assert judged(alone, 8, 0.2, 200).get("worked", 0) < 0.45
    assert judged(four, 11, 0.2, 100)["worked"] > judged(alone, 11, 0.2, 200)["worked"] + 0.15
    assert judged(four, -16, 0.2, 60)["harm"] > 0.8


def test_a_team_that_was_picked_for_a_low_quarter_rises_by_itself_and_that_is_not_called_an_effect() -> None:
    shares = {baseline: picked(baseline, 400).get("worked", 0) for baseline in ("fresh", "corrected", "stale")}
    assert shares["stale"] > max(shares["fresh"], shares["corrected"])
    assert max(shares["fresh"], shares["corrected"]) < 0.12
