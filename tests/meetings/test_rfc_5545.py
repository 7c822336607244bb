"""Rules agree with RFC 5545: its examples in section 3.8.5.3 as facts, across daylight saving, and a library beside."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule as library
from hypothesis import assume, given
from hypothesis import strategies as some

from services.meetings.domain.rules import WEEKDAYS, Rule

NEW_YORK = ZoneInfo("America/New_York")
Months = dict[str, list[int]]


def days(months: Months) -> list[str]:
    """Days by their months, `{"1997-09": [2, 3]}`, written out."""
    return [f"{month}-{day:02d}" for month, numbers in months.items() for day in numbers]


def every(*numbers: int) -> list[int]:
    return list(range(*numbers))


EXAMPLES: list[tuple[str, str, Months]] = [
    ("1997-09-02", "FREQ=DAILY;COUNT=10", {"1997-09": every(2, 12)}),
    ("1997-09-02", "FREQ=DAILY;UNTIL=19971224T000000Z",
     {"1997-09": every(2, 31), "1997-10": every(1, 32), "1997-11": every(1, 31), "1997-12": every(1, 24)}),
    ("1997-09-02", "FREQ=DAILY;INTERVAL=2",
     {"1997-09": every(2, 31, 2), "1997-10": every(2, 31, 2), "1997-11": every(1, 30, 2), "1997-12": [1, 3]}),
    ("1997-09-02", "FREQ=DAILY;INTERVAL=10;COUNT=5", {"1997-09": [2, 12, 22], "1997-10": [2, 12]}),
    ("1998-01-01", "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA",
     {"1998-01": every(1, 32), "1999-01": every(1, 32), "2000-01": every(1, 32)}),
    ("1998-01-01", "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1",
     {"1998-01": every(1, 32), "1999-01": every(1, 32), "2000-01": every(1, 32)}),
    ("1997-09-02", "FREQ=WEEKLY;COUNT=10", {"1997-09": every(2, 31, 7), "1997-10": every(7, 29, 7), "1997-11": [4]}),
    ("1997-09-02", "FREQ=WEEKLY;UNTIL=19971224T000000Z",
     {"1997-09": every(2, 31, 7), "1997-10": every(7, 29, 7), "1997-11": every(4, 26, 7), "1997-12": every(2, 24, 7)}),
    ("1997-09-02", "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
     {"1997-09": [2, 16, 30], "1997-10": [14, 28], "1997-11": [11, 25], "1997-12": [9, 23], "1998-01": [6, 20],
      "1998-02": [3, 17]}),
    ("1997-09-02", "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
     {"1997-09": [2, 4, 9, 11, 16, 18, 23, 25, 30], "1997-10": [2]}),
    ("1997-09-02", "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH",
     {"1997-09": [2, 4, 9, 11, 16, 18, 23, 25, 30], "1997-10": [2]}),
    ("1997-09-01", "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
     {"1997-09": [1, 3, 5, 15, 17, 19, 29], "1997-10": [1, 3, 13, 15, 17, 27, 29, 31],
      "1997-11": [10, 12, 14, 24, 26, 28], "1997-12": [8, 10, 12, 22]}),
    ("1997-09-02", "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
     {"1997-09": [2, 4, 16, 18, 30], "1997-10": [2, 14, 16]}),
    ("1997-09-05", "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
     {"1997-09": [5], "1997-10": [3], "1997-11": [7], "1997-12": [5], "1998-01": [2], "1998-02": [6], "1998-03": [6],
      "1998-04": [3], "1998-05": [1], "1998-06": [5]}),
    ("1997-09-05", "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR",
     {"1997-09": [5], "1997-10": [3], "1997-11": [7], "1997-12": [5]}),
    ("1997-09-07", "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
     {"1997-09": [7, 28], "1997-11": [2, 30], "1998-01": [4, 25], "1998-03": [1, 29], "1998-05": [3, 31]}),
    ("1997-09-22", "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
     {"1997-09": [22], "1997-10": [20], "1997-11": [17], "1997-12": [22], "1998-01": [19], "1998-02": [16]}),
    ("1997-09-28", "FREQ=MONTHLY;BYMONTHDAY=-3",
     {"1997-09": [28], "1997-10": [29], "1997-11": [28], "1997-12": [29], "1998-01": [29], "1998-02": [26]}),
    ("1997-09-02", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
     {"1997-09": [2, 15], "1997-10": [2, 15], "1997-11": [2, 15], "1997-12": [2, 15], "1998-01": [2, 15]}),
    ("1997-09-30", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
     {"1997-09": [30], "1997-10": [1, 31], "1997-11": [1, 30], "1997-12": [1, 31], "1998-01": [1, 31], "1998-02": [1]}),
    ("1997-09-10", "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
     {"1997-09": every(10, 16), "1999-03": every(10, 14)}),
    ("1997-09-02", "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
     {"1997-09": every(2, 31, 7), "1997-11": every(4, 26, 7), "1998-01": every(6, 28, 7), "1998-03": every(3, 32, 7)}),
    ("1997-06-10", "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
     {f"{year}-{month}": [10] for year in range(1997, 2002) for month in ("06", "07")}),
    ("1997-03-10", "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
     {"1997-03": [10]} | {f"{year}-{month}": [10] for year in (1999, 2001, 2003) for month in ("01", "02", "03")}),
    ("1997-05-19", "FREQ=YEARLY;BYDAY=20MO", {"1997-05": [19], "1998-05": [18], "1999-05": [17]}),
    ("1997-03-13", "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
     {"1997-03": [13, 20, 27], "1998-03": [5, 12, 19, 26], "1999-03": [4, 11, 18, 25]}),
    ("1997-06-05", "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8",
     {"1997-06": every(5, 27, 7), "1997-07": every(3, 32, 7), "1997-08": every(7, 29, 7), "1998-06": every(4, 26, 7),
      "1998-07": every(2, 31, 7), "1998-08": every(6, 28, 7), "1999-06": every(3, 25, 7), "1999-07": every(1, 30, 7),
      "1999-08": every(5, 27, 7)}),
    ("1997-09-02", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
     {"1998-02": [13], "1998-03": [13], "1998-11": [13], "1999-08": [13], "2000-10": [13]}),
    ("1997-09-13", "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
     {"1997-09": [13], "1997-10": [11], "1997-11": [8], "1997-12": [13], "1998-01": [10], "1998-02": [7],
      "1998-03": [7], "1998-04": [11], "1998-05": [9], "1998-06": [13]}),
    ("1996-11-05", "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
     {"1996-11": [5], "2000-11": [7], "2004-11": [2]}),
    ("1997-09-04", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", {"1997-09": [4], "1997-10": [7], "1997-11": [6]}),
    ("1997-09-29", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
     {"1997-09": [29], "1997-10": [30], "1997-11": [27], "1997-12": [30], "1998-01": [29], "1998-02": [26],
      "1998-03": [30]}),
    ("1997-08-05", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", {"1997-08": [5, 10, 19, 24]}),
    ("1997-08-05", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", {"1997-08": [5, 17, 19, 31]}),
    ("2007-01-15", "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
     {"2007-01": [15, 30], "2007-02": [15], "2007-03": [15, 30]}),
]  # fmt: skip
"""The day of the beginning, at nine in New York; the rule; and its days, all if it ends, else the first."""


@pytest.mark.parametrize(("start", "rule", "months"), EXAMPLES, ids=[f"{each[1]} from {each[0]}" for each in EXAMPLES])
def test_every_example_of_the_standard_comes_on_its_days_at_nine_in_new_york(
    start: str, rule: str, months: Months
) -> None:
    expected = [datetime.fromisoformat(f"{day}T09:00").replace(tzinfo=NEW_YORK) for day in days(months)]
    begin = datetime.fromisoformat(f"{start}T09:00").replace(tzinfo=NEW_YORK)
    found = Rule.read(rule).between(begin, NEW_YORK.key, begin, begin + timedelta(days=4000))
    ends = "COUNT" in rule or "UNTIL" in rule
    times = list(islice(found, None if ends else len(expected)))
    assert times == [each.astimezone(UTC) for each in expected]
    assert {(each.astimezone(NEW_YORK).hour, each.astimezone(NEW_YORK).minute) for each in times} == {(9, 0)}


def test_the_offset_changes_with_the_clocks_of_new_york_while_the_hour_stays() -> None:
    begin = datetime(1997, 9, 2, 9, tzinfo=NEW_YORK)
    rule = Rule.read("FREQ=DAILY;UNTIL=19971224T000000Z")
    hours = {each.date(): each.hour for each in rule.between(begin, NEW_YORK.key, begin, begin + timedelta(days=200))}
    assert (hours[date(1997, 10, 25)], hours[date(1997, 10, 26)]) == (13, 14)


def test_what_the_library_gets_wrong_is_right_here() -> None:
    start = datetime(2026, 1, 7, 9, tzinfo=UTC)  # a Wednesday

    def first(rule: str, count: int) -> list[str]:
        return [f"{each:%d.%m.}" for each in islice(Rule.read(rule).between(start, "UTC", start, MUCH_LATER), count)]

    # Plain and numbered weekdays beside each other: the library finds none at all.
    assert first("FREQ=MONTHLY;BYDAY=MO,2TU", 5) == ["12.01.", "13.01.", "19.01.", "26.01.", "02.02."]
    assert not list(islice(library.rrule(library.MONTHLY, dtstart=start, until=start + timedelta(days=365),
                                         byweekday=[library.MO, library.TU(2)]), 5))  # fmt: skip
    # A place in the week in which the rule begins: the library counts from the beginning, not from the week's.
    assert first("FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=1", 2) == ["12.01.", "19.01."]


MUCH_LATER = datetime(2040, 1, 1, tzinfo=UTC)
WHICH = some.sampled_from([1, 2, 3, 4, 5, -1, -2, -5])


@some.composite
def rules(draw: some.DrawFn) -> str:
    """Any rule that the library follows as the standard says."""
    frequency = draw(some.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(some.integers(1, 5))}"]

    def maybe(name: str, values: Iterable[str]) -> bool:
        chosen = draw(some.sets(some.sampled_from(sorted(values)), max_size=4)) if draw(some.booleans()) else set()
        if chosen:
            parts.append(f"{name}={','.join(sorted(chosen))}")
        return bool(chosen)

    limited = [maybe("BYMONTH", map(str, range(1, 13)))]
    if frequency != "WEEKLY":
        limited.append(maybe("BYMONTHDAY", [str(day) for day in (1, 2, 13, 28, 30, 31, -1, -3, -31)]))
    numbered = frequency in ("MONTHLY", "YEARLY") and draw(some.booleans())
    limited.append(maybe("BYDAY", [f"{draw(WHICH)}{day}" for day in WEEKDAYS] if numbered else WEEKDAYS))
    if frequency in ("MONTHLY", "YEARLY") and any(limited):
        maybe("BYSETPOS", ["1", "2", "-1"])
    if draw(some.booleans()):
        parts.append(f"WKST={draw(some.sampled_from(WEEKDAYS))}")
    return ";".join(parts)


@given(rule=rules(), start=some.dates(date(2000, 1, 1), date(2030, 1, 1)))
def test_a_rule_comes_when_the_library_says_where_the_library_is_right(rule: str, start: date) -> None:
    begin = datetime(start.year, start.month, start.day, 9, tzinfo=UTC)
    end = begin + timedelta(days=1500)
    ours = list(Rule.read(rule).between(begin, "UTC", begin, end))
    assume(ours)  # what never comes, the library would look for up to the year 9999
    assert ours == [
        each for each in library.rrulestr(f"{rule};UNTIL={end:%Y%m%dT%H%M%SZ}", dtstart=begin) if each < end
    ]


@given(rule=rules(), start=some.dates(date(2000, 1, 1), date(2030, 1, 1)), later=some.integers(0, 3000))
def test_looking_at_a_later_time_finds_what_following_from_the_beginning_finds(
    rule: str, start: date, later: int
) -> None:
    begin = datetime(start.year, start.month, start.day, 9, tzinfo=UTC)
    after = begin + timedelta(days=later)
    read, before = Rule.read(rule), after + timedelta(days=400)
    whole = [each for each in read.between(begin, "UTC", begin, before) if each >= after]
    assert list(read.between(begin, "UTC", after, before)) == whole
