"""Periods are half-open, fall apart into months and weeks without gap or overlap, and say what is wrong with them."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from httpx import ASGITransport, AsyncClient
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.asked_period import AskedPeriod, asked_period
from shared.period import BadPeriod, Period, Unit

# A fiscal year that begins in 2999 ends beyond the last day there is.
years = st.integers(1900, 2998)
first_months = st.integers(1, 12)
# A fiscal year that January 1900 belongs to began before the first day there is.
days = st.dates(date(1901, 1, 1), date(2999, 12, 31))
units: st.SearchStrategy[Unit] = st.sampled_from(["week", "month", "quarter", "year"])


class Plan(BaseModel):
    """Something for a period."""

    period: AskedPeriod


def assert_partition(whole: Period, pieces: list[Period]) -> None:
    assert [pieces[0].start, pieces[-1].end] == [whole.start, whole.end]
    assert all(left.end == right.start for left, right in pairwise(pieces))
    assert sum(piece.days for piece in pieces) == whole.days


@given(years, first_months)
def test_the_months_and_quarters_of_a_year_are_the_year(year: int, first_month: int) -> None:
    whole = Period.parse(f"{year}", first_month)
    assert (whole.start.year, whole.start.month, whole.days in (365, 366)) == (year, first_month, True)
    quarters = [Period.parse(f"{year}-Q{number}", first_month) for number in (1, 2, 3, 4)]
    assert_partition(whole, quarters)
    assert whole.split("quarter", first_month) == quarters
    assert [piece.label for piece in whole.split("quarter", first_month)] == [quarter.label for quarter in quarters]
    assert_partition(whole, whole.months())
    assert len(whole.months()) == 12
    assert all(Period.parse(month.label) == month for month in whole.months())


@given(days, first_months, units)
def test_every_day_lies_in_exactly_one_of_each_unit(day: date, first_month: int, unit: Unit) -> None:
    period = Period.of(unit, day, first_month)
    assert period.contains(day)
    assert period.contains(period.start)
    assert not period.contains(period.end)
    if period.label[:4] != "3000":
        assert Period.parse(period.label, first_month) == period
    assert Period.of(unit, period.end - timedelta(days=1), first_month) == period
    assert Period.of(unit, period.end, first_month) != period


@given(days)
def test_a_week_has_seven_days_from_monday(day: date) -> None:
    week = Period.of("week", day)
    assert (week.days, week.start.isoweekday()) == (7, 1)
    assert week.label == "{}-W{:02d}".format(*day.isocalendar()[:2])


@given(days, st.integers(1, 800), units, first_months)
def test_any_period_falls_apart_without_gap_or_overlap(start: date, length: int, unit: Unit, first_month: int) -> None:
    whole = Period.between(start, start + timedelta(days=length))
    pieces = whole.split(unit, first_month)
    assert_partition(whole, pieces)
    assert all(piece == Period.of(unit, piece.start, first_month) for piece in pieces[1:-1])


@given(days, st.integers(1, 800))
def test_what_is_written_reads_back_the_same(start: date, length: int) -> None:
    adapter = TypeAdapter(Period)
    period = Period.between(start, min(start + timedelta(days=length), date(3000, 1, 1)))
    read = adapter.validate_json(adapter.dump_json(period))
    assert (read, read.label) == (period, period.label)
    assert Period.parse(period.label) == period


@pytest.mark.parametrize(
    ("text", "first_month", "start", "end"),
    [
        ("2026", 1, "2026-01-01", "2027-01-01"), ("2026", 4, "2026-04-01", "2027-04-01"),
        ("2026-Q3", 1, "2026-07-01", "2026-10-01"), ("2026-Q4", 4, "2027-01-01", "2027-04-01"),
        ("2026-07", 4, "2026-07-01", "2026-08-01"), ("2024-02", 1, "2024-02-01", "2024-03-01"),
        ("2026-W31", 4, "2026-07-27", "2026-08-03"), ("2026-W53", 1, "2026-12-28", "2027-01-04"),
        ("2025-W01", 1, "2024-12-30", "2025-01-06"), ("2999-12", 1, "2999-12-01", "3000-01-01"),
        ("2026-07-15/2026-07-16", 4, "2026-07-15", "2026-07-16"),
    ],
)  # fmt: skip
def test_which_days_a_name_means(text: str, first_month: int, start: str, end: str) -> None:
    assert Period.parse(text, first_month).as_json() == {"label": text, "from": start, "to": end}


def test_a_period_cut_by_its_ends_shows_where() -> None:
    labels = [str(month) for month in Period.parse("2026-07-15/2026-09-10").months()]
    assert labels == ["2026-07-15/2026-08-01", "2026-08", "2026-09-01/2026-09-10"]


FORMS = "write a year (2026), a quarter (2026-Q3), a month (2026-07), a week (2026-W31)"
BAD = [
    ("2026-Q5", "There is no quarter Q5; quarters are Q1 to Q4."),
    ("2026-Q0", "There is no quarter Q0; quarters are Q1 to Q4."),
    ("2026-13", "There is no month 13; months are 01 to 12."),
    ("2026-00", "There is no month 00; months are 01 to 12."),
    ("2025-W53", "2025 has no week W53; its weeks are W01 to W52."),
    ("2026-W00", "2026 has no week W00; its weeks are W01 to W53."),
    ("1899", "1899 is out of range; years lie between 1900 and 2999."),
    ("2026-07-01/2026-07-01", "The period from 2026-07-01 to 2026-07-01 has no days"),
    ("2026-07-02/2026-07-01", "The period from 2026-07-02 to 2026-07-01 has no days"),
    ("2026-02-30/2026-03-01", "from: 2026-02-30 is not in the calendar."),
    ("2026-02-01/soon", 'to: A day is sent as "2026-07-31".'),
    ("2026-02-01/3000-01-02", "to: 3000-01-02 is out of range"),
    *((text, FORMS) for text in ("", "26", "July", "2026-7", "2026-q3", "2026-Q33", "20260701", " 2026", "2026\n")),
    ("\u0662\u0660\u0662\u0666", FORMS),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_what_is_said_of_a_name_that_is_no_period(text: str, message: str) -> None:
    with pytest.raises(BadPeriod) as fault:
        Period.parse(text)
    assert message in str(fault.value)
    with pytest.raises(ValidationError) as error:
        Plan.model_validate({"period": text})
    assert message in error.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    ("sent", "text"),
    [("2026-Q3", "2026-Q3"), ({"from": "2026-07-01", "to": "2026-08-01"}, "2026-07-01/2026-08-01")],
)
def test_a_body_names_a_period_or_its_days(sent: Any, text: str) -> None:
    plan = Plan.model_validate({"period": sent})
    assert plan.period == AskedPeriod(text)
    assert plan.model_dump(mode="json") == {"period": text}
    assert Plan.model_validate(plan.model_dump(mode="json")) == plan
    assert Draft202012Validator(TypeAdapter(AskedPeriod).json_schema()).is_valid(sent)


def test_the_fiscal_year_decides_late_which_days_were_asked_for() -> None:
    asked = Plan.model_validate({"period": "2026-Q1"}).period
    assert [asked.resolve(month).start for month in (1, 4)] == [date(2026, 1, 1), date(2026, 4, 1)]


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (2026, 'A period is sent as "2026-Q3" or as {"from": "2026-07-01", "to": "2026-08-01"}.'),
        ({}, 'A period is sent as "2026-Q3" or as'),
        ({"from": "2026-07-01", "to": "2026-08-01", "label": "x"}, 'A period is sent as "2026-Q3" or as'),
        ({"from": "2026-07-01"}, "to is missing; from alone does not make a period."),
        ({"from": 20260701, "to": "2026-08-01"}, "The days of a period are sent as strings"),
    ],
)
def test_what_is_said_of_a_body_that_names_no_period(sent: Any, message: str) -> None:
    with pytest.raises(ValidationError) as error:
        Plan.model_validate({"period": sent})
    assert message in error.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    "sent", ["2026", {"label": "x", "from": "2026-07-01"}, {"label": "x", "from": "2026-07-01", "to": "2026-07-01"}]
)
def test_a_resolved_period_needs_all_its_parts(sent: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Period).validate_python(sent)


@pytest.fixture
async def client() -> Any:
    app = FastAPI()

    @app.exception_handler(RequestValidationError)
    async def answer(request: Any, error: RequestValidationError) -> JSONResponse:
        return JSONResponse([[*each["loc"], each["msg"]] for each in error.errors()], 422)

    @app.get("/views")
    async def read(period: Annotated[AskedPeriod, Depends(asked_period)]) -> str:
        return period.text

    async with AsyncClient(transport=ASGITransport(app), base_url="http://concert") as made:
        yield made


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("period=2026-Q3", "2026-Q3"),
        ("from=2026-07-01&to=2026-08-01", "2026-07-01/2026-08-01"),
        ("", [["query", "period", "Say which period: period=2026-Q3, or from=2026-07-01&to=2026-08-01."]]),
        ("period=2026&to=2026-08-01", [["query", "period", "Give either period or from and to, not both."]]),
        ("to=2026-08-01", [["query", "from", "from is missing; to alone does not make a period."]]),
        ("from=1&to=2026-08-01", [["query", "from", 'from: A day is sent as "2026-07-31".']]),
        ("period=2026-13", [["query", "period", "There is no month 13; months are 01 to 12."]]),
    ],
)
async def test_a_query_names_a_period_or_its_days(client: AsyncClient, query: str, answer: Any) -> None:
    assert (await client.get(f"/views?{query}")).json() == answer
