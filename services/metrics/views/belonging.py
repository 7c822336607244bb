"""Who counts for a member or a group on which day, and which facts can concern them.

What happened counts for a group while those it happened to belonged to it; what there is at a moment, for the group
its owners belong to by then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from services.metrics.facts.deal_cells import Belongs
from services.metrics.facts.teams import MemberFact
from services.metrics.views.ledger import Ledger, Settling, Span, joined, read_entries
from shared.membership import Spell, covers, end_of
from shared.store import Snapshot

_member = MemberFact.__table__.c  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Circle:
    """Some members, each with the spells in which they count; without spells they always do."""

    members: Mapping[str, Sequence[Spell]]
    always: bool = False

    def on_day(self, member: str, day: date) -> bool:
        """Whether a member counts on a day."""
        return member in self.members and (self.always or any(covers(each, day) for each in self.members[member]))

    def at(self, end: date) -> Belongs:
        """Who counts at the end of the day before `end`, for whatever happened to them until then."""
        last = end - timedelta(days=1)
        there = {member for member in self.members if self.on_day(member, last)}
        return lambda member, day: member in there

    def during(self, column: Any) -> Iterator[tuple[str, sa.ColumnElement[bool]]]:
        """Each member with the condition that a day lies in one of their spells."""
        for member, spells in self.members.items():
            yield member, sa.or_(sa.true() if self.always else sa.false(), *(_within(column, each) for each in spells))

    def there(self, end: date) -> Iterator[tuple[str, sa.ColumnElement[bool]]]:
        """Each member who counts at the end of the day before `end`."""
        return ((member, sa.true()) for member in self.members if self.at(end)(member, end))


def _within(column: Any, each: Spell) -> sa.ColumnElement[bool]:
    end = end_of(each)
    begun: sa.ColumnElement[bool] = column >= date.fromisoformat(each["from"])
    return begun if end is None else sa.and_(begun, column < end)


async def circle_of(snapshot: Snapshot, dim: str, key: str) -> Circle:
    """A member alone, or those who ever belonged to a group."""
    if dim == "member":
        return Circle({key: ()}, always=True)
    # Ids hold no character that means something to LIKE but the underscore, and the spells are looked at anyway.
    like = sa.type_coerce(_member.groups, sa.Text).like(f'%"{key}"%')
    found = await snapshot.rows(sa.select(_member.id, _member.groups).where(like).order_by(_member.id))
    return Circle({member: [each for each in spells if each["of"] == key] for member, spells in found})


async def ledger_of_group(snapshot: Snapshot, group: str, span: Span, settling: Settling | None = None) -> Ledger:
    """What the sums of its members say of a group."""
    circle = await circle_of(snapshot, "group", group)
    ledger = Ledger({}, {}, {})
    for member, spells in sorted(circle.members.items()):
        for each in spells:
            start = max(date.fromisoformat(each["from"]), span.start)
            end = min(end_of(each) or span.end, span.end)
            if start < end:
                joined(ledger.inside, await read_entries(snapshot, "member", member, start, end, settling), group)
        for entries, until in ((ledger.before, span.start), (ledger.until, span.asked)):
            if circle.at(until)(member, until):
                last = until - timedelta(days=1)
                whole = await read_entries(snapshot, "member", member, date.min, until, settling, last)
                joined(entries, whole, group)
    return ledger
