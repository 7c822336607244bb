"""What the figures about deals are made of, and what each deal adds to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import date, timedelta
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.deal_cells import STAGE_IN, STAGE_OUT
from services.metrics.facts.deals import HANDED_OVER, DealFact
from services.metrics.sums import DAY, Tally
from services.metrics.views import pipeline
from services.metrics.views.frame import Reading
from services.metrics.views.ledger import Ledger, Span
from services.metrics.views.parts import FED_BY, amount, counted, in_money, inside, ledger_of, of_share, part, until
from services.metrics.views.question import CIRCLES
from services.metrics.views.row_source import Conditions, Source
from services.metrics.views.setback_cost import shown_after_setbacks
from services.metrics.views.sources import credited
from services.metrics.views.values import Amounts
from shared.facts import Cell
from shared.money import Money

_deal = DealFact.__table__.c  # type: ignore[attr-defined]
_tally = Tally.__table__.c  # type: ignore[attr-defined]
_FEEDS = FED_BY[DealFact]
_HANDED_OVER = sa.select(DealFact).where(HANDED_OVER)
ONE_DAY = timedelta(days=1)
FEW: Final = 500  # deals, of which a condition may name each


def show_deal(deal: DealFact) -> dict[str, Any]:
    """A deal as a row."""
    amount = deal.value if deal.status == "won" else deal.estimate
    return {
        "ref": deal.id,
        "kind": "deal",
        "owner": deal.owner,
        "team": deal.team,
        "customer": deal.customer,
        "product": deal.product,
        "status": deal.status,
        "opened_on": deal.opened_on,
        "closed_on": deal.closed_on,
        "value": Money.of_minor(amount, deal.currency).as_json() if deal.currency else None,
        "lines": [_shown_part("product", each, deal.currency) for each in deal.lines],
        "credits": [_shown_part("member", each, deal.currency) for each in deal.credits],
        "amendments": [
            {
                "on": each["on"],
                "value": Money.of_minor(each["value"], deal.currency).as_json(),
                "lines": [_shown_part("product", line, deal.currency) for line in each["lines"]],
                "credits": [_shown_part("member", credit, deal.currency) for credit in each["credits"]],
            }
            for each in deal.amendments
        ],
        "externals": [{"source": source, "id": name} for source, name in sorted(deal.externals.items())],
    }


def _shown_part(whose: str, part: Mapping[str, Any], currency: str) -> dict[str, Any]:
    return {whose: part[whose], "amount": Money.of_minor(part["minor"], currency).as_json()}


async def _deals(
    reading: Reading, *conditions: sa.ColumnElement[bool], day: Any = None, credit: bool = False
) -> list[sa.ColumnElement[bool]]:
    """The deals that pass a question: those that its members own, or are credited for, on a day of theirs; without a
    day at the end."""
    chosen = [*conditions, *await reading.passing(_FEEDS, reading.filters)]
    asked = reading.question.span.asked
    theirs = [await reading.circle(dim, reading.filters[dim]) for dim in CIRCLES if dim in reading.filters]
    handed = [] if credit or not theirs else await _handed_over(reading)
    for circle in theirs:
        chosen.append(sa.or_(sa.false(), *(
            sa.and_(credited(member) if credit else _owned(handed, member, day, asked), during)
            for member, during in (circle.during(day) if day is not None else circle.there(asked))
        )))  # fmt: skip
    return chosen


async def _handed_over(reading: Reading) -> Sequence[DealFact]:
    """The deals that were ever handed over: another member had them on some days."""

    async def read() -> Sequence[DealFact]:
        return await reading.snapshot.all(DealFact, _HANDED_OVER)

    found: Sequence[DealFact] = await reading.shared("deals handed over", read)
    return found


def _owned(handed: Sequence[DealFact], member: str, column: Any, asked: date) -> sa.ColumnElement[bool]:
    """Deals that a member had on the day in a column; without one at the end."""
    owned = [
        deal.id
        for deal in handed
        if deal.owner_on((getattr(deal, column.name) if column is not None else None) or asked - ONE_DAY) == member
    ]
    return sa.or_(sa.and_(_deal.owner == member, _deal.owners == []), _deal.id.in_(owned))


async def _won(reading: Reading) -> list[sa.ColumnElement[bool]]:
    return await _deals(reading, _deal.status == "won", *_in_time(reading), day=_deal.closed_on)


async def earned(reading: Reading) -> list[sa.ColumnElement[bool]]:
    """Deals won in the period, and those that an amendment of its days changed something of."""
    span, filters = reading.question.span, reading.filters
    won = await _deals(reading, _deal.status == "won", *_in_time(reading), day=_deal.closed_on, credit=True)
    since = await _amended_since(reading, span.start)
    if not since:
        return won
    late = (*among(since), _deal.status == "won", _deal.amended_on >= span.start)
    passing = await reading.passing(_FEEDS, filters, ever=True)
    found = await reading.snapshot.all(DealFact, sa.select(DealFact).where(*late, *passing))
    belongs, product = await reading.belonging(), filters.get("product")
    amended = [deal.id for deal in found if _amended_within(span, deal, _FEEDS.cells(deal, belongs, product))]
    return [sa.or_(sa.and_(*won), _deal.id.in_(amended))] if amended else won


async def _amended_since(reading: Reading, start: date) -> Sequence[str]:
    """The deals, of whomever, that were amended on a day or later: asked alone, for of several conditions a database
    without statistics takes the one that is met by most deals."""

    async def read() -> Sequence[str]:
        found = await reading.snapshot.rows(sa.select(_deal.id).where(_deal.amended_on >= start))
        return [key for (key,) in found]

    since: Sequence[str] = await reading.shared(f"amended since {start}", read)
    return since


def among(ids: Sequence[str]) -> list[sa.ColumnElement[bool]]:
    """The condition of being one of a few deals; none if they are not few, for then it would not help."""
    return [_deal.id.in_(ids)] if len(ids) <= FEW else []


def _amended_within(span: Span, deal: DealFact, cells: Iterable[Cell]) -> bool:
    """Whether cells of a deal that was won count on a day of an amendment."""
    days = {date.fromisoformat(each["on"]) for each in deal.amendments}
    return any(
        measure == "won" and day in days and span.start <= day < span.end
        for (_, _, measure, grain, day, _), _ in cells
        if grain == DAY
    )


async def _lost(reading: Reading) -> list[sa.ColumnElement[bool]]:
    return await _deals(reading, _deal.status == "lost", *_in_time(reading), day=_deal.closed_on)


async def _closed(reading: Reading) -> list[sa.ColumnElement[bool]]:
    return await _deals(reading, _deal.status != "open", *_in_time(reading), day=_deal.closed_on)


async def _opened(reading: Reading) -> list[sa.ColumnElement[bool]]:
    span = reading.question.span
    return await _deals(reading, _deal.opened_on >= span.start, _deal.opened_on < span.end, day=_deal.opened_on)


async def open_at_end(reading: Reading) -> list[sa.ColumnElement[bool]]:
    asked = reading.question.span.asked
    still = sa.or_(_deal.closed_on.is_(None), _deal.closed_on >= asked)
    return await _deals(reading, _deal.opened_on < asked, still)


def _in_time(reading: Reading) -> tuple[sa.ColumnElement[bool], ...]:
    span = reading.question.span
    return _deal.closed_on >= span.start, _deal.closed_on < span.end


async def _at_hand(reading: Reading) -> list[sa.ColumnElement[bool]]:
    """Deals open at some time in the period; of members those that were theirs at some time of it."""
    span = reading.question.span
    still = sa.or_(_deal.closed_on.is_(None), _deal.closed_on >= span.start)
    near = [_deal.opened_on < span.end, still, *await reading.passing(_FEEDS, reading.filters)]
    if not set(reading.filters) & set(CIRCLES):
        return near
    found = await reading.snapshot.all(DealFact, sa.select(DealFact).where(*near))
    return [_deal.id.in_([each.id for each in found if await _at_hand_once(reading, each)])]


async def _at_hand_once(reading: Reading, deal: DealFact) -> int:
    """Whether a deal was open at some time in the period, however often it came."""
    return min(await pipeline.times_at_hand(reading, deal), 1)


async def _foreseen(reading: Reading) -> list[sa.ColumnElement[bool]]:
    """Deals that brought something in the period, and those that are open; deals that will be opened have no rows
    yet."""
    won = sa.and_(*await earned(reading))
    return [won if _is_over(reading) else sa.or_(won, sa.and_(*await open_at_end(_now(reading))))]


def _is_over(reading: Reading) -> bool:
    return reading.question.today + ONE_DAY >= reading.question.period.end


def _now(reading: Reading) -> Reading:
    """The same question about what there is today."""
    today = reading.question.today
    return reading.over(type(reading.question.period).between(today, today + ONE_DAY))


async def _count_foreseen(reading: Reading, facts: Sequence[DealFact]) -> Sequence[Mapping[str, Any]]:
    """What each brought in the period so far; what an open one will bring is expected of all of them together."""
    period = reading.question.period
    until_now = min(reading.question.today + ONE_DAY, period.end)
    if until_now <= period.start:
        return [part(None) for _ in facts]
    return await amount("won")(reading.over(type(period).between(period.start, until_now)), facts)


async def _at_hand_or_earned(reading: Reading) -> list[sa.ColumnElement[bool]]:
    return [sa.or_(sa.and_(*await _at_hand(reading)), sa.and_(*await earned(reading)))]


def _by_newness(new: bool) -> Conditions:
    """Deals of customers whose first won deal lies in the period, or before it."""
    first = (
        sa.select(sa.func.min(_tally.start))
        .where(_tally.dim == "customer", _tally.key == _deal.customer, _tally.measure == "won", _tally.grain == DAY)
        .scalar_subquery()
    )

    async def conditions(reading: Reading) -> list[sa.ColumnElement[bool]]:
        period = reading.question.period
        fresh = sa.and_(first >= period.start, first < period.end)
        return [_deal.customer.is_not(None), fresh if new else sa.not_(fresh), *await earned(reading)]

    return conditions


def _in_pipeline(ledger: Ledger) -> dict[str, Amounts]:
    """By stage what a deal is hoped to bring, where it is at the end."""
    stages = {name.removeprefix(STAGE_IN) for _, name in ledger.until if name.startswith(STAGE_IN)}
    held = {
        each: until(ledger, f"{STAGE_IN}{each}").amount - until(ledger, f"{STAGE_OUT}{each}").amount for each in stages
    }
    return {stage: hoped for stage, hoped in held.items() if hoped}


def hoped_for(ledger: Ledger, stages: Set[str] | None = None) -> Amounts:
    """What a deal that is open at the end is hoped to bring, in any stage or in one of these."""
    held = _in_pipeline(ledger)
    return Amounts.total(amount for stage, amount in held.items() if stages is None or stage in stages)


async def _qualified(reading: Reading, facts: Sequence[DealFact]) -> Sequence[Mapping[str, Any]]:
    """What each is hoped to bring that is in a stage in which it is qualified."""
    stages = await pipeline.qualified_stages(reading)
    return [part(in_money(reading, hoped_for(await ledger_of(reading, each), stages))) for each in facts]


async def _weighed(reading: Reading, facts: Sequence[DealFact]) -> Sequence[Mapping[str, Any]]:
    """What each is hoped to bring times the chance of the stage it is in."""
    chances, found = await pipeline.chances_at_end(reading), []
    for fact in facts:
        held = _in_pipeline(await ledger_of(reading, fact))
        weighed = pipeline.weighed(held, chances)
        stage = next(iter(held), fact.stages[-1][0] if fact.stages else None)
        chance = chances.get(stage or "")
        found.append(
            {
                "stage": stage,
                "chance": None if chance is None else str(chance),
                "estimate": in_money(reading, Amounts.total(held.values())),
                **part(in_money(reading, weighed)),
            }
        )
    return found


def _won_of_closed(reading: Reading, ledger: Ledger) -> dict[str, Any]:
    won, lost = inside(ledger, "won").count, inside(ledger, "lost").count
    return of_share(won, won + lost)


def _closed_of_won(reading: Reading, ledger: Ledger) -> dict[str, Any]:
    won, lost = inside(ledger, "won").count, inside(ledger, "lost").count
    return of_share(won + lost, won)


async def _won_of_at_hand(reading: Reading, facts: Sequence[DealFact]) -> Sequence[Mapping[str, Any]]:
    """Each deal that was open, above the line if it was won."""
    return [
        of_share(inside(await ledger_of(reading, each), "won").count, await _at_hand_once(reading, each))
        for each in facts
    ]


def _days(reading: Reading, ledger: Ledger) -> dict[str, Any]:
    won = inside(ledger, "won")
    return of_share(won.took, won.count)


def _revenue_of_won(reading: Reading, ledger: Ledger) -> dict[str, Any]:
    won = inside(ledger, "won")
    return of_share(in_money(reading, won.amount), won.count)


async def _speed(reading: Reading, facts: Sequence[DealFact]) -> Sequence[Mapping[str, Any]]:
    """What each adds to the four figures that velocity is made of."""
    found = []
    for fact in facts:
        ledger = await ledger_of(reading, fact)
        won, lost = inside(ledger, "won"), inside(ledger, "lost")
        told = {"opportunities": await _at_hand_once(reading, fact), "won": won.count, "lost": lost.count}
        found.append(part({**told, "revenue": in_money(reading, won.amount), "days": won.took}))
    return found


def _cost(reading: Reading, ledger: Ledger) -> dict[str, Any]:
    return part(in_money(reading, inside(ledger, "won").cost))


def _margin(reading: Reading, ledger: Ledger) -> dict[str, Any]:
    won = inside(ledger, "won")
    return part(in_money(reading, won.amount - won.cost))


def _margin_of_revenue(reading: Reading, ledger: Ledger) -> dict[str, Any]:
    won = inside(ledger, "won")
    return of_share(in_money(reading, won.amount - won.cost), in_money(reading, won.amount))


def _hoped(reading: Reading, ledger: Ledger) -> dict[str, Any]:
    return part(in_money(reading, hoped_for(ledger)))


REVENUE = Source(DealFact, earned, show_deal, counted=amount("won"))
MARGIN = Source(DealFact, earned, show_deal, counted=counted(_margin))
DEAL_ROWS: Mapping[str, Source] = {
    "deals_won": Source(DealFact, _won, show_deal),
    "deals_lost": Source(DealFact, _lost, show_deal),
    "deals_opened": Source(DealFact, _opened, show_deal),
    "deals_open": Source(DealFact, open_at_end, show_deal),
    "revenue": REVENUE,
    "revenue_of_new": Source(DealFact, _by_newness(True), show_deal, counted=amount("won")),
    "revenue_of_existing": Source(DealFact, _by_newness(False), show_deal, counted=amount("won")),
    "cost_of_sales": Source(DealFact, earned, show_deal, counted=counted(_cost)),
    "margin": MARGIN,
    "margin_of_revenue": Source(DealFact, earned, show_deal, counted=counted(_margin_of_revenue)),
    "won_of_closed": Source(DealFact, _closed, show_deal, counted=counted(_won_of_closed)),
    "closed_of_won": Source(DealFact, _closed, show_deal, counted=counted(_closed_of_won)),
    "won_of_at_hand": Source(DealFact, _at_hand, show_deal, counted=_won_of_at_hand),
    "days_to_win": Source(DealFact, _won, show_deal, counted=counted(_days)),
    "revenue_of_won": Source(DealFact, earned, show_deal, counted=counted(_revenue_of_won)),
    "pipeline": Source(DealFact, open_at_end, show_deal, counted=counted(_hoped)),
    "pipeline_qualified": Source(DealFact, open_at_end, show_deal, counted=_qualified),
    "weighted_pipeline": Source(DealFact, open_at_end, show_deal, counted=_weighed),
    "velocity": Source(DealFact, _at_hand_or_earned, show_deal, counted=_speed),
    "deals_foreseen": Source(DealFact, _foreseen, show_deal, counted=_count_foreseen),
    "deals_lost_after_setbacks": Source(DealFact, shown_after_setbacks, show_deal, counted=amount("lost")),
}
