"""Moments are aware and in UTC, days are in the calendar, and there is one clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from sqlmodel import Field, Session, SQLModel, create_engine, select

from shared.instant import Day, Instant, Zone, day_of, now, start_of, zone_named

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "America/Havana", "Asia/Kolkata", "Pacific/Auckland"]
FIRST, LAST = datetime(1901, 1, 1), datetime(2999, 1, 1)  # noqa: DTZ001
ROOT = Path(__file__).parents[2]


class Appointment(BaseModel):
    """Something that happens somewhere at some time."""

    at: Instant | None = None
    on: Day | None = None
    zone: Zone | None = None


class Sighting(SQLModel, table=True):
    """A row with a moment that must be there and one that may."""

    id: int | None = Field(default=None, primary_key=True)
    at: Instant
    ended_at: Instant | None = None
    on: Day


def fault(**body: Any) -> str:
    with pytest.raises(ValidationError) as error:
        Appointment.model_validate(body)
    (found,) = error.value.errors()
    return str(found["msg"])


@given(st.datetimes(FIRST, LAST, timezones=st.timezones()))
def test_a_moment_keeps_its_place_in_time_and_is_shown_in_utc(moment: datetime) -> None:
    # Compared in UTC: Python calls no two moments of different zones equal in the hour that comes twice.
    appointment = Appointment(at=moment)
    assert appointment.at is not None
    assert (appointment.at, appointment.at.tzinfo) == (moment.astimezone(UTC), UTC)
    assert Appointment.model_validate_json(appointment.model_dump_json()) == appointment


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-07-31T09:00:00Z", "2026-07-31T09:00:00Z"), ("2026-07-31t09:00:00z", "2026-07-31T09:00:00Z"),
        ("2026-07-31T11:00:00+02:00", "2026-07-31T09:00:00Z"), ("2026-07-31 09:00Z", "2026-07-31T09:00:00Z"),
        ("2026-07-31T09:00:00.123456789Z", "2026-07-31T09:00:00.123456Z"),
    ],
)  # fmt: skip
def test_how_moments_may_be_written(text: str, shown: str) -> None:
    assert Appointment.model_validate_json(f'{{"at": "{text}"}}', strict=True).model_dump(mode="json")["at"] == shown


@pytest.mark.parametrize(
    ("moment", "message"),
    [
        ("2026-07-31T09:00:00", 'T09:00:00 has no time zone; add "Z" for UTC or an offset such as "+02:00".'),
        ("2026-07-31", 'An instant is sent as "2026-07-31T09:00:00Z": a date, a time and a time zone.'),
        (1785488400, 'An instant is sent as "2026-07-31T09:00:00Z"'),
        ("1785488400", 'An instant is sent as "2026-07-31T09:00:00Z"'),
        ("2026-02-30T09:00:00Z", "2026-02-30T09:00:00Z is not a moment in the calendar."),
        ("2026-07-31T25:00:00Z", "2026-07-31T25:00:00Z is not a moment in the calendar."),
        ("0001-01-01T00:00:00+14:00", "1 is out of range; instants lie between 1900 and 2999."),
        ("9999-12-31T23:59:59-14:00", "9999 is out of range; instants lie between 1900 and 2999."),
        (datetime(2026, 7, 31), "has no time zone"),  # noqa: DTZ001
        (date(2026, 7, 31), "An instant is sent as"),
        ("20260731T090000Z", "An instant is sent as"),
        ("2026-W31-5T09:00:00Z", "An instant is sent as"),
    ],
)
def test_what_is_said_of_a_wrong_moment(moment: Any, message: str) -> None:
    assert message in fault(at=moment)


@pytest.mark.parametrize(
    ("day", "message"),
    [
        ("2026-02-30", "2026-02-30 is not in the calendar."),
        ("2026-7-1", 'A day is sent as "2026-07-31".'),
        (20260731, 'A day is sent as "2026-07-31".'),
        ("2026-07-31T00:00:00", 'A day is sent as "2026-07-31".'),
        (datetime(2026, 7, 31, tzinfo=UTC), 'A day is sent as "2026-07-31".'),
        ("1899-12-31", "1899-12-31 is out of range; days lie between 1900-01-01 and 2999-12-31."),
        ("3000-01-01", "3000-01-01 is out of range; days lie between 1900-01-01 and 2999-12-31."),
    ],
)
def test_what_is_said_of_a_wrong_day(day: Any, message: str) -> None:
    assert fault(on=day) == message


@pytest.mark.parametrize("day", ["1900-01-01", "2999-12-31", "2024-02-29"])
def test_days_within_the_bounds_are_days(day: str) -> None:
    assert Appointment.model_validate_json(f'{{"on": "{day}"}}', strict=True).on == date.fromisoformat(day)


@pytest.mark.parametrize("zone", ["Mars/Base", "EST", "localtime", "Europe", "Europe/", "../../etc/passwd", "a/\0", ""])
def test_unknown_time_zones_are_refused(zone: str) -> None:
    assert fault(zone=zone) == f'{zone!r} is not a time zone; write a name such as "Europe/Berlin" or "UTC".'


@given(st.dates(date(1990, 1, 1), date(2037, 12, 31)), st.sampled_from(ZONES))
def test_a_day_begins_when_the_day_before_ends(day: date, zone: str) -> None:
    begins = start_of(day, zone)
    assert day_of(begins, zone) == day
    assert day_of(begins - timedelta(microseconds=1), zone) == day - timedelta(days=1)


def test_the_day_depends_on_where_one_is() -> None:
    late = datetime(2026, 7, 31, 23, 30, tzinfo=UTC)
    assert day_of(late, "America/New_York") == date(2026, 7, 31)
    assert day_of(late, zone_named("Europe/Berlin")) == date(2026, 8, 1)


def test_a_table_gives_back_the_moments_it_was_given() -> None:
    engine = create_engine("sqlite://")
    SQLModel.metadata.create_all(engine, tables=[Sighting.__table__])  # type: ignore[attr-defined]
    moment = datetime(2026, 7, 31, 9, tzinfo=zone_named("Asia/Kolkata"))
    with Session(engine) as session:
        session.add(Sighting(at=moment, ended_at=moment + timedelta(hours=1), on=date(2026, 7, 31)))
        session.commit()
    with Session(engine) as session:
        seen = session.exec(select(Sighting)).one()
        assert (seen.at, seen.ended_at) == (moment, moment + timedelta(hours=1))
        assert seen.at.tzinfo is not None
        session.add(Sighting(at=datetime(2026, 7, 31), on=date(2026, 7, 31)))  # noqa: DTZ001
        with pytest.raises(Exception, match="must have timezone information"):
            session.commit()
    engine.dispose()


def test_the_clock_is_in_utc_and_moves() -> None:
    first = now()
    assert first.tzinfo is UTC
    assert first <= now()


def test_nothing_else_asks_a_clock_for_the_present_moment() -> None:
    asking = ("datetime.now(", "datetime.utcnow(", "date.today(", "time.time()", "datetime.today(")
    files = [file for folder in ("shared", "services", "concert") for file in (ROOT / folder).rglob("*.py")]
    guilty = [file.relative_to(ROOT).as_posix() for file in files if any(word in file.read_text() for word in asking)]
    assert guilty == ["shared/instant.py"]
