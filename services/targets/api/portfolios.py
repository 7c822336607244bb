"""`/v1/portfolios`: what members carry: their revenue targets, their open deals, and what their deals are about.

The teams service asks this before it splits a team: it learns of few members what all deals would tell it of all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Annotated, Any, Final

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.targets.domain.customers import Customer
from services.targets.domain.deals import Deal
from services.targets.domain.targets import Target
from shared.attainment import due_before
from shared.errors import Invalid
from shared.http.documents import described
from shared.http.pages import asked_only
from shared.http.runtime import runtime_of
from shared.http.writes import as_json
from shared.identity.permissions import require
from shared.instant import Day
from shared.money import Money
from shared.store import Snapshot
from shared.store.sql import OneOf

router = APIRouter(tags=["deals"])
_READ = require("deals:read")
YEAR: Final = timedelta(days=365)
MARKS: Final = ("region", "product", "customer")
"""What the deals of a member are about."""
_deal = Deal.__table__.c  # type: ignore[attr-defined]
_customer = Customer.__table__.c  # type: ignore[attr-defined]
_target = Target.__table__.c  # type: ignore[attr-defined]
_OWNED = (
    sa.select(_deal.owner, _deal.status, _deal.product, _deal.customer, _customer.region, _deal.estimate_currency,
              sa.func.count(), sa.cast(sa.func.sum(_deal.estimate), sa.BigInteger))
    .select_from(sa.outerjoin(Deal.__table__, Customer.__table__, _customer.id == _deal.customer))  # type: ignore[attr-defined]
    .where(OneOf(_deal.owner, "members"), _deal.opened_on < sa.bindparam("before", type_=sa.Date()),
           sa.or_(_deal.status == sa.literal_column("'open'"),
                  _deal.closed_on >= sa.bindparam("since", type_=sa.Date())))
    .group_by(_deal.owner, _deal.status, _deal.product, _deal.customer, _customer.region, _deal.estimate_currency)
)  # fmt: skip
_AIMS = sa.select(Target).where(
    _target.metric == sa.literal_column("'revenue'"), _target.level == sa.literal_column("'member'"),
    OneOf(_target.ref, "members"), _target.ends_on > sa.bindparam("start", type_=sa.Date()),
    _target.starts_on < sa.bindparam("end", type_=sa.Date()), _target.closed_on.is_(None),
)  # fmt: skip


class PortfolioShown(BaseModel):
    """What one member carries."""

    member: str
    targets: list[Money] = Field(description="what their revenue targets have due on the days asked about, by currency")
    pipeline: list[Money] = Field(description="what their open deals are hoped to bring, by currency")
    deals_open: int
    region: dict[str, int] = Field(description="deals open, or closed in the year before, by their customer's region")
    product: dict[str, int] = Field(description="the same by product")
    customer: dict[str, int] = Field(description="the same by customer")


@dataclass(slots=True)
class Portfolio:
    """What one member carries, in minor units by currency."""

    targets: Counter[str] = field(default_factory=Counter)
    pipeline: Counter[str] = field(default_factory=Counter)
    deals_open: int = 0
    marks: Mapping[str, Counter[str]] = field(default_factory=lambda: {mark: Counter() for mark in MARKS})

    def shown(self, member: str) -> dict[str, Any]:
        """In the form of the API."""
        return {
            "member": member,
            "targets": _money(self.targets),
            "pipeline": _money(self.pipeline),
            "deals_open": self.deals_open,
            **{mark: dict(sorted(counts.items())) for mark, counts in self.marks.items()},
        }


@router.get(
    "/v1/portfolios",
    operation_id="list_portfolios",
    openapi_extra=described(_READ, None, {200: PortfolioShown}, page=True),
    dependencies=[Depends(_READ)],
)
async def list_portfolios(
    request: Request,
    start: Annotated[Day, Query(alias="from", description="the first day of what is due of the targets")],
    to: Annotated[Day, Query(description="the first day after it")],
    member: Annotated[list[str], Query(max_length=100, description="whose; repeatable")] = [],  # noqa: B006
) -> Response:
    """What members carry: their revenue targets of some days, their open deals, and what their deals are about."""
    asked_only(request, {"from", "to", "member"}, {"member"})
    if to <= start:
        raise Invalid.at("/to", f"the day {to} is not after {start}")

    async def query(snapshot: Snapshot) -> list[dict[str, Any]]:
        ids = [await snapshot.resolve("member", ref) or ref for ref in member]
        found = await portfolios(snapshot, ids, start, to)
        return [found[each].shown(each) for each in dict.fromkeys(ids)]

    items = await runtime_of(request).store.read(query)
    return Response(as_json({"items": items, "next": None}), media_type="application/json")


async def portfolios(snapshot: Snapshot, members: Sequence[str], start: date, end: date) -> Mapping[str, Portfolio]:
    """What members carry on the days from `start` to before `end`."""
    found: dict[str, Portfolio] = defaultdict(Portfolio)
    rows = await snapshot.rows(_OWNED, members=list(members), since=start - YEAR, before=start + timedelta(days=1))
    for owner, status, product, customer, region, currency, count, estimate in rows:
        portfolio = found[owner]
        for mark, value in zip(MARKS, (region, product, customer), strict=True):
            if value is not None:
                portfolio.marks[mark][value] += count
        if status == "open":
            portfolio.deals_open += count
            if estimate:
                portfolio.pipeline[currency] += estimate
    aims: dict[str, list[Target]] = defaultdict(list)
    for target in await snapshot.all(Target, _AIMS, members=list(members), start=start, end=end):
        aims[target.ref or ""].append(target)
    for owner, targets in aims.items():
        for target in _side_by_side(targets):
            if target.money is not None:
                found[owner].targets[target.money.currency] += round(_due(target, start, end))
    return found


def _side_by_side(targets: Iterable[Target]) -> list[Target]:
    """Targets that do not overlap: a longer one stands for the shorter ones within it."""
    chosen: list[Target] = []
    for target in sorted(targets, key=lambda each: (each.starts_on - each.ends_on, each.starts_on, each.id)):
        if not any(each.starts_on < target.ends_on and target.starts_on < each.ends_on for each in chosen):
            chosen.append(target)
    return chosen


def _due(target: Target, start: date, end: date) -> Fraction:
    assert target.money is not None
    rows = [(day, value.minor) for day, value in target.distribution if isinstance(value, Money)]
    whole, before = [due_before(target.money.minor, rows, target.period, day) for day in (end, start)]
    return whole - before


def _money(amounts: Mapping[str, int]) -> list[dict[str, str]]:
    return [Money.of_minor(minor, currency).as_json() for currency, minor in sorted(amounts.items())]
