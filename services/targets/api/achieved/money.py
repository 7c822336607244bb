"""Revenue and margin of won deals, by day and currency: of a member and a group what is credited to them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

import sqlalchemy as sa

from services.targets.api.achieved.asked import Achieved, Asked, Scope, days_of
from services.targets.api.achieved.whose import Whose
from services.targets.api.rates import all_rates
from services.targets.domain.agreements import Agreed, agreements
from services.targets.domain.deals import Deal
from services.targets.domain.targets import Target
from shared.money import Money
from shared.rates import MissingRate, Rates, fraction_of, in_minor
from shared.store import Snapshot

_deal = Deal.__table__.c  # type: ignore[attr-defined]
_WON = (_deal.team, _deal.closed_on, _deal.value, _deal.cost, _deal.credits, _deal.amendments)
ByDay = dict[tuple[str, date], int]
"""Minor units by currency and day."""


@dataclass(slots=True)
class Booked:
    """What was earned for whom on which day, and of how many parts the cost is not known."""

    margin: bool
    amounts: dict[Scope, ByDay] = field(default_factory=lambda: defaultdict(dict))
    uncosted: dict[Scope, Counter[date]] = field(default_factory=lambda: defaultdict(Counter))

    def book(self, scopes: Sequence[Scope], day: date, sign: int, amount: Money, cost: Money | None) -> None:
        """A part of a deal, or what an amendment took from it."""
        for scope in scopes:
            if self.margin and cost is None:
                self.uncosted[scope][day] += sign > 0
                continue
            earned = amount - cost if self.margin and cost is not None else amount
            self.add(scope, earned.currency, day, sign * earned.minor)

    def add(self, scope: Scope, currency: str, day: date, minor: int) -> None:
        """So much more."""
        by_day, place = self.amounts[scope], (currency, day)
        by_day[place] = by_day.get(place, 0) + minor

    def of(self, each: Asked) -> tuple[ByDay, int]:
        """What counts for a target, and how many parts of it have no cost."""
        days, uncosted = self.amounts.get(each.scope, {}), self.uncosted.get(each.scope, Counter())
        counted = {place: minor for place, minor in days.items() if each.covers(place[1])}
        return counted, sum(count for day, count in uncosted.items() if each.covers(day))


async def earned(snapshot: Snapshot, asked: Sequence[Asked], whose: Whose) -> list[Achieved]:
    """What was earned for each. What an amendment changed counts on its day."""
    booked = Booked(asked[0].metric.id == "margin")
    start, end = days_of(asked)
    summed = whose.by_team and not booked.margin
    if summed:
        await _book_sums(snapshot, booked, whose, start, end)
    won = [_deal.status == "won", sa.or_(_deal.closed_on >= start, _deal.amended_on >= start), _deal.closed_on < end]
    if summed and not whose.by_member:
        won += [_deal.amended_on.is_not(None), *whose.of_teams]
    else:
        won += whose.credited()
    for team, closed_on, *agreed_on, amendments in await snapshot.rows(sa.select(*_WON).where(*won)):
        amended = bool(amendments)
        for day, sign, agreed in agreements(closed_on, Agreed(*agreed_on), amendments):
            if not summed or amended:
                booked.book(whose.of_team(team), day, sign, agreed.value, agreed.cost)
            if whose.by_member:
                _book_credits(booked, whose, day, sign, agreed)
    parts = [booked.of(each) for each in asked]
    pairs = {(each.currency, code) for each, (days, _) in zip(asked, parts, strict=True) for code, _ in days}
    rates = await rates_for(snapshot, pairs)
    return [_told(each, days, uncosted, rates) for each, (days, uncosted) in zip(asked, parts, strict=True)]


async def _book_sums(snapshot: Snapshot, booked: Booked, whose: Whose, start: date, end: date) -> None:
    """What the deals brought that were never amended: these are added up where they lie."""
    team = _deal.team if whose.split else sa.literal_column("''")
    total = sa.cast(sa.func.sum(_deal.total), sa.BigInteger)
    place = [*([_deal.team] if whose.split else []), _deal.closed_on, _deal.total_currency]
    select = sa.select(team, _deal.closed_on, _deal.total_currency, total).where(
        _deal.status == "won", _deal.amended_on.is_(None), _deal.closed_on >= start, _deal.closed_on < end,
        *whose.of_teams,
    )  # fmt: skip
    for which, day, currency, minor in await snapshot.rows(select.group_by(*place)):
        for scope in whose.of_team(which):
            booked.add(scope, currency, day, int(minor))


def _book_credits(booked: Booked, whose: Whose, day: date, sign: int, agreed: Agreed) -> None:
    """The parts of a deal that are credited to those who count, each with its part of the cost."""
    costs: Sequence[Money | None] = [None] * len(agreed.credits)
    if booked.margin and agreed.cost is not None:
        costs = agreed.cost.split([Decimal(credit["share"]) for credit in agreed.credits])
    for credit, cost in zip(agreed.credits, costs, strict=True):
        scopes = whose.of_member(credit["member"], day)
        if scopes:
            booked.book(scopes, day, sign, Money(**credit["amount"]), cost)


def _told(each: Asked, by_day: ByDay, uncosted: int, rates: Rates) -> Achieved:
    found = in_currency(each, by_day, rates)
    if uncosted:
        return Achieved(None, None, [*found.notes, f"the cost of {uncosted} deals is not known"])
    return found


async def rates_for(snapshot: Snapshot, pairs: Collection[tuple[str, str]]) -> Rates:
    """The rates that are known, read where any of these pairs needs one."""
    return await all_rates(snapshot) if any(one != other for one, other in pairs) else Rates(())


def in_currency(each: Asked, by_day: ByDay, rates: Rates) -> Achieved:
    """What was achieved in the currency of the question, other ones at the rate of their day, and at that of the plan;
    rounded once to what there are coins for, as the views do.

    What has no rate is named, and not counted; where another currency than the target's is asked for, it is refused.
    """
    currency, unknown = each.currency, dict[str, int]()
    own = sum(minor for (code, _), minor in by_day.items() if code == currency)
    found = Achieved(Fraction(own), planned_in(each, by_day))
    for (code, day), minor in sorted(by_day.items()):
        if code == currency:
            continue
        rate = rates.of(code, currency, day)
        if rate is not None:
            found.amount = (found.amount or Fraction(0)) + in_minor(minor, code, currency, rate)
        elif each.into is not None:
            raise MissingRate(base=code, quote=currency, day=day)
        else:
            unknown[code] = unknown.get(code, 0) + minor
    found.amount = Fraction(round(found.amount or 0))
    for code, minor in unknown.items():
        amount = Money.of_minor(minor, code)
        found.notes.append(f"{amount} is not counted: the target is in {currency}, and no rate is known for its days")
    return found


def planned_in(each: Asked, by_day: ByDay) -> Fraction | None:
    """What was achieved at the rates that were kept with the plan; none where it keeps none of a currency."""
    target, plan = each.target, at_plan(each.target)
    if target.approved_on is None or not {each.currency, *(code for code, _ in by_day)} <= plan.keys():
        return None
    return sum(
        (
            Fraction(minor) if code == each.currency
            else in_minor(minor, code, each.currency, plan[code] / plan[each.currency])
            for (code, _), minor in by_day.items()
        ),
        Fraction(0),
    )  # fmt: skip


def at_plan(target: Target) -> dict[str, Fraction]:
    """What a unit of each currency is worth in the target's own by its plan."""
    own = {target.money.currency: Fraction(1)} if target.money is not None else {}
    return {code: fraction_of(rate) for code, rate in target.plan_rates.items()} | own
