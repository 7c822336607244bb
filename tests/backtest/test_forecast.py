"""The forecast on data whose end is known: better than the naive one, and blind to what came after its day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.forecast import History, Known, NotForeseeable, Told, forecast, tell
from shared.forecast.ahead import SPREAD
from shared.period import Period
from tests.backtest.rolling import (
    CALIBRATED_BY,
    QUARTERS,
    Sale,
    foreseen,
    known,
    mean_error,
    mean_naive_error,
    middle,
    points,
    sales_of,
    samples,
    spread,
)
from tests.imports.data_sets import folder

DAY = date(2026, 6, 17)
QUARTER = Period.parse("2026-Q2")


@pytest.fixture(scope="module")
def sales() -> list[Sale]:
    """The deals of the CRM data set."""
    return sales_of(folder("maven_crm"))


def steady(weeks: int = 30, estimate: int = 0) -> list[Told]:
    """Four deals every Monday: two won after five weeks for 100.00 each, one lost after two, one never closed."""
    found = []
    plain = Told(opened=DAY, estimated=bool(estimate), estimate=estimate, estimate_currency="EUR" if estimate else "")
    for place in range(weeks):
        opened = date(2026, 6, 15) - timedelta(weeks=place)
        for days, won in ((35, True), (35, True), (14, False), (DAY.day + 7 * weeks, False)):
            deal, closed = replace(plain, opened=opened), opened + timedelta(days=days)
            if closed < DAY:
                deal = replace(deal, closed=closed, won=won)
                deal = replace(deal, amount=10_000, currency="EUR") if won else deal
            found.append(deal)
    return found


def of(deals: list[Told], won: int = 0, period: Period = QUARTER, before: date = DAY) -> tuple[int, int, int]:
    history = History(Known(before))
    for deal in deals:
        tell(history, deal)
    found, _ = forecast(history, period, {"EUR": won})
    return found.low, found.value, found.high


def test_the_forecast_in_the_middle_of_each_quarter_beats_the_quarter_before(sales: list[Sale]) -> None:
    found = known(points("", [each.told for each in sales], QUARTERS))
    assert [str(point.period) for point in found] == ["2017-Q2", "2017-Q3", "2017-Q4"]
    assert mean_error(found) < mean_naive_error(found)
    # Also without the quarter in which business had just begun, which the naive forecast cannot but miss.
    assert mean_error(found[1:]) < mean_naive_error(found[1:])


def test_the_range_holds_what_came_as_often_as_it_says_of_a_team_that_it_was_not_taken_from(sales: list[Sale]) -> None:
    found = samples(sales)
    pooled = [point for name in CALIBRATED_BY for point in known(found[name])]
    assert spread(pooled) == pytest.approx(SPREAD, abs=0.01)
    held = 0
    for team in {point.whose for point in pooled}:
        others = spread([point for point in pooled if point.whose != team])
        held += sum(point.deviations <= others for point in pooled if point.whose == team)
    assert 0.75 < held / len(pooled) < 0.85
    for name, low, high in (
        ("teams, quarters, every week", 0.78, 0.84),
        ("products, months, in the middle", 0.75, 0.85),
    ):
        points = known(found[name])
        assert low < sum(point.inside for point in points) / len(points) < high, name


def test_trap_18_a_forecast_changes_nothing_when_later_deals_are_added_or_later_closings_unknown(
    sales: list[Sale],
) -> None:
    everything = [each.told for each in sales]
    for period in QUARTERS[1:]:
        before = middle(period)
        as_was = [
            deal if deal.closed is None or deal.closed < before else Told(opened=deal.opened)
            for deal in everything
            if deal.opened < before
        ]
        later = [Told(opened=before + timedelta(days=place), closed=before + timedelta(days=place + 1), won=True,
                      amount=10**9, currency="USD") for place in range(30)]  # fmt: skip
        plain = foreseen(as_was, period, before)
        assert foreseen(everything, period, before) == plain
        assert foreseen([*everything, *later], period, before) == plain


def test_a_steady_business_goes_on_as_it_has() -> None:
    monday = date(2026, 6, 15)
    low, value, high = of(steady(), period=Period.between(monday, monday + timedelta(weeks=4)), before=monday)
    assert value == 4 * 2 * 10_000
    assert low <= value <= high


def test_trap_12_lost_deals_add_nothing_to_a_forecast() -> None:
    lost = [Told(opened=DAY - timedelta(days=200), closed=DAY - timedelta(days=150), estimated=1, estimate=10**9,
                 estimate_currency="EUR")] * 50  # fmt: skip
    assert of([*steady(), *lost]) == of(steady())


def test_an_estimate_counts_for_what_estimates_have_come_to() -> None:
    plain = of(steady())
    assert of(steady(estimate=10_000)) == plain
    assert of(steady(estimate=20_000)) == plain


def test_too_little_history_and_several_currencies_are_said_and_not_guessed() -> None:
    with pytest.raises(NotForeseeable, match="4 deals were won in the"):
        of(steady(weeks=8))
    yen = [Told(opened=DAY - timedelta(days=20), closed=DAY - timedelta(days=10), won=True, amount=5, currency="JPY")]
    with pytest.raises(NotForeseeable, match="several currencies: EUR, JPY"):
        of([*steady(), *yen])


def test_a_period_that_is_over_is_what_was_won() -> None:
    over = Period.between(DAY - timedelta(days=30), DAY)
    assert of(steady(), won=123, period=over) == (123, 123, 123)


def test_a_period_to_come_does_not_count_what_is_won_before_it() -> None:
    near = Period.between(DAY, DAY + timedelta(weeks=2))
    far = Period.between(DAY + timedelta(weeks=2), DAY + timedelta(weeks=4))
    both = Period.between(DAY, DAY + timedelta(weeks=4))
    assert of(steady(), period=near)[1] + of(steady(), period=far)[1] == pytest.approx(
        of(steady(), period=both)[1], abs=2
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 120), st.sampled_from(["won", "lost", "open"]),
                          st.integers(1, 10**7)), max_size=60), st.integers(0, 90))  # fmt: skip
def test_whatever_the_history_a_forecast_is_between_its_bounds(
    rows: list[tuple[int, int, str, int]], ahead: int
) -> None:
    deals = []
    for age, took, outcome, amount in rows:
        opened = DAY - timedelta(days=age + 1)
        closed = opened + timedelta(days=took) if outcome != "open" and took <= age else None
        won = outcome == "won" and closed is not None
        deals.append(Told(opened=opened, closed=closed, won=won, amount=amount * won, currency="EUR" if won else ""))
    try:
        low, value, high = of(deals, won=77, period=Period.between(DAY, DAY + timedelta(days=ahead + 1)))
    except NotForeseeable:
        return
    assert 77 <= low <= value <= high
