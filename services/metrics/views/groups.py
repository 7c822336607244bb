"""What belongs to a group, which has no sums of its own: it is known by who was in it on which day.

What happened counts for the group that a deal's owner, or whoever a part of it was credited to, was in on that day.
What there is at a moment counts for the group its owner is in at that moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from services.metrics.facts.deals import DealFact
from services.metrics.facts.teams import MemberFact
from services.metrics.views.ledger import Entries, Entry, Ledger, Span, read_ledger
from shared.membership import Spell, end_of, on_day

if TYPE_CHECKING:
    from services.metrics.views.frame import Reading

_member = MemberFact.__table__.c  # type: ignore[attr-defined]
_deal = DealFact.__table__.c  # type: ignore[attr-defined]


async def spells_of(reading: Reading, group: str) -> Mapping[str, Sequence[Spell]]:
    """Who was ever in a group, and when."""

    async def read() -> dict[str, list[Spell]]:
        like = sa.type_coerce(_member.groups, sa.Text).like(f'%"{group}"%')
        rows = await reading.snapshot.rows(sa.select(_member.id, _member.groups).where(like).order_by(_member.id))
        return {member: [each for each in groups if each["of"] == group] for member, groups in rows}

    found: Mapping[str, Sequence[Spell]] = await reading.shared(f"who was in group {group}", read)
    return found


async def group_now(reading: Reading) -> list[str]:
    """Who is in the group of a question at the end of its period, or on the day of asking if that is earlier."""
    return await _there(reading, reading.filters["group"], reading.question.span.asked)


async def _there(reading: Reading, group: str, before: date) -> list[str]:
    day = before - timedelta(days=1)
    return [member for member, spells in (await spells_of(reading, group)).items() if on_day(spells, day)]


async def group_ledger(reading: Reading, group: str) -> Ledger:
    """The deals of a group: flows by who was in it on the day, stocks by who is in it at the moment."""
    span, ledger = reading.question.span, Ledger({}, {}, {})
    for member, spells in (await spells_of(reading, group)).items():
        for each in spells:
            start, end = max(span.start, date.fromisoformat(each["from"])), min(span.end, end_of(each) or span.end)
            if start < end:
                stay = await read_ledger(reading.snapshot, "member", Span(start, end, end), member)
                _join(ledger.inside, stay.inside, group)
    there_before = await _there(reading, group, span.start)
    there_now = await _there(reading, group, span.asked)
    for member in sorted({*there_before, *there_now}):
        whole = await read_ledger(reading.snapshot, "member", span, member)
        if member in there_before:
            _join(ledger.before, whole.before, group)
        if member in there_now:
            _join(ledger.until, whole.until, group)
    return ledger


def _join(into: Entries, entries: Entries, group: str) -> None:
    for (_, measure), entry in entries.items():
        into.setdefault((group, measure), Entry()).join(entry)


async def owned_by_group(reading: Reading, group: str) -> sa.ColumnElement[bool]:
    """The condition that a deal's owner was in a group on the day it was closed, or is in it while it is open."""
    last = reading.question.span.asked - timedelta(days=1)
    decided = sa.func.coalesce(_deal.closed_on, last)
    stays = [
        sa.and_(
            _deal.owner == member, decided >= date.fromisoformat(each["from"]), decided < (end_of(each) or date.max)
        )
        for member, spells in (await spells_of(reading, group)).items()
        for each in spells
    ]
    return sa.or_(sa.false(), *stays)
