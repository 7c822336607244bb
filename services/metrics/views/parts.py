"""How a row counts in its figure: what a fact adds to it, told from what that fact alone adds to the sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from services.metrics.sums import ALL
from services.metrics.views.frame import Reading
from services.metrics.views.ledger import Entry, Ledger, entry_of
from services.metrics.views.row_source import Counted
from services.metrics.views.sources import SOURCES, Source
from services.metrics.views.values import Amounts, shown_money

FED_BY: Final[Mapping[Any, Source]] = {source.model: source for source in SOURCES}
"""By the model of facts, which measures they feed."""


def part(value: Any) -> dict[str, Any]:
    """What a row adds to the figure."""
    return {"part": value}


def of_share(above: Any, below: Any) -> dict[str, Any]:
    """What a row adds to a share or a mean: above the line and below it."""
    return part({"numerator": above, "denominator": below})


def in_money(reading: Reading, amounts: Amounts) -> dict[str, Any]:
    """Money as the question wants it shown."""
    return shown_money(amounts, reading.question.currency)


def inside(ledger: Ledger, measure: str) -> Entry:
    """What happened in the period."""
    return entry_of(ledger.inside, measure, [ALL])


def until(ledger: Ledger, measure: str) -> Entry:
    """What has happened by the end."""
    return entry_of(ledger.until, measure, [ALL])


async def ledger_of(reading: Reading, *facts: Any) -> Ledger:
    """What some facts add to the sums of what is asked about."""
    return await reading.ledger_of([(FED_BY[type(fact)], [fact]) for fact in facts])


def counted(tell: Callable[[Reading, Ledger], Mapping[str, Any]]) -> Counted:
    """How each fact counts, as its own ledger tells."""

    async def count(reading: Reading, facts: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
        return [tell(reading, await ledger_of(reading, fact)) for fact in facts]

    return count


def amount(measure: str, sign: int = 1) -> Counted:
    """The money of a measure that a fact adds in the period, or takes away from a figure."""

    def tell(reading: Reading, ledger: Ledger) -> dict[str, Any]:
        found = inside(ledger, measure).amount
        return part(in_money(reading, found if sign > 0 else -found))

    return counted(tell)


def held(measure: str) -> Counted:
    """The money of a measure that a fact holds at the end."""
    return counted(lambda reading, ledger: part(in_money(reading, until(ledger, measure).amount)))


def above(counts: Counted) -> Counted:
    """What a row adds above the line of a share."""

    async def count(reading: Reading, facts: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
        found = await counts(reading, facts)
        return [{**each, "part": {"numerator": each["part"]}} for each in found]

    return count
