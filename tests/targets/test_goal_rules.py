"""The rules of goals, without anything around them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from services.targets.domain.goals import (
    DEEPEST,
    Goal,
    GoalIsClosed,
    PartOutsideThePeriod,
    PartsMissing,
    TooDeep,
    WeightsDoNotSum,
    WeightsExceed,
)
from shared.period import Period
from tests.targets.bodies import day

YEAR = Period.parse("2026")


def goal(name: str = "goal_1", weight: str = "1", **fields: Any) -> Goal:
    given: dict[str, Any] = {"title": "Win the south", "level": "organisation", "ref": None, "metric": None,
                             "period": YEAR, "parent": None}  # fmt: skip
    return Goal.set(weight=Decimal(weight), id=name, externals={}, **(given | fields))[0]


def test_weights_beyond_one_are_refused_with_what_they_sum_to() -> None:
    whole = goal()
    parts = [goal("goal_2", "0.7", parent=whole)]
    with pytest.raises(WeightsExceed, match=r"sum to 0\.7; 0\.31 more makes 1\.01"):
        goal("goal_3", "0.31", parent=whole, siblings=parts)
    assert goal("goal_3", "0.3", parent=whole, siblings=parts).weight == "0.3"


def test_weighing_needs_every_part_and_the_sum_of_one() -> None:
    whole = goal()
    parts = [goal("goal_2", "0.5", parent=whole), goal("goal_3", "0.5", parent=whole)]
    with pytest.raises(PartsMissing, match="goal_3 is missing"):
        whole.weigh({"goal_2": Decimal(1)}, parts)
    with pytest.raises(WeightsDoNotSum, match=r"sum to 0\.9"):
        whole.weigh({"goal_2": Decimal("0.5"), "goal_3": Decimal("0.4")}, parts)
    told = whole.weigh({"goal_2": Decimal("0.6"), "goal_3": Decimal("0.4")}, parts)
    assert [(each.goal, each.weight) for each in told.parts] == [("goal_2", "0.6"), ("goal_3", "0.4")]


def test_the_weight_of_a_closed_part_is_free_again() -> None:
    whole = goal()
    gone = goal("goal_2", "0.7", parent=whole)
    gone.close(day("2026-02-01"))
    assert goal("goal_3", "1", parent=whole, siblings=[gone]).weight == "1"


def test_a_part_lies_within_the_days_of_its_goal() -> None:
    with pytest.raises(PartOutsideThePeriod, match="2027 does not lie within 2026"):
        goal("goal_2", parent=goal(), period=Period.parse("2027"))


def test_goals_stand_above_one_another_only_so_deep() -> None:
    last = goal()
    for depth in range(2, DEEPEST + 1):
        last = goal(f"goal_{depth}", parent=last, above=depth - 2)
    with pytest.raises(TooDeep, match=f"At most {DEEPEST} goals"):
        goal("goal_x", parent=last, above=DEEPEST - 1)
    line = [goal(f"goal_{depth}") for depth in range(DEEPEST - 2)]
    tall = goal("goal_y")
    with pytest.raises(TooDeep):
        tall.place(goal("goal_z"), Decimal(1), above=line, height=2)
    assert tall.place(goal("goal_z"), Decimal(1), above=line, height=1).parent == "goal_z"


def test_trap_10_a_goal_that_nobody_closed_after_its_days_is_overdue_and_not_open() -> None:
    asked = goal()
    assert asked.lifecycle(day("2026-12-31")) == "open"
    assert asked.lifecycle(day("2027-01-01")) == "overdue"
    asked.close(day("2027-01-05"))
    assert asked.lifecycle(day("2027-01-06")) == "closed"
    with pytest.raises(GoalIsClosed, match="2027-01-05"):
        asked.change(title="Another")
    with pytest.raises(GoalIsClosed):
        goal("goal_2", parent=asked)
