"""Deals, customers and content answers that were won, counted once each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from services.targets.api.achieved.asked import Achieved, Asked, Scope, days_of
from services.targets.api.achieved.whose import Whose
from services.targets.domain.deals import Deal
from services.targets.domain.feedback import CONTENT, Feedback
from shared.store import Snapshot

_deal = Deal.__table__.c  # type: ignore[attr-defined]
_feedback = Feedback.__table__.c  # type: ignore[attr-defined]
_PLACE = (_deal.team, _deal.owner, _deal.closed_on)


async def deals_won(snapshot: Snapshot, asked: Sequence[Asked], whose: Whose) -> list[Achieved]:
    """Won deals, each for its team and its owner."""
    start, end = days_of(asked)
    won = [_deal.status == "won", _deal.closed_on >= start, _deal.closed_on < end, *whose.owned()]
    return _counted(asked, whose, await snapshot.rows(_how_many(*_PLACE).where(*won)))


async def customers_won(snapshot: Snapshot, asked: Sequence[Asked], whose: Whose) -> list[Achieved]:
    """Customers whose first won deal lies in the days asked about, for the team and the owner of that deal."""
    start, end = days_of(asked)
    rank = sa.func.row_number().over(partition_by=_deal.customer, order_by=(_deal.closed_on, _deal.id)).label("rank")
    ranked = (
        sa.select(_deal.id, rank)
        .where(_deal.status == "won", _deal.customer.is_not(None), _deal.closed_on < end)
        .subquery()
    )
    first = [ranked.c.rank == 1, _deal.closed_on >= start, *whose.owned()]
    select = _how_many(*_PLACE).join(ranked, ranked.c.id == _deal.id).where(*first)
    return _counted(asked, whose, await snapshot.rows(select))


async def satisfaction(snapshot: Snapshot, asked: Sequence[Asked], whose: Whose) -> list[Achieved]:
    """The share of the answers that were content; not known of no answers."""
    start, end = days_of(asked)
    select = _how_many(_feedback.team, _feedback.member, _feedback.on, _feedback.score).where(
        _feedback.withdrawn_on.is_(None), _feedback.on >= start, _feedback.on < end
    )
    given = await snapshot.rows(select)
    answered = _by_scope(whose, ((*place, count) for *place, _, count in given))
    content = _by_scope(whose, ((*place, count) for *place, score, count in given if score >= CONTENT))
    found = []
    for each in asked:
        answers, pleased = (_within(each, counts[each.scope]) for counts in (answered, content))
        unknown = Achieved(None, None, ["no customer has answered"])
        found.append(Achieved(Fraction(pleased, answers)) if answers else unknown)
    return found


def _how_many(*columns: Any) -> sa.Select[Any]:
    return sa.select(*columns, sa.func.count()).group_by(*columns)


def _counted(asked: Sequence[Asked], whose: Whose, records: Iterable[Sequence[Any]]) -> list[Achieved]:
    counts = _by_scope(whose, records)
    return [Achieved(Fraction(_within(each, counts[each.scope]))) for each in asked]


def _by_scope(whose: Whose, records: Iterable[Sequence[Any]]) -> dict[Scope, Counter[date]]:
    """How often something happened on which day for whom: records of team, member, day and count."""
    found: dict[Scope, Counter[date]] = defaultdict(Counter)
    for team, member, day, count in records:
        for scope in whose.of(team, member, day):
            found[scope][day] += count
    return found


def _within(each: Asked, counts: Counter[date]) -> int:
    return sum(count for day, count in counts.items() if each.covers(day))
