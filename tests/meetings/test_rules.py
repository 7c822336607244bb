"""When series meet: the wall clock rules, and a rule that cannot be followed is refused in plain words."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.domain.rules import Rule

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"


def at(text: str, zone: str = BERLIN) -> datetime:
    """A moment by the wall clock of a zone, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def times(rule: str, start: str, after: str, before: str, zone: str = BERLIN) -> list[str]:
    """When it is time, by the wall clock."""
    found = Rule.read(rule).between(at(start, zone), zone, at(after, zone), at(before, zone))
    return [each.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M") for each in found]


def test_a_weekly_meeting_at_nine_stays_at_nine_when_the_clocks_go_forward() -> None:
    found = times("FREQ=WEEKLY;BYDAY=MO", "2026-03-16T09:00", "2026-03-16", "2026-04-13")
    assert found == ["2026-03-16 09:00", "2026-03-23 09:00", "2026-03-30 09:00", "2026-04-06 09:00"]


def test_a_weekly_meeting_at_nine_stays_at_nine_when_the_clocks_go_back() -> None:
    rule = Rule.read("FREQ=WEEKLY;BYDAY=MO")
    found = list(rule.between(at("2026-03-16T09:00"), BERLIN, at("2026-10-19"), at("2026-11-03")))
    assert found == [
        datetime(2026, 10, 19, 7, tzinfo=UTC), datetime(2026, 10, 26, 8, tzinfo=UTC),
        datetime(2026, 11, 2, 8, tzinfo=UTC),
    ]  # fmt: skip


def test_a_time_that_the_clock_change_skips_comes_an_hour_later_that_day_only() -> None:
    found = times("FREQ=WEEKLY;BYDAY=SU", "2026-03-22T02:30", "2026-03-22", "2026-04-06")
    assert found == ["2026-03-22 02:30", "2026-03-29 03:30", "2026-04-05 02:30"]


def test_a_time_that_comes_twice_is_meant_once_and_the_first_time() -> None:
    rule = Rule.read("FREQ=WEEKLY;BYDAY=SU")
    found = list(rule.between(at("2026-10-18T02:30"), BERLIN, at("2026-10-25"), at("2026-10-26")))
    assert found == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]


@given(
    weeks=st.integers(1, 8), start=st.dates(date(2000, 1, 1), date(2040, 1, 1)), minute=st.integers(0, 24 * 60 - 1),
    zone=st.sampled_from([BERLIN, NEW_YORK, "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]),
)  # fmt: skip
def test_occurrences_lie_whole_weeks_apart_by_the_wall_clock(weeks: int, start: date, minute: int, zone: str) -> None:
    begin = at(f"{start}T{minute // 60:02d}:{minute % 60:02d}", zone)
    rule = Rule.read(f"FREQ=WEEKLY;INTERVAL={weeks}")
    found = list(islice(rule.between(begin, zone, begin, begin + timedelta(days=500)), 60))
    local = [each.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for each in found]
    assert found == sorted(set(found))
    assert {(later.date() - earlier.date()).days for earlier, later in pairwise(local)} <= {7 * weeks}
    moved = [each for each in local if (each.hour, each.minute) != (local[0].hour, local[0].minute)]
    assert len(moved) <= 2 * len({each.year for each in local})


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=MONTHLY;BYDAY=1TH", ["2026-01-01", "2026-02-05", "2026-03-05"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", ["2026-01-30", "2026-02-27", "2026-03-27"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", ["2026-01-31", "2026-02-28", "2026-03-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31", ["2026-01-31", "2026-03-31"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1", ["2026-01-01", "2026-02-02", "2026-03-02"]),
        ("FREQ=WEEKLY;INTERVAL=4;BYDAY=TH", ["2026-01-01", "2026-01-29", "2026-02-26", "2026-03-26"]),
        ("FREQ=WEEKLY;BYDAY=TH;COUNT=2", ["2026-01-01", "2026-01-08"]),
        ("FREQ=WEEKLY;BYDAY=TH;UNTIL=20260115", ["2026-01-01", "2026-01-08", "2026-01-15"]),
        ("FREQ=WEEKLY;BYDAY=TH;UNTIL=20260115T085900", ["2026-01-01", "2026-01-08"]),
        ("FREQ=WEEKLY;BYDAY=TH;UNTIL=20260115T080000Z", ["2026-01-01", "2026-01-08", "2026-01-15"]),
        ("FREQ=WEEKLY;BYDAY=TH;UNTIL=20260115T075959Z", ["2026-01-01", "2026-01-08"]),
        ("rrule:freq=weekly;byday=th;count=1", ["2026-01-01"]),
    ],
)
def test_weekly_and_monthly_rules_are_followed_to_their_end(rule: str, expected: list[str]) -> None:
    assert [each[:10] for each in times(rule, "2026-01-01T09:00", "2026-01-01", "2026-04-01")] == expected


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("FREQ=HOURLY;INTERVAL=3", "FREQ is HOURLY; a series meets DAILY, WEEKLY, MONTHLY, YEARLY."),
        ("BYDAY=MO", "FREQ is missing; a series meets DAILY, WEEKLY, MONTHLY, YEARLY."),
        (
            "FREQ=WEEKLY;BYHOUR=9",
            "BYHOUR is not supported in a rule; a series meets once a day at most, at the time it starts.",
        ),
        ("FREQ=WEEKLY;INTERVAL=0", "INTERVAL is 0; it is a number from 1 to 366."),
        ("FREQ=WEEKLY;INTERVAL=99999999999999999999999999", "it is a number from 1 to 366."),
        ("FREQ=WEEKLY;INTERVAL=00000000599999", "it is a number from 1 to 366."),
        ("FREQ=YEARLY;BYYEARDAY=1,100,200", "BYYEARDAY is not supported in a rule; name the day by BYMONTH and"),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "BYWEEKNO is not supported in a rule; name the week by BYMONTH and"),
        ("FREQ=WEEKLY;BYEASTER=1", "BYEASTER is not supported in a rule; supported are FREQ, INTERVAL, COUNT"),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=32", "BYSETPOS chooses among at most 31 days; it asks for [32]."),
        ("FREQ=DAILY;BYMONTH=1;BYSETPOS=2", "BYSETPOS chooses among at most 1 days; it asks for [2]."),
        ("FREQ=MONTHLY;BYMONTH=0", "BYMONTH has '0'; months are numbers from 1 to 12."),
        ("FREQ=MONTHLY;BYMONTH=-1", "BYMONTH has '-1'; months are numbers from 1 to 12."),
        ("FREQ=MONTHLY;BYDAY=6MO", "6MO is more than there are; it counts to 5 at most."),
        ("FREQ=YEARLY;BYDAY=-54MO", "-54MO is more than there are; it counts to 53 at most."),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=20MO", "20MO is more than there are; it counts to 5 at most."),
        ("FREQ=MONTHLY;BYDAY=0MO", "'0MO' is not a day; days are written"),
        ("FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=-3", "BYSETPOS chooses among at most 2 days; it asks for [-3]."),
        ("FREQ=WEEKLY;COUNT=-1", "COUNT is -1; it is a number from 1 to 1000."),
        ("FREQ=WEEKLY;COUNT=3;UNTIL=20261231", "A rule ends by COUNT or by UNTIL, not by both."),
        ("FREQ=WEEKLY;UNTIL=20260231", "2026-02-31 is not in the calendar."),
        ("FREQ=WEEKLY;UNTIL=20260201T250000", "2026-02-01T25:00:00Z is not a moment in the calendar."),
        ("FREQ=WEEKLY;UNTIL=soon", 'UNTIL is SOON; it is written "20261231"'),
        ("FREQ=WEEKLY;BYDAY=2MO", "2MO counts the days of a month or a year; with FREQ=WEEKLY write MO."),
        ("FREQ=WEEKLY;BYDAY=XX", "'XX' is not a day; days are written"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY belongs to FREQ=DAILY, MONTHLY or YEARLY."),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY has '32'; it counts from 1 to 31, or back from -1 to -31."),
        ("FREQ=MONTHLY;BYMONTHDAY=1,,2", "BYMONTHDAY has ''"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS chooses among the days of BYDAY, BYMONTHDAY or BYMONTH; none of them"),
        ("FREQ=WEEKLY;FREQ=WEEKLY", "FREQ stands twice in the rule."),
        ("FREQ=WEEKLY;WKST=XX", "WKST is XX; it is one of MO, TU, WE, TH, FR, SA, SU."),
        ("every Monday", "'EVERY MONDAY' is not a part of a rule"),
        ("", "'' is not a part of a rule"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused_in_plain_words(rule: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        Rule.read(rule)


@pytest.mark.parametrize(
    "rule",
    ["FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=30", "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=30;COUNT=3",
     "FREQ=WEEKLY;UNTIL=20250101", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
     "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=20"],
)  # fmt: skip
def test_a_rule_that_never_comes_has_no_first_time(rule: str) -> None:
    assert Rule.read(rule).first(at("2026-02-01T09:00"), BERLIN) is None


@given(
    weeks=st.integers(1, 9), days=st.sets(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"])),
    start=st.dates(date(2000, 1, 1), date(2030, 1, 1)), later=st.integers(0, 3000), first=st.sampled_from(["MO", "SU"]),
)  # fmt: skip
def test_an_old_series_meets_when_it_would_by_following_it_from_its_beginning(
    weeks: int, days: set[str], start: date, later: int, first: str
) -> None:
    begin, after = at(f"{start}T23:30"), at(f"{start + timedelta(days=later)}T00:00")
    named = f";BYDAY={','.join(sorted(days))}" if days else ""
    rule = Rule.read(f"FREQ=WEEKLY;INTERVAL={weeks};WKST={first}{named}")
    before = after + timedelta(days=100)
    whole = [each for each in rule.between(begin, BERLIN, begin, before) if each >= after]
    assert list(rule.between(begin, BERLIN, after, before)) == whole


def test_the_first_time_is_never_one_that_a_clock_change_moves() -> None:
    first = Rule.read("FREQ=WEEKLY;BYDAY=SU").first(at("2026-03-25T02:30"), BERLIN)
    assert first == at("2026-04-05T02:30")
