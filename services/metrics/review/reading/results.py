"""What a team won and lost, what could be expected of it, and how the others did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from services.metrics.facts.deals import DealFact
from services.metrics.facts.role_weights import RoleWeightsFact
from services.metrics.review.inputs import Deal, Organisation, Pull, Quota
from services.metrics.review.reading.belonging import Belonging
from services.metrics.views.frame import Reading
from services.metrics.views.ledger import amounts_along
from services.metrics.views.targets import Aim, aims_of_each
from shared.contribution import weights_on
from shared.money import Money
from shared.opportunity import Adjusted, adjusted, stretches
from shared.store import Snapshot
from shared.store.sql import OneOf

_deal = DealFact.__table__.c  # type: ignore[attr-defined]
_START, _END = sa.bindparam("start", type_=sa.Date()), sa.bindparam("end", type_=sa.Date())
_CLOSED = sa.select(DealFact).where(
    _deal.closed_on >= _START, _deal.closed_on < _END,
    sa.or_(_deal.team == sa.bindparam("team"), OneOf(_deal.owner, "ids")),
)  # fmt: skip
_COUNTED = (
    sa.select(_deal.status, sa.func.count())
    .where(_deal.closed_on >= _START, _deal.closed_on < _END)
    .group_by(_deal.status)
)
_WEIGHTS = sa.select(RoleWeightsFact)
_OPENED = sa.select(sa.func.count()).where(
    _deal.opened_on >= _START, _deal.opened_on < _END, _deal.team == sa.bindparam("team")
)


async def deals_of(snapshot: Snapshot, team: Belonging, end: date, currency: str) -> tuple[Deal, ...]:
    """Deals of the team, or of its members, that were closed; those won in another currency are left out."""
    found = await snapshot.all(DealFact, _CLOSED, start=team.period.start, end=end, team=team.team.id, ids=team.ids)
    agreed = await snapshot.all(RoleWeightsFact, _WEIGHTS) if any(each.roles for each in found) else []
    return tuple(
        _deal_of(each, currency, agreed) for each in found if each.status == "lost" or each.currency == currency
    )


def _deal_of(fact: DealFact, currency: str, agreed: Sequence[RoleWeightsFact]) -> Deal:
    assert fact.closed_on is not None
    last: dict[str, Any] = fact.amendments[-1] if fact.amendments else {"value": fact.value, "credits": fact.credits}
    roles: dict[str, list[str]] = {}
    for each in fact.roles:
        roles.setdefault(each["role"], []).append(each["member"])
    return Deal(
        id=fact.id, closed_on=fact.closed_on, won=fact.status == "won", owner=fact.owner,
        amount=major(last["value"], currency),
        credits=tuple((each["member"], major(each["minor"], currency)) for each in last["credits"]),
        roles=tuple((role, tuple(sorted(members))) for role, members in sorted(roles.items())),
        weights=tuple(sorted(weights_on(agreed, fact.closed_on).items())),
    )  # fmt: skip


async def quotas_of(reading: Reading, team: Belonging, currency: str, market: Mapping[str, float]) -> tuple[Quota, ...]:
    """What is aimed at for each member, and what of it may be expected by the day of asking in the market they have."""
    careers, found = {each.id: each for each in team.careers}, []
    grown = market.get(team.team.region or "", 1.0)
    for member, aims in (await aims_of_each(reading, "member", team.ids)).items():
        for aim in aims:
            if aim.target.currency == currency:
                known = stretches(careers[member], team.away(member), aim.days)
                found.append(
                    _quota(member, aim, adjusted(aim.before, aim.days, reading.question.span.asked, known), grown)
                )
    return tuple(each for each in found if each.expected > 0)


def _quota(member: str, aim: Aim, part: Adjusted, market: float) -> Quota:
    # Of a period that runs, what the distribution has due by now stands for the whole.
    begun = float(part.due / part.value) if part.value else 0.0
    return Quota(
        id=aim.target.id, member=member, amount=major(round(part.quota), aim.target.currency) * begun,
        ramp=float(part.ramp or 0), active=float(part.active or 0), market=market, set_late=aim.target.set_late,
    )  # fmt: skip


async def organisation_of(reading: Reading, end: date, currency: str) -> Organisation:
    """How many deals everybody won of those closed, and how far every team with targets reached them."""
    counted = await reading.snapshot.rows(_COUNTED, start=reading.question.period.start, end=end)
    by_status = {status: number for status, number in counted}
    won, lost = by_status.get("won", 0), by_status.get("lost", 0)
    return Organisation(won=won, closed=won + lost, attainments=await _attainments(reading, currency))


async def _attainments(reading: Reading, currency: str) -> tuple[tuple[str, float], ...]:
    earned = await _earned(reading, currency)
    found = []
    for team, aims in (await aims_of_each(reading, "team")).items():
        due = _due(reading, aims, currency)
        if due > 0:
            found.append((team, 100 * earned.get(team, 0) / due))
    return tuple(found)


async def _earned(reading: Reading, currency: str) -> dict[str, int]:
    """What was won for each team, in minor units."""
    period = reading.question.period

    async def read() -> dict[str, int]:
        return await amounts_along(reading.snapshot, "team", "won", currency, period.start, period.end)

    found: dict[str, int] = await reading.shared("won by team", read)
    return found


async def pull_of(reading: Reading, team: str, currency: str) -> Pull | None:
    """The team's result against the organisation's target, and the share of it that was planned for the team."""
    of_all = (await aims_of_each(reading, "organisation")).get("", [])
    of_team = (await aims_of_each(reading, "team", [team])).get(team, [])
    whole, planned = _due(reading, of_all, currency), _due(reading, of_team, currency)
    if whole <= 0 or planned <= 0:
        return None
    earned = await _earned(reading, currency)
    by = tuple(sorted(each.target.id for each in (*of_all, *of_team)))
    return Pull(result=float(earned.get(team, 0)), goal=whole, planned=planned / whole, by=by)


def _due(reading: Reading, aims: Sequence[Aim], currency: str) -> float:
    asked = reading.question.span.asked
    return float(sum(each.before(asked) for each in aims if each.target.currency == currency))


async def opened_of(snapshot: Snapshot, team: Belonging, end: date) -> tuple[int, int]:
    """Deals that the team opened in the period, and on as many days before."""
    start = team.period.start
    before = date.fromordinal(2 * start.toordinal() - end.toordinal())
    now = await snapshot.scalar(_OPENED, start=start, end=end, team=team.team.id)
    return int(now or 0), int(await snapshot.scalar(_OPENED, start=before, end=start, team=team.team.id) or 0)


def major(minor: int, currency: str) -> float:
    """An amount as a review counts it: it compares and divides, and books nothing."""
    return float(Money.of_minor(minor, currency).text)
