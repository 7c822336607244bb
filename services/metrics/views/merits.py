"""Who had a part in what was won, besides those it is credited to: assists, and the roles that members filled.

A role has a weight, and what it has of a deal is shared by those who filled it; what nobody filled is nobody's. What a
deal brings on a day is shared on that day, by the roles that are known of it and the weights of the day it was closed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.deals import STAFFED, DealFact
from services.metrics.facts.role_weights import RoleWeightsFact
from services.metrics.views.deal_rows import among, earned, show_deal
from services.metrics.views.frame import Figure, Reading
from services.metrics.views.parts import FED_BY, counted, in_money, inside, ledger_of, part
from services.metrics.views.question import CIRCLES
from services.metrics.views.row_source import Source
from services.metrics.views.sources import mentions
from services.metrics.views.values import Amounts, shown_money
from shared.contribution import contributions, weights_on
from shared.money import Money

KEY: Final = "role_contribution"
_deal = DealFact.__table__.c  # type: ignore[attr-defined]


async def assists(reading: Reading) -> Any:
    """How often somebody assisted in a deal that was won in the period."""
    return (await reading.flow("assisted")).count


async def role_contribution(reading: Reading) -> Any:
    """What the roles that were filled have of what was won."""
    whole, deals = _whole(reading), await _staffed(reading)
    if not deals:
        reading.note(KEY, "of no deal that was won in the period it is known who filled which role")
        return None
    found = Amounts.total([await _contributed(reading, whole, deal) for deal in deals])
    return shown_money(found, reading.question.currency)


def _whole(reading: Reading) -> Reading:
    """The same question about whole deals: those who are credited and those who filled roles are not the same."""
    return reading.about({dim: key for dim, key in reading.filters.items() if dim not in CIRCLES})


async def _near(reading: Reading) -> Sequence[str]:
    """The deals, of whomever, whose roles are known and that were closed in the period or amended since it began."""
    span = reading.question.span
    closed = sa.select(_deal.id).where(STAFFED, _deal.closed_on >= span.start, _deal.closed_on < span.end)
    amended = sa.select(_deal.id).where(STAFFED, _deal.amended_on >= span.start)

    async def read() -> Sequence[str]:
        return [key for asked in (closed, amended) for (key,) in await reading.snapshot.rows(asked)]

    found: Sequence[str] = await reading.shared(f"staffed from {span.start} to {span.end}", read)
    return found


async def _conditions(reading: Reading) -> list[sa.ColumnElement[bool]]:
    near = await _near(reading)
    if not near:
        return [sa.false()]
    theirs = [await reading.circle(dim, reading.filters[dim]) for dim in CIRCLES if dim in reading.filters]
    filled = [sa.or_(sa.false(), *(mentions(_deal.roles, member) for member in each.members)) for each in theirs]
    return [*among(near), STAFFED, *filled, *await earned(_whole(reading))]


async def _staffed(reading: Reading) -> Sequence[DealFact]:
    """The deals of the period whose roles are known, of those whom the question is about."""

    async def read() -> Sequence[DealFact]:
        return await reading.snapshot.all(DealFact, sa.select(DealFact).where(*await _conditions(reading)))

    found: Sequence[DealFact] = await reading.once("staffed deals", read)
    return found


async def _contributed(reading: Reading, whole: Reading, deal: DealFact) -> Amounts:
    """What those whom the question is about contributed to what a deal brought in the period."""
    assert deal.closed_on is not None
    closed_on, staffing = deal.closed_on, dict[str, list[str]]()
    for each in deal.roles:
        staffing.setdefault(each["role"], []).append(each["member"])
    shares = contributions(weights_on(await _weights(reading), closed_on), staffing)
    brought, belongs = inside(await ledger_of(whole, deal), "won").amount, await reading.belonging()
    found = Amounts()
    for currency, minor in brought:
        parts, _ = shares.of(Money.of_minor(minor, currency))
        mine = [each.minor for member, each in parts.items() if belongs is None or belongs(member, closed_on)]
        found += Amounts({currency: sum(mine)})
    return found


async def _weights(reading: Reading) -> Sequence[RoleWeightsFact]:
    async def read() -> Sequence[RoleWeightsFact]:
        return await reading.snapshot.all(RoleWeightsFact, sa.select(RoleWeightsFact))

    found: Sequence[RoleWeightsFact] = await reading.shared("role weights", read)
    return found


async def _by_role(reading: Reading, deals: Sequence[DealFact]) -> Sequence[Mapping[str, Any]]:
    whole = _whole(reading)
    return [
        {"roles": deal.roles, **part(in_money(reading, await _contributed(reading, whole, deal)))} for deal in deals
    ]


async def _assisted(reading: Reading) -> list[sa.ColumnElement[bool]]:
    """Deals that were won in the period with somebody's help."""
    span, source = reading.question.span, FED_BY[DealFact]
    near = [_deal.status == "won", _deal.closed_on >= span.start, _deal.closed_on < span.end, _deal.assists != []]
    near += await reading.passing(source, reading.filters)
    found = await reading.snapshot.all(DealFact, sa.select(DealFact).where(*near))
    helped = [deal.id for deal in found if inside(await ledger_of(reading, deal), "assisted").count]
    return [_deal.id.in_(helped)]


MERIT_ROWS: Mapping[str, Source] = {
    "deals_assisted": Source(
        DealFact, _assisted, lambda deal: {**show_deal(deal), "assists": deal.assists},
        counted=counted(lambda reading, ledger: part(inside(ledger, "assisted").count)),
    ),
    "deals_by_role": Source(DealFact, _conditions, show_deal, counted=_by_role),
}  # fmt: skip
MERITS: Final = (
    Figure("assists", "How often somebody assisted in a deal that was won on a day of the period, without being "
           "credited for it: of a member or a group, how often they did.", assists, "deals_assisted"),
    Figure(KEY, "What the roles that members filled have of what the deals of the period brought: Σ over roles of "
           "weight ÷ number who filled it; roles that nobody filled have their part of nobody. Nobody is paid from it.",
           role_contribution, "deals_by_role"),
)  # fmt: skip
