"""Column types that mean the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from pydantic_core import from_json, to_json

from shared.money import Money


class Json(sa.types.TypeDecorator[Any]):
    """A value kept as JSON text, written compactly and with sorted keys so that equal values are equal bytes."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        if value is None:
            return None
        if not value:
            return "[]" if isinstance(value, list) else "{}"
        return to_json(_sorted(value), fallback=_plain).decode()

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        return None if value is None else from_json(value)


def _plain(value: Any) -> Any:
    return value.as_json() if hasattr(value, "as_json") else str(value)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    if isinstance(value, list | tuple):
        return [_sorted(each) for each in value]
    return value


class MoneyText(sa.types.TypeDecorator[Money]):
    """An exact amount with its currency, kept as `1234.50 EUR`."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Money | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Money | None:
        if value is None:
            return None
        amount, _, currency = value.partition(" ")
        return Money(amount, currency)


class Moment(sa.types.TypeDecorator[datetime]):
    """An instant, kept in UTC as RFC 3339 text with microseconds, so that text order is time order."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else text_of(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


@lru_cache(64)
def text_of(moment: datetime) -> str:
    """An instant as it is stored and sent: UTC, microseconds, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def moment_of(text: str) -> datetime:
    """The instant that a stored text stands for."""
    return datetime.fromisoformat(text)
