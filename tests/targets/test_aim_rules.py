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

from services.targets.domain.aims import StretchTooLow
from services.targets.domain.asking import Asker
from services.targets.domain.cascades import CascadeDoesNotBalance, CascadeInOtherUnits, ChildOutsideThePeriod
from services.targets.domain.targets import (
    AlreadyApproved,
    OwnTarget,
    ReasonNeeded,
    SetByTheSame,
    Target,
    TargetExists,
    TargetsOverlap,
)
from shared.attainment import Attainment, due_before
from shared.money import Money
from shared.period import Period, Unit
from tests.targets.bodies import day, euros

QUARTER = Period.parse("2026-Q1")
ON = day("2025-12-01")


def target(name: str = "tgt_1", value: Any = None, **fields: Any) -> Target:
    given: dict[str, Any] = {"metric": "revenue", "level": "organisation", "ref": None, "period": QUARTER,
                             "distribution": [], "on": ON}  # fmt: skip
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


def approve(aimed: Target, by: Asker, on: str = "2025-12-02", theirs: tuple[str, ...] = ()) -> None:
    aimed.approve(day(on), by=by, theirs=theirs, rates={"USD": "0.9"})


def test_nobody_sets_changes_approves_or_closes_their_own_target() -> None:
    ada, ben, cem = (Asker(name, name) for name in ("mbr_a", "mbr_b", "mbr_c"))
    with pytest.raises(OwnTarget, match="mbr_a"):
        target(level="member", ref="mbr_a", by=ada)
    theirs = target(level="member", ref="mbr_a", by=ben)
    with pytest.raises(OwnTarget):
        theirs.change(ON, value=euros("1.00"), by=ada)
    with pytest.raises(OwnTarget):
        theirs.close(ON, "mbr_a")
    with pytest.raises(OwnTarget):
        approve(theirs, ada)
    with pytest.raises(SetByTheSame, match="set by mbr_b"):
        approve(theirs, ben)
    for level in ("group", "team", "department"):
        with pytest.raises(OwnTarget, match=f"their {level}"):
            approve(target(level=level, ref="some_1"), cem, theirs=("mbr_c",))
    approve(theirs, cem)
    assert (theirs.lifecycle, theirs.approved_by, theirs.plan_rates) == ("approved", "mbr_c", {"USD": "0.9"})
    with pytest.raises(AlreadyApproved, match="2025-12-02"):
        approve(theirs, Asker("mbr_d"))


def test_a_token_without_a_member_and_a_member_with_two_tokens_do_not_approve_what_they_have_set() -> None:
    tool, operator, ben = Asker(token="crm tool"), Asker(token="operator"), Asker("mbr_b", "operator")
    with pytest.raises(SetByTheSame, match="set by crm tool"):
        approve(target(by=tool), tool)
    for setter, approver in ((operator, ben), (ben, operator), (ben, Asker("mbr_b", "another token"))):
        with pytest.raises(SetByTheSame):
            approve(target(by=setter), approver)
    approve(target(by=tool), operator)


def test_who_has_set_a_value_does_not_approve_it_after_another_has_changed_only_what_it_serves() -> None:
    ada, ben = Asker("mbr_a"), Asker("mbr_b")
    aimed = target(by=ada)
    aimed.change(ON, goal="goal_1", by=ben)
    for each in (ada, ben):
        with pytest.raises(SetByTheSame):
            approve(aimed, each)
    aimed.change(ON, value=euros("310.00"), by=ben)
    approve(aimed, ada)


def test_every_change_is_kept_with_what_it_was_what_it_became_who_when_and_why() -> None:
    ada, ben = Asker("mbr_a"), Asker("mbr_b")
    aimed = target(by=ada)
    approve(aimed, ben)
    aimed.change(day("2025-12-10"), value=euros("90.00"), by=ada, reason="a customer left")
    aimed.change(day("2025-12-20"), value=euros("110.00"), goal="goal_1", by=Asker(token="crm tool"))
    kept = [(each["on"], each["by"], each["reason"], each["before"]["value"]["amount"], each["value"]["amount"],
             each["changed"], each["before"]["approved_by"]) for each in aimed.changes]  # fmt: skip
    assert kept == [
        ("2025-12-10", "mbr_a", "a customer left", "300.00", "90.00", ["value"], "mbr_b"),
        ("2025-12-20", "crm tool", None, "90.00", "110.00", ["goal", "value"], None),
    ]
    assert aimed.change(day("2025-12-21"), value=euros("110.00"), by=ada) is None
    assert len(aimed.changes) == 2
    was = [aimed.as_on(day(on)).get("value", {}).get("amount") for on in ("2025-12-09", "2025-12-10", "2025-12-20")]
    assert was == ["300.00", "90.00", None]


def test_what_is_approved_needs_a_reason_to_change_and_is_a_draft_again() -> None:
    agreed = target()
    approve(agreed, Asker("mbr_c"), on="2026-01-02")
    with pytest.raises(ReasonNeeded, match=r"2026-01-02.*300\.00 EUR"):
        agreed.change(ON, value=euros("301.00"))
    assert agreed.lifecycle == "approved"
    assert agreed.value == euros("300.00")
    told = agreed.change(ON, value=euros("301.00"), reason="the market grew")
    assert (agreed.lifecycle, agreed.plan_rates, agreed.reason) == ("draft", {}, "the market grew")
    assert "market" not in str(told)


def test_a_target_set_changed_or_approved_after_its_period_began_says_so() -> None:
    late = QUARTER.start + timedelta(days=1)
    assert not target(on=QUARTER.start).set_after_start
    assert target(on=late).set_after_start
    aimed = target()
    approve(aimed, Asker("mbr_c"), on="2026-01-01")
    assert aimed.change(late, goal="goal_1", reason="it serves that") is not None
    assert not aimed.set_after_start
    changed = aimed.change(late, value=euros("301.00"))
    assert changed is not None
    assert (aimed.set_after_start, changed.set_after_start) == (True, True)
    approved = target()
    approve(approved, Asker("mbr_c"), on="2026-01-02")
    assert approved.set_after_start


def test_a_closed_target_stands_in_the_way_of_no_other() -> None:
    closed, window = target(), Period.between(date(2026, 3, 1), date(2026, 5, 1))
    with pytest.raises(TargetExists):
        target("tgt_2", others=[closed])
    closed.close(day("2026-02-01"))
    for period in (QUARTER, window):
        assert target("tgt_2", period=period, others=[closed])


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
