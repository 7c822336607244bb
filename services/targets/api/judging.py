"""How a target stands at the end of a day: what was achieved against what is aimed at, and what may be expected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from services.targets.api.achieved import Achieved, Asked, achieved_by_each
from services.targets.domain.aims import Value
from services.targets.domain.metrics import Metric
from services.targets.domain.targets import Target
from shared.attainment import Attainment, Row, due_before, exchanged
from shared.instant import day_of, now
from shared.known import KnownAbsence, KnownMember, house, today
from shared.money import Money, plain, rounded
from shared.opportunity import Adjusted, Quota, expected_of
from shared.rates import Rates, as_money
from shared.store import Snapshot, Tx
from shared.store.sql import OneOf

_target = Target.__table__.c  # type: ignore[attr-defined]
_member = KnownMember.__table__.c  # type: ignore[attr-defined]
_absence = KnownAbsence.__table__.c  # type: ignore[attr-defined]
_PEOPLE = sa.select(KnownMember).where(OneOf(_member.id, "members"))
_AWAY = sa.select(KnownAbsence).where(OneOf(_absence.member, "members"))
_OF_MEMBERS = (
    sa.select(Target)
    .where(
        _target.metric == sa.bindparam("metric"),
        _target.level == "member",
        _target.starts_on < sa.bindparam("end", type_=sa.Date()),
        _target.ends_on > sa.bindparam("start", type_=sa.Date()),
        sa.or_(_target.closed_on.is_(None), _target.closed_on > _target.starts_on),
    )
    .order_by(_target.closed_on.is_not(None), _target.closed_on.desc(), _target.id)
)


@dataclass(frozen=True, slots=True)
class Tender:
    """In which currency targets are looked at: each in its own, or all in another one by dated rates."""

    into: str | None = None
    rates: Rates = field(default_factory=lambda: Rates(()))

    def aim(self, target: Target, value: Value | None = None) -> tuple[Any, list[Row]]:
        """What is aimed at, and what of it is due from each day on; or another value of the same somebody and days."""
        units, rows = _units(target.value if value is None else value), _rows(target) if value is None else []
        if self.into is None or target.money is None or target.money.currency == self.into:
            return units, rows
        rows = exchanged(units, rows, target.period, target.money.currency, self.into, self.rates)
        return sum(Fraction(part) for _, part in rows), rows

    def unit(self, target: Target) -> Callable[[Fraction], Any]:
        """How amounts of a target are shown: as money, or as a number of things."""
        if target.money is None:
            return lambda amount: plain(rounded(amount))
        currency = self.into or target.money.currency
        return lambda amount: as_money(amount, currency).as_json()


OWN = Tender()
"""Each in its own currency."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A target as it stands at the end of a day."""

    metric: Metric
    before: date
    """The first day that does not count any more."""
    achieved: Achieved
    state: Attainment
    tender: Tender = OWN

    @property
    def health(self) -> str | None:
        """How it goes, where what was achieved is known."""
        return self.state.health if self.achieved.amount is not None else None


async def judged(snapshot: Snapshot, target: Target, day: date, tender: Tender = OWN) -> Judged:
    """A target against what was achieved by the end of a day."""
    (found,) = await judged_together(snapshot, [target], day, tender)
    return found


async def judged_together(
    snapshot: Snapshot, targets: Sequence[Target], day: date, tender: Tender = OWN
) -> list[Judged]:
    """Several targets against what was achieved by the end of a day, in their order; all of it is read at once."""
    asked = []
    for target in targets:
        before = max(target.starts_on, min(target.ends_on, day + timedelta(days=1)))
        metric = await snapshot.recall(Metric, target.metric)
        assert metric is not None, "a target is set for a metric that is there, and metrics stay"
        asked.append(Asked(target, metric, before, tender.into))
    found = await achieved_by_each(snapshot, asked)
    return [_judged(each, achieved, tender) for each, achieved in zip(asked, found, strict=True)]


def _judged(each: Asked, achieved: Achieved, tender: Tender) -> Judged:
    state = state_of(each.target, each.metric, achieved.amount or Fraction(0), each.before, tender)
    return Judged(each.metric, each.before, achieved, state, tender)


def state_of(
    target: Target, metric: Metric, actual: Fraction, before: date, tender: Tender = OWN, value: Value | None = None
) -> Attainment:
    """What was achieved set against a target, or against another value of the same somebody and days."""
    aim, rows = tender.aim(target, value)
    return Attainment.judge(
        aim, actual, rows, target.period, before, lower=metric.lower, adds_up=metric.aggregation == "sum"
    )


async def expected(snapshot: Snapshot, target: Target, found: Judged) -> Adjusted | None:
    """What may be expected of whoever it is for, with the ramps and absences of the members who count for them."""
    if found.metric.lower or found.metric.aggregation != "sum":
        return None
    period = target.period
    theirs = [target]
    if target.level != "member":
        days = {"metric": target.metric, "start": period.start, "end": period.end}
        theirs = [each for each in await snapshot.all(Target, _OF_MEMBERS, **days) if _same_unit(each, target)]
    people, away = await careers_of(snapshot, sorted({each.ref for each in theirs}))
    return expected_of(
        target.level, target.ref, period, [_quota(each, found.tender) for each in theirs], people, away, found.before
    )  # fmt: skip


async def careers_of(
    snapshot: Snapshot, members: Sequence[str]
) -> tuple[Mapping[str, KnownMember], Mapping[str, Sequence[KnownAbsence]]]:
    """The careers and absences of some members; one that is not known yet has always been here."""
    known = {each.id: each for each in await snapshot.all(KnownMember, _PEOPLE, members=list(members))}
    away: dict[str, list[KnownAbsence]] = defaultdict(list)
    for each in await snapshot.all(KnownAbsence, _AWAY, members=list(members)):
        away[each.member].append(each)
    return {key: known.get(key) or KnownMember.make(id=key) for key in members}, away


async def day_asked(snapshot: Snapshot, as_of: date | None = None) -> date:
    """The day as of which something is judged: today unless another is given."""
    if as_of is not None:
        return as_of
    return await today(snapshot) if isinstance(snapshot, Tx) else day_of(now(), (await house(snapshot)).zone)


def _quota(target: Target, tender: Tender) -> Quota:
    period, (value, rows) = target.period, tender.aim(target)
    return Quota(target.ref, period, lambda day: due_before(value, rows, period, day))


def _same_unit(one: Target, other: Target) -> bool:
    return (one.money and one.money.currency) == (other.money and other.money.currency)


def _units(value: Money | Any) -> Any:
    return value.minor if isinstance(value, Money) else value


def _rows(target: Target) -> list[Row]:
    return [(since, _units(part)) for since, part in target.distribution]
