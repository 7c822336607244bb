"""What an organisation's own metrics count that are based on what is known anyway: deals by another day, money asked
for, and money that came in."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction

import sqlalchemy as sa

from services.targets.api.achieved.asked import Achieved, Asked, Scope, days_of
from services.targets.api.achieved.money import ByDay, in_currency, rates_for
from services.targets.api.achieved.whose import Whose
from services.targets.domain.deals import Deal
from services.targets.domain.invoices import Invoice, Receipt
from services.targets.domain.parts import Parts
from shared.measured import computed_from
from shared.money import Money
from shared.store import Snapshot

_deal, _invoice = Deal.__table__.c, Invoice.__table__.c  # type: ignore[attr-defined]
_receipt = Receipt.__table__.c  # type: ignore[attr-defined]


async def based_on_facts(snapshot: Snapshot, asked: Sequence[Asked], whose: Whose) -> list[Achieved]:
    """What was achieved of a metric by the facts that its basis names."""
    basis = computed_from(asked[0].metric)
    if basis in ("deals_opened", "deals_lost"):
        return await _deals(snapshot, asked, whose, opened=basis == "deals_opened")
    return await (_invoiced if basis == "invoiced" else _received)(snapshot, asked, whose)


async def _deals(snapshot: Snapshot, asked: Sequence[Asked], whose: Whose, *, opened: bool) -> list[Achieved]:
    """Deals by the day they were opened, each for whoever had it then, or lost."""
    start, end = days_of(asked)
    day = _deal.opened_on if opened else _deal.closed_on
    chosen = [day >= start, day < end] if opened else [_deal.status == "lost", day >= start, day < end]
    counts: dict[Scope, Counter[date]] = defaultdict(Counter)
    for team, owner, owners, on in await snapshot.rows(
        sa.select(_deal.team, _deal.owner, _deal.owners, day).where(*chosen)
    ):
        held = owners[0][1] if opened and owners else owner
        for scope in whose.of(team, held, on):
            counts[scope][on] += 1
    return [
        Achieved(Fraction(sum(count for on, count in counts[each.scope].items() if each.covers(on)))) for each in asked
    ]


class _Sums:
    """Money by whom it counts for, currency and day."""

    def __init__(self, whose: Whose) -> None:
        self.whose = whose
        self.by_scope: dict[Scope, ByDay] = defaultdict(dict)

    def add(self, team: str | None, on: date, amount: Money, members: Mapping[str, Money], sign: int = 1) -> None:
        """So much more, for a team and for the members who share it."""
        self._book(self.whose.of_team(team), on, amount, sign)
        for member, part in members.items() if self.whose.by_member else ():
            self._book(self.whose.of_member(member, on), on, part, sign)

    def _book(self, scopes: Sequence[Scope], on: date, amount: Money, sign: int) -> None:
        for scope in scopes:
            place = (amount.currency, on)
            self.by_scope[scope][place] = self.by_scope[scope].get(place, 0) + sign * amount.minor

    async def told(self, snapshot: Snapshot, asked: Sequence[Asked]) -> list[Achieved]:
        """What counts for each, in its currency."""
        found = [
            {place: minor for place, minor in self.by_scope[each.scope].items() if each.covers(place[1])}
            for each in asked
        ]
        pairs = {(each.currency, code) for each, days in zip(asked, found, strict=True) for code, _ in days}
        rates = await rates_for(snapshot, pairs)
        return [in_currency(each, days, rates) for each, days in zip(asked, found, strict=True)]


async def _invoiced(snapshot: Snapshot, asked: Sequence[Asked], whose: Whose) -> list[Achieved]:
    """Net amounts of invoices by the day they were issued, voided ones left out."""
    start, end, sums = *days_of(asked), _Sums(whose)
    chosen = sa.select(Invoice).where(_invoice.on >= start, _invoice.on < end, _invoice.status != "void")
    for each in await snapshot.all(Invoice, chosen):
        sums.add(each.team, each.on, each.amount, Parts.kept(each.parts).members)
    return await sums.told(snapshot, asked)


async def _received(snapshot: Snapshot, asked: Sequence[Asked], whose: Whose) -> list[Achieved]:
    """Money by the day it came in, and what went back of it by the day it did."""
    start, end, sums = *days_of(asked), _Sums(whose)
    near = sa.or_(
        sa.and_(_receipt.on >= start, _receipt.on < end),
        sa.and_(_receipt.reversed_on >= start, _receipt.reversed_on < end),
    )
    for each in await snapshot.all(Receipt, sa.select(Receipt).where(near)):
        invoice = await snapshot.get(Invoice, each.invoice)
        beyond = Parts.kept(invoice.parts).dealt(each.amount - each.applied)
        members = (Parts.kept(each.settled) + beyond).members
        sums.add(invoice.team, each.on, each.amount, members)
        if each.reversed_on is not None:
            sums.add(invoice.team, each.reversed_on, each.amount, members, sign=-1)
    return await sums.told(snapshot, asked)
