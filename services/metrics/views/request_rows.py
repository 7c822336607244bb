"""What the figures about requests are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from services.metrics.facts.requests import RequestFact
from services.metrics.views.frame import Reading
from services.metrics.views.row_source import Conditions, Source, simple
from services.metrics.views.sources import SOURCES

_request = RequestFact.__table__.c  # type: ignore[attr-defined]
_FED_BY = next(source for source in SOURCES if source.model is RequestFact)
Days = Callable[[list[dict[str, Any]], list[str]], list[str]]


async def _of(reading: Reading, *conditions: sa.ColumnElement[bool]) -> list[sa.ColumnElement[bool]]:
    return [*conditions, *await reading.passing(_FED_BY, reading.filters)]


def _asked(*also: sa.ColumnElement[bool]) -> Conditions:
    """Requests made in the period."""

    async def conditions(reading: Reading) -> list[sa.ColumnElement[bool]]:
        span = reading.question.span
        return await _of(reading, _request.asked_on >= span.start, _request.asked_on < span.end, *also)

    return conditions


def _happened(days: Days) -> Conditions:
    """Requests to which something happened in the period: on any of these days of theirs."""

    async def conditions(reading: Reading) -> list[sa.ColumnElement[bool]]:
        span = reading.question.span
        # Nothing happens to a request after its last resolution but that it is reopened.
        late = sa.or_(
            _request.last_resolved_on >= span.start,
            sa.and_(_request.last_resolved_on.is_not(None), _request.resolved_on.is_(None)),
        )
        near = await _of(reading, _request.asked_on < span.end, late)
        found = await reading.snapshot.rows(
            sa.select(_request.id, _request.resolutions, _request.reopenings).where(*near)
        )
        first, end = span.start.isoformat(), span.end.isoformat()
        return [_request.id.in_([key for key, *told in found if any(first <= day < end for day in days(*told))])]

    return conditions


async def _open(reading: Reading) -> list[sa.ColumnElement[bool]]:
    asked = reading.question.span.asked
    # What is resolved for good by then cannot have been open; the rest is judged day by day.
    still = sa.or_(_request.resolved_on.is_(None), _request.resolved_on >= asked)
    near = await _of(reading, _request.asked_on < asked, still)
    found = await reading.snapshot.rows(sa.select(_request.id, _request.resolutions, _request.reopenings).where(*near))
    return [_request.id.in_([key for key, *told in found if _open_before(asked, *told)])]


def _open_before(day: date, resolutions: list[dict[str, Any]], reopenings: list[str]) -> bool:
    text = day.isoformat()
    opened = 1 + sum(each < text for each in reopenings)
    return opened > sum(str(each["on"]) < text for each in resolutions)


def _resolved(resolutions: list[dict[str, Any]], reopenings: list[str]) -> list[str]:
    return [each["on"] for each in resolutions]


def _promised(resolutions: list[dict[str, Any]], reopenings: list[str]) -> list[str]:
    return [each["on"] for each in resolutions if each["on_time"] is not None]


def _reopened(resolutions: list[dict[str, Any]], reopenings: list[str]) -> list[str]:
    return reopenings


_show = simple("request", "asks_for", "asked_on", "from_department", "to_department", "promised_by", "resolutions",
               "reopenings", "resolved_on")  # fmt: skip
_SALES_TO_IT = (_request.from_department == "sales", _request.to_department == "it")

REQUEST_ROWS: Mapping[str, Source] = {
    "requests": Source(RequestFact, _asked(), _show),
    "requests_sales_to_it": Source(RequestFact, _asked(*_SALES_TO_IT), _show),
    "requests_open": Source(RequestFact, _open, _show),
    "requests_resolved": Source(RequestFact, _happened(_resolved), _show),
    "requests_promised": Source(RequestFact, _happened(_promised), _show),
    "requests_reopened": Source(RequestFact, _happened(_reopened), _show),
}
