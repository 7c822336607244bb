"""The rules of agreeing on targets, and the arithmetic of attainment, without anything around them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.targets.domain.targets import (
    AlreadyApproved,
    CascadeDoesNotBalance,
    CascadeInOtherUnits,
    ChildOutsideThePeriod,
    OwnTarget,
    ReasonNeeded,
    SetByTheSame,
    StretchTooLow,
    Target,
    TargetsOverlap,
)
from shared.attainment import Attainment, due_before
from shared.money import Money
from shared.period import Period, Unit
from tests.targets.bodies import day, euros

QUARTER = Period.parse("2026-Q1")


def target(name: str = "tgt_1", value: Any = None, **fields: Any) -> Target:
    given: dict[str, Any] = {"metric": "revenue", "level": "organisation", "ref": None, "period": QUARTER,
                             "distribution": [], "on": day("2025-12-01")}  # fmt: skip
    value = euros("300.00") if value is None else value
    return Target.aim(value=value, id=name, externals={}, **(given | fields))[0]


def judged(value: int, actual: int, before: str = "2026-04-01", **fields: Any) -> Attainment:
    return Attainment.judge(value, actual, [], QUARTER, day(before), **fields)


def test_no_sales_give_the_whole_target_missing_and_not_a_variance_of_nothing() -> None:
    state = judged(300, 0)
    assert state.variance == -300
    assert state.rate == 0
    assert not state.reached


def test_attainment_is_not_capped_so_that_over_achievers_do_not_tie() -> None:
    assert [judged(100, actual).rate for actual in (250, 251)] == [Fraction(250, 100), Fraction(251, 100)]


def test_where_less_is_better_exactly_the_target_is_attained_and_reached_and_one_more_is_not() -> None:
    states = [judged(100, actual, lower=True) for actual in (100, 80, 101)]
    assert [state.rate for state in states] == [1, Fraction(120, 100), Fraction(99, 100)]
    assert [state.reached for state in states] == [True, True, False]
    assert [state.variance for state in states] == [0, 20, -1]


def test_a_target_of_nothing_has_no_rate() -> None:
    assert judged(0, 5).rate is None
    assert judged(0, 0, lower=True).reached


def test_health_follows_pace_by_the_stated_thresholds() -> None:
    assert [judged(100, actual).health for actual in (95, 94, 80, 79)] == ["on_track", "at_risk", "at_risk", "behind"]
    assert judged(100, 0, "2026-01-01").health is None


def test_the_distribution_and_not_the_calendar_says_what_is_due() -> None:
    rows = [(day("2026-01-01"), 0), (day("2026-03-01"), 310)]
    assert due_before(310, rows, QUARTER, day("2026-03-01")) == 0
    assert due_before(310, rows, QUARTER, day("2026-03-11")) == 100


@settings(deadline=None)
@given(
    st.integers(2000, 2060), st.integers(1, 12), st.integers(0, 10**9),
    st.lists(st.tuples(st.integers(0, 364), st.integers(0, 10**7)), max_size=6, unique_by=lambda row: row[0]),
)  # fmt: skip
def test_months_quarters_and_weeks_of_a_year_agree(
    number: int, first_month: int, evenly: int, rows: list[tuple[int, int]]
) -> None:
    year = Period.parse(str(number), first_month)
    dated = [(year.start + timedelta(days=place), part) for place, part in rows]
    value = sum(part for _, part in dated) if dated else evenly
    units: tuple[Unit, ...] = ("week", "month", "quarter", "year")
    for unit in units:
        pieces = year.split(unit, first_month)
        assert all(one.end == following.start for one, following in pairwise(pieces))
        parts = [
            due_before(value, dated, year, piece.end) - due_before(value, dated, year, piece.start) for piece in pieces
        ]
        assert all(part >= 0 for part in parts)
        assert sum(parts, Fraction(0)) == value


def test_trap_9_a_week_has_seven_days_and_the_next_one_begins_where_it_ends() -> None:
    weeks = [Period.parse(f"2026-W{number:02d}") for number in range(1, 54)]
    assert {week.days for week in weeks} == {7}
    assert all(one.end == following.start for one, following in pairwise(weeks))


def test_nobody_sets_changes_or_approves_their_own_target() -> None:
    with pytest.raises(OwnTarget, match="mbr_a"):
        target(level="member", ref="mbr_a", by="mbr_a")
    theirs = target(level="member", ref="mbr_a", by="mbr_b")
    with pytest.raises(OwnTarget):
        theirs.change(value=euros("1.00"), by="mbr_a")
    with pytest.raises(OwnTarget):
        theirs.approve(day("2026-01-02"), by="mbr_a", leader=None, rates={})
    with pytest.raises(SetByTheSame, match="set by mbr_b"):
        theirs.approve(day("2026-01-02"), by="mbr_b", leader=None, rates={})
    with pytest.raises(OwnTarget, match="their team"):
        target(level="team", ref="team_1").approve(day("2026-01-02"), by="mbr_c", leader="mbr_c", rates={})
    theirs.approve(day("2026-01-02"), by="mbr_c", leader=None, rates={"USD": "0.9"})
    assert (theirs.lifecycle, theirs.approved_by, theirs.plan_rates) == ("approved", "mbr_c", {"USD": "0.9"})
    with pytest.raises(AlreadyApproved, match="2026-01-02"):
        theirs.approve(day("2026-01-03"), by="mbr_d", leader=None, rates={})


def test_what_is_approved_needs_a_reason_to_change_and_is_a_draft_again() -> None:
    agreed = target()
    agreed.approve(day("2026-01-02"), by="mbr_c", leader=None, rates={"USD": "0.9"})
    with pytest.raises(ReasonNeeded, match=r"2026-01-02.*300\.00 EUR"):
        agreed.change(value=euros("301.00"))
    assert agreed.lifecycle == "approved"
    assert agreed.value == euros("300.00")
    told = agreed.change(value=euros("301.00"), reason="the market grew")
    assert (agreed.lifecycle, agreed.plan_rates, agreed.reason) == ("draft", {}, "the market grew")
    assert "market" not in str(told)


def test_a_target_set_after_its_period_began_says_so() -> None:
    assert not target(on=QUARTER.start).set_after_start
    assert target(on=QUARTER.start + timedelta(days=1)).set_after_start


def test_a_stretch_lies_beyond_the_target_in_its_direction() -> None:
    with pytest.raises(StretchTooLow, match=r"300\.00 EUR does not lie beyond 300\.00 EUR"):
        target(stretch=euros("300.00"))
    with pytest.raises(StretchTooLow):
        target(value=Decimal(10), stretch=Decimal(11), metric="complaints", lower=True)
    assert target(value=Decimal(10), stretch=Decimal(9), metric="complaints", lower=True).stretch == 9


def test_targets_that_overlap_partly_are_refused_with_both_periods_and_the_id() -> None:
    window = Period.between(date(2026, 3, 1), date(2026, 5, 1))
    with pytest.raises(TargetsOverlap, match=r"2026-03-01/2026-05-01 lies partly in 2026-Q1.*\(tgt_1\)"):
        target("tgt_2", period=window, others=[target()])
    for period in (Period.parse("2026"), Period.parse("2026-02"), Period.parse("2026-Q2"), Period.parse("2026-W14")):
        assert target("tgt_2", period=period, others=[target()])


def part(name: str, amount: str, **fields: Any) -> Target:
    return target(name, euros(amount), level="team", ref=name, **fields)


def test_a_cascade_that_does_not_balance_is_refused_with_the_sums_and_the_difference() -> None:
    parts = [part("tgt_2", "200.00"), part("tgt_3", "99.99")]
    with pytest.raises(CascadeDoesNotBalance) as refused:
        target().cascade(parts, Decimal(0))
    for number in ("299.99 EUR", "300.00 EUR", "-0.01 EUR"):
        assert number in str(refused.value)
    more = [part("tgt_2", "200.00"), part("tgt_3", "130.00")]
    with pytest.raises(CascadeDoesNotBalance, match=r"330\.00 EUR"):
        target().cascade(more, Decimal(0))
    assert target().cascade(more, Decimal("0.10")).over_assignment == "0.1"


def test_the_parts_of_a_cascade_share_its_currency_and_lie_in_its_days() -> None:
    dollars = target("tgt_2", Money("300.00", "USD"))
    with pytest.raises(CascadeInOtherUnits, match="EUR, its parts are in USD"):
        target().cascade([dollars], Decimal(0))
    with pytest.raises(ChildOutsideThePeriod, match="2026-04 does not lie within 2026-Q1"):
        target().cascade([part("tgt_2", "300.00", period=Period.parse("2026-04"))], Decimal(0))
