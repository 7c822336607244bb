"""The deals a forecast is made from, as this service owns them: how they went, and what was won in a period.

A team, a department, a customer and a region (by its teams) have the deals won for them, a product its lines, a member
what is credited to them, and a group what was credited to those who were in it that day. How deals go is known by their
owner.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, get_args

import sqlalchemy as sa

from services.targets.domain.agreements import Agreed, agreements
from services.targets.domain.deals import Deal
from shared.forecast import History, Known, Told, tell
from shared.known import KnownMember, KnownTeam
from shared.membership import Spell, covers, on_day
from shared.money import Money
from shared.store import Snapshot
from shared.store.sql import OneOf

Level = Literal["organisation", "department", "team", "group", "member", "customer", "product", "region"]
LEVELS: Final = get_args(Level)
_deal = Deal.__table__.c  # type: ignore[attr-defined]
_team = KnownTeam.__table__.c  # type: ignore[attr-defined]
_member = KnownMember.__table__.c  # type: ignore[attr-defined]
# A literal, not a parameter: what is grouped by is written twice, and would be two parameters.
_WENT = (_deal.opened_on, _deal.closed_on, _deal.status, _deal.total_currency, _deal.estimate_currency,
         sa.cast(_deal.estimate > sa.literal_column("0"), sa.Integer))  # fmt: skip
_ADDED = (
    sa.func.count(),
    sa.cast(sa.func.sum(_deal.total), sa.BigInteger),
    sa.cast(sa.func.sum(_deal.estimate), sa.BigInteger),
)
_WON = (_deal.product, _deal.closed_on, _deal.value, _deal.cost, _deal.credits, _deal.lines, _deal.amendments)
_ALONE = (_deal.opened_on, _deal.closed_on, _deal.status, _deal.estimate, _deal.estimate_currency, _deal.amendments)


@dataclass(frozen=True, slots=True)
class Whose:
    """Of whom or what a forecast is."""

    level: Level
    ref: str = ""


async def history_of(snapshot: Snapshot, whose: Whose, before: date) -> History:
    """How the deals went that belong to somebody, as far as was known before a day: at what they were won for."""
    history = History(Known(before))
    since = [_deal.opened_on >= history.known.horizon, _deal.opened_on < before]
    if whose.level in ("member", "group"):
        owners = await _owners(snapshot, whose, before - timedelta(days=1))
        select = sa.select(*_ALONE, _deal.owner, _deal.credits).where(*since, OneOf(_deal.owner, "owners"))
        for opened, closed, status, estimate, currency, amendments, owner, credits in await snapshot.rows(
            select, owners=owners
        ):
            first = amendments[0]["credits"] if amendments else credits
            own = [Money(**each["amount"]) for each in first if each["member"] == owner]
            tell(history, _told(opened, closed, status, own[0] if own else None, 1, estimate, currency))
        return history
    since += _belonging(whose)
    select = sa.select(*_WENT, *_ADDED).where(*since, _deal.amended_on.is_(None)).group_by(*_WENT)
    for opened, closed, status, currency, estimate_currency, estimated, count, total, estimate in await snapshot.rows(
        select
    ):
        brought = Money.of_minor(int(total), currency) if currency else None
        went = _told(opened, closed, status, brought, int(count), int(estimate), estimate_currency, bool(estimated))
        tell(history, went)
    amended = sa.select(*_ALONE).where(*since, _deal.amended_on.is_not(None))
    for opened, closed, status, estimate, currency, amendments in await snapshot.rows(amended):
        tell(history, _told(opened, closed, status, Money(**amendments[0]["value"]), 1, estimate, currency))
    return history


def _told(
    opened: date,
    closed: date | None,
    status: str,
    brought: Money | None,
    count: int,
    estimate: int,
    estimate_currency: str,
    estimated: bool | None = None,
) -> Told:
    has_estimate = estimate > 0 if estimated is None else estimated
    return Told(
        opened=opened,
        closed=closed,
        won=status == "won",
        count=count,
        amount=brought.minor if brought is not None and status == "won" else 0,
        currency=brought.currency if brought is not None and status == "won" else "",
        estimated=count if has_estimate else 0,
        estimate=estimate,
        estimate_currency=estimate_currency if has_estimate else "",
    )


async def won_in(snapshot: Snapshot, whose: Whose, start: date, end: date) -> dict[str, int]:
    """What was won for somebody from a day up to, not including, another: minor units by currency. What an amendment
    changed counts on its day."""
    won = [_deal.status == "won", sa.or_(_deal.closed_on >= start, _deal.amended_on >= start), _deal.closed_on < end]
    sums: dict[str, int] = defaultdict(int)
    spells: Mapping[str, Sequence[Spell]] = {}
    if whose.level in ("member", "group"):
        spells = await _spells(snapshot, whose)
        if whose.level == "member":
            texts = (sa.type_coerce(each, sa.Text) for each in (_deal.credits, _deal.amendments))
            won.append(sa.or_(*(text.like(f'%"{whose.ref}"%') for text in texts)))
    elif whose.level != "product":
        won += _belonging(whose)
        total = sa.cast(sa.func.sum(_deal.total), sa.BigInteger)
        select = sa.select(_deal.total_currency, total).where(*won, _deal.amended_on.is_(None))
        sums |= {code: int(minor) for code, minor in await snapshot.rows(select.group_by(_deal.total_currency))}
        won.append(_deal.amended_on.is_not(None))
    for product, closed_on, *agreed_on, amendments in await snapshot.rows(sa.select(*_WON).where(*won)):
        for day, sign, agreed in agreements(closed_on, Agreed(*agreed_on), amendments):
            if start <= day < end:
                for part in _parts(whose, spells, day, agreed, product):
                    sums[part.currency] += sign * part.minor
    return dict(sums)


def _parts(
    whose: Whose, spells: Mapping[str, Sequence[Spell]], day: date, agreed: Agreed, product: str | None
) -> Iterator[Money]:
    """Which parts of what was agreed on are somebody's on a day."""
    if whose.level in ("member", "group"):
        for each in agreed.credits:
            if any(covers(spell, day) for spell in spells.get(each["member"], ())):
                yield Money(**each["amount"])
    elif whose.level == "product":
        for line in agreed.lines or [{"product": product, "amount": agreed.value.as_json()}]:
            if line["product"] == whose.ref:
                yield Money(**line["amount"])
    else:
        yield agreed.value


def _belonging(whose: Whose) -> Iterator[sa.ColumnElement[bool]]:
    if whose.level == "department":
        yield _deal.team.in_(sa.select(_team.id).where(_team.department == whose.ref))
    elif whose.level == "region":
        yield _deal.team.in_(sa.select(_team.id).where(_team.region == whose.ref))
    elif whose.level != "organisation":
        yield _deal[whose.level] == whose.ref


async def _owners(snapshot: Snapshot, whose: Whose, day: date) -> Sequence[str]:
    """Whose deals are looked at: the member's, or those of all who are in the group on a day."""
    if whose.level == "member":
        return [whose.ref]
    return sorted(member for member, spells in (await _spells(snapshot, whose)).items() if on_day(spells, day))


async def _spells(snapshot: Snapshot, whose: Whose) -> dict[str, list[Spell]]:
    """Who counts, and when: the member always, others while they were in the group."""
    if whose.level == "member":
        return {whose.ref: [{"of": "", "from": date.min.isoformat(), "to": None}]}
    like = sa.type_coerce(_member.groups, sa.Text).like(f'%"{whose.ref}"%')
    rows = await snapshot.rows(sa.select(_member.id, _member.groups).where(like))
    return {member: [each for each in groups if each["of"] == whose.ref] for member, groups in rows}
