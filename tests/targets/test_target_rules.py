"""The rules of targets, without anything around them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from services.targets.domain.aims import Value, WrongUnit, check_unit
from services.targets.domain.distribution import DayTwice, DistributionDoesNotSum, OutsideThePeriod
from services.targets.domain.targets import Target, TargetExists, TargetIsClosed
from shared.events.aims import Due, TargetChanged, TargetClosed
from shared.period import Period
from tests.targets.bodies import day, euros

QUARTER = Period.parse("2026-Q1")


def target(metric: str = "revenue", value: Value | None = None, **fields: Any) -> Target:
    given: dict[str, Any] = {"level": "organisation", "ref": None, "period": QUARTER, "distribution": [],
                             "on": day("2025-12-01")}  # fmt: skip
    value = euros("300.00") if value is None else value
    return Target.aim(metric=metric, value=value, id="tgt_1", externals={}, **(given | fields))[0]


def test_a_target_is_measured_in_the_unit_of_its_metric() -> None:
    with pytest.raises(WrongUnit, match="revenue is measured in money"):
        check_unit("revenue", money=True, values=[None, Decimal(3)])
    with pytest.raises(WrongUnit, match="deals_won is measured in a number"):
        check_unit("deals_won", money=False, values=[Decimal(3), euros("1.00")])
    check_unit("revenue", money=True, values=[euros("1.00"), None])
    assert target("customers_won", Decimal("12.0")).value == 12


def test_a_distribution_that_does_not_sum_is_refused_with_what_it_sums_to() -> None:
    parts = [(day("2026-01-01"), euros("100.00")), (day("2026-02-01"), euros("150.00"))]
    with pytest.raises(DistributionDoesNotSum, match=r"sums to 250\.00 EUR; the target is 300\.00 EUR"):
        target(distribution=parts)
    with pytest.raises(DistributionDoesNotSum, match="sums to 2; the target is 3"):
        target("deals_won", Decimal(3), distribution=[(day("2026-01-01"), Decimal(2))])


def test_a_distribution_lies_in_the_period_each_day_once() -> None:
    with pytest.raises(OutsideThePeriod, match="2026-04-01"):
        target(distribution=[(day("2026-04-01"), euros("300.00"))])
    twice = [(day("2026-01-01"), euros("150.00"))] * 2
    with pytest.raises(DayTwice, match="2026-01-01"):
        target(distribution=twice)


def test_the_same_target_is_not_set_twice() -> None:
    with pytest.raises(TargetExists, match=r"revenue of this organisation in 2026-Q1 already \(tgt_1\)"):
        target(others=[target()])


def test_another_value_needs_another_distribution_if_there_is_one() -> None:
    aimed = target(distribution=[(day("2026-01-01"), euros("300.00"))])
    assert aimed.change(day("2025-12-01"), value=euros("300.00")) is None
    with pytest.raises(DistributionDoesNotSum):
        aimed.change(day("2025-12-01"), value=euros("400.00"))
    changed = aimed.change(
        day("2025-12-01"), value=euros("400.00"), distribution=[(day("2026-02-01"), euros("400.00"))]
    )
    rows = (Due(on=day("2026-02-01"), value=euros("400.00")),)
    assert changed == TargetChanged(value=euros("400.00"), distribution=rows)


def test_a_closed_target_stays_as_it_is() -> None:
    aimed = target()
    assert aimed.close(day("2026-04-01")) == TargetClosed(on=day("2026-04-01"))
    for again in (lambda: aimed.change(day("2025-12-01"), value=euros("1.00")), lambda: aimed.close(day("2026-04-02"))):
        with pytest.raises(TargetIsClosed, match="2026-04-01"):
            again()
