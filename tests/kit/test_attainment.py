"""One arithmetic of targets: what is due, what is reached, and nothing rounded on the way."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from shared.attainment import Attainment, due_before
from shared.period import Period

QUARTER = Period.parse("2026-Q1")
APRIL = date(2026, 4, 1)


def shown(
    value: int, actual: int, before: date = APRIL, rows: list[tuple[date, int]] | None = None
) -> dict[str, object]:
    return Attainment.judge(value, actual, rows or [], QUARTER, before).shown(str)


def test_attainment_is_actual_divided_by_target_and_never_capped() -> None:
    assert shown(400, 100)["attainment"] == {"rate": "0.250000", "numerator": "100", "denominator": "400"}
    assert shown(400, 1000)["attainment"] == {"rate": "2.500000", "numerator": "1000", "denominator": "400"}


def test_nothing_achieved_is_the_whole_target_missing() -> None:
    figures = shown(400, 0)
    assert (figures["variance"], figures["variance_rate"]) == ("-400", "-1.000000")


def test_of_a_target_of_nothing_no_share_is_known() -> None:
    figures = shown(0, 100)
    assert (figures["attainment"], figures["variance_rate"], figures["pace"]) == (None, None, None)
    assert figures["variance"] == "100"


def test_without_a_distribution_a_target_is_due_evenly_by_days() -> None:
    assert due_before(90, [], QUARTER, date(2026, 1, 31)) == 30
    assert due_before(90, [], QUARTER, QUARTER.start) == 0
    assert due_before(90, [], QUARTER, date(2030, 1, 1)) == 90


def test_the_distribution_and_not_the_calendar_says_what_is_due() -> None:
    rows = [(date(2026, 1, 1), 10), (date(2026, 3, 1), 80)]
    assert due_before(90, rows, QUARTER, date(2026, 3, 1)) == 10
    assert due_before(90, rows, QUARTER, date(2026, 3, 2)) == 10 + Fraction(80, 31)


def test_nothing_is_due_before_the_first_row() -> None:
    assert due_before(90, [(date(2026, 2, 1), 90)], QUARTER, date(2026, 1, 31)) == 0


def test_pace_sets_what_is_attained_against_what_is_due_by_then() -> None:
    rows = [(date(2026, 1, 1), 100), (date(2026, 2, 1), 300)]
    assert shown(400, 50, date(2026, 2, 1), rows)["pace"] == {
        "rate": "0.500000", "numerator": "50", "denominator": "100", "attained": "0.125000", "elapsed": "0.250000",
    }  # fmt: skip
    assert shown(400, 50, QUARTER.start, rows)["pace"] is None


@given(
    parts=st.lists(st.integers(0, 10**9), min_size=1, max_size=8),
    starts=st.data(),
    cut=st.integers(0, 90),
)
def test_what_is_due_grows_to_the_whole_and_stretches_add_up(parts: list[int], starts: st.DataObject, cut: int) -> None:
    offsets = starts.draw(st.lists(st.integers(0, 89), min_size=len(parts), max_size=len(parts), unique=True))
    rows = [(QUARTER.start + timedelta(days=offset), part) for offset, part in zip(offsets, parts, strict=True)]
    day = QUARTER.start + timedelta(days=cut)
    due = due_before(sum(parts), rows, QUARTER, day)
    assert 0 <= due <= due_before(sum(parts), rows, QUARTER, day + timedelta(days=1))
    assert due_before(sum(parts), rows, QUARTER, QUARTER.end) == sum(parts)
