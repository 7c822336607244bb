"""What may be expected of a member: less while they ramp up and while they are away, and never more than the quota."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.attainment import Attainment, due_before
from shared.careers import Away
from shared.known import KnownAbsence, KnownMember
from shared.opportunity import Adjusted, adjusted, stretches
from shared.period import Period

YEAR = Period.parse("2026")
QUARTER = Period.parse("2026-Q1")
DAYS = st.dates(date(2025, 6, 1), date(2027, 6, 1))


def member(start: str = "2020-01-01", ramp: Sequence[str] = (), left: str | None = None) -> KnownMember:
    stay = {"from": start, "to": left}
    return KnownMember.make(id="mbr_a", employments=[{"of": None, **stay}], ramps=[{"of": list(ramp), **stay}])


def away(start: str, end: str | None, share: str = "1") -> KnownAbsence:
    until = date.fromisoformat(end) if end else None
    return KnownAbsence.make(id="abs_1", member="mbr_a", start=date.fromisoformat(start), end=until, share=share)


def expected(
    who: KnownMember, absences: Sequence[Away] = (), quota: int = 9000, period: Period = QUARTER, **more: Any
) -> Adjusted:
    rows = more.get("rows", [])
    before = more.get("before", period.end)
    return adjusted(lambda day: due_before(quota, rows, period, day), period, before, stretches(who, absences, period))


def test_of_whoever_is_there_all_the_time_the_whole_quota_is_expected() -> None:
    found = expected(member())
    assert found == Adjusted(*[Fraction(9000)] * 4)
    assert (found.ramp, found.active) == (Fraction(1), Fraction(1))


def test_quota_times_ramp_times_active_share_is_what_is_expected() -> None:
    # The quarter has 90 days: 31, 28 and 31, each a month of the ramp.
    found = expected(member("2026-01-01", ["0.2", "0.5"]), [away("2026-02-01", "2026-02-15")])
    assert found.value == 31 * 100 * Fraction(2, 10) + 14 * 100 * Fraction(5, 10) + 31 * 100
    assert found.active == Fraction(76, 90)
    assert found.ramp is not None
    assert found.active is not None
    assert found.quota * found.ramp * found.active == found.value


def test_the_review_s_example_of_a_member_who_ramps_up() -> None:
    # 31 of a quota of 110 is 28.2 %; with a ramp of .40 and an active share of .92 it is 31 of 40.48.
    who, absences = member("2026-01-01", ["0.4"] * 12), [away("2026-01-01", None, "0.08")]
    found = expected(who, absences, 110, YEAR)
    assert found.value == Fraction("40.48")
    attainment = Attainment(found.value, Fraction(31), found.due).rate
    assert attainment is not None
    assert round(float(attainment), 3) == 0.766


def test_a_ramp_counts_whole_months_from_the_day_of_beginning() -> None:
    who = member("2026-01-31", ["0", "0.5"])
    found = stretches(who, [], Period.parse("2026"))
    assert [(each.start.isoformat(), each.ramp) for each in found] == [
        ("2026-01-01", 1), ("2026-01-31", 0), ("2026-02-28", Fraction(1, 2)), ("2026-03-31", 1),
    ]  # fmt: skip
    assert [each.active for each in found] == [0, 1, 1, 1]


def test_before_and_after_an_employment_nothing_is_expected() -> None:
    assert expected(member("2026-02-01", left="2026-03-01")).value == 2800
    assert expected(member("2026-04-01")).value == 0
    assert expected(member("2026-04-01")).ramp is None


def test_what_is_away_follows_the_distribution_not_the_calendar() -> None:
    rows = [(date(2026, 1, 1), 1000), (date(2026, 2, 1), 2000), (date(2026, 3, 1), 6000)]
    assert expected(member(), [away("2026-03-01", None)], rows=rows).value == 3000
    assert expected(member(), [away("2026-01-01", "2026-02-01")], rows=rows).value == 8000


@settings(deadline=None)
@given(
    start=DAYS,
    ramp=st.lists(st.sampled_from(["0", "0.25", "0.5", "1"]), max_size=6),
    absences=st.lists(st.tuples(DAYS, st.integers(1, 90), st.sampled_from(["0.25", "0.5", "1"])), max_size=3),
    split=st.dates(YEAR.start, YEAR.end),
)
def test_it_is_never_more_than_the_quota_and_a_part_of_the_days_has_its_part(
    start: date, ramp: list[str], absences: list[tuple[date, int, str]], split: date
) -> None:
    gone = [away(str(day), str(day + timedelta(days=days)), share) for day, days, share in absences]
    who = member(str(start), ramp)
    whole = expected(who, gone, 1000, YEAR)
    assert 0 <= whole.value <= whole.quota == 1000
    assert expected(who, gone, 1000, YEAR, before=split).due <= whole.value

    def due(day: date) -> Fraction:
        return due_before(1000, [], YEAR, day)

    parts = Adjusted()
    for first, last in ((YEAR.start, split), (split, YEAR.end)):
        if first < last:
            days = Period.between(first, last)
            parts += adjusted(due, days, YEAR.end, stretches(who, gone, days))
    assert parts == whole
