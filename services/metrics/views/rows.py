"""What figures are made of: for each source, the facts that a question selects, page by page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from services.metrics.facts.customers import CustomerFact
from services.metrics.facts.deals import DealFact
from services.metrics.facts.feedback import FeedbackFact
from services.metrics.facts.teams import MemberFact
from services.metrics.sums import DAY
from services.metrics.views.absences import ABSENCE_ROWS
from services.metrics.views.actions import ACTION_ROWS
from services.metrics.views.attendance import ATTENDANCE_ROWS
from services.metrics.views.challenges import CHALLENGE_ROWS
from services.metrics.views.customers import CUSTOMER_ROWS
from services.metrics.views.frame import CIRCLES, Reading
from services.metrics.views.handovers import WITHOUT_OWNER, open_of, show_customer
from services.metrics.views.ledger import Span
from services.metrics.views.line_of_sight import GOAL_ROWS
from services.metrics.views.money_rows import MONEY_ROWS
from services.metrics.views.people import came_or_went, here_at_the_end, in_ramp
from services.metrics.views.people_rows import PEOPLE_ROWS
from services.metrics.views.readers import for_reader
from services.metrics.views.request_rows import REQUEST_ROWS
from services.metrics.views.row_source import Conditions, Source, simple
from services.metrics.views.setback_cost import shown_after_setbacks
from services.metrics.views.skills import SKILL_ROWS
from services.metrics.views.sources import SOURCES as FED
from services.metrics.views.sources import credited, sources_of
from services.metrics.views.spend import SALES
from services.metrics.views.talk_rows import TALK_ROWS
from shared.facts import Cell, Fact
from shared.identity.permissions import Principal
from shared.money import Money

_deal = DealFact.__table__.c  # type: ignore[attr-defined]
_FEEDS = FED[0]
_HANDED_OVER = sa.select(DealFact).where(_deal.owners != [])
ONE_DAY = timedelta(days=1)
_answer = FeedbackFact.__table__.c  # type: ignore[attr-defined]
_member = MemberFact.__table__.c  # type: ignore[attr-defined]


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
    handed = [] if credit else await _handed_over(reading)
    for dim in CIRCLES:
        if dim in reading.filters:
            circle = await reading.circle(dim, reading.filters[dim])
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


async def _earned(reading: Reading) -> list[sa.ColumnElement[bool]]:
    """Deals won in the period, and those that an amendment of its days changed something of."""
    span, filters = reading.question.span, reading.filters
    won = await _deals(reading, _deal.status == "won", *_in_time(reading), day=_deal.closed_on, credit=True)
    late = (_deal.status == "won", _deal.amended_on >= span.start)
    passing = await reading.passing(_FEEDS, filters, ever=True)
    found = await reading.snapshot.all(DealFact, sa.select(DealFact).where(*late, *passing))
    belongs, product = await reading.belonging(), filters.get("product")
    amended = [deal.id for deal in found if _amended_within(span, deal, _FEEDS.cells(deal, belongs, product))]
    return [sa.or_(sa.and_(*won), _deal.id.in_(amended))] if amended else won


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


async def _open(reading: Reading) -> list[sa.ColumnElement[bool]]:
    asked = reading.question.span.asked
    still = sa.or_(_deal.closed_on.is_(None), _deal.closed_on >= asked)
    return await _deals(reading, _deal.opened_on < asked, still)


def _in_time(reading: Reading) -> tuple[sa.ColumnElement[bool], ...]:
    span = reading.question.span
    return _deal.closed_on >= span.start, _deal.closed_on < span.end


async def _at_hand(reading: Reading) -> list[sa.ColumnElement[bool]]:
    """Deals open at some time in the period."""
    span = reading.question.span
    still = sa.or_(_deal.closed_on.is_(None), _deal.closed_on >= span.start)
    return await _deals(reading, _deal.opened_on < span.end, still)


async def _foreseen(reading: Reading) -> list[sa.ColumnElement[bool]]:
    """Deals won in the period, and those that are open; deals that will be opened have no rows yet."""
    span, tomorrow = reading.question.span, reading.question.today + timedelta(days=1)
    won = sa.and_(_deal.status == "won", _deal.closed_on >= span.start, _deal.closed_on < min(span.end, tomorrow))
    open_now = sa.and_(_deal.opened_on < tomorrow, sa.or_(_deal.closed_on.is_(None), _deal.closed_on >= tomorrow))
    return await _deals(reading, won if tomorrow >= span.end else sa.or_(won, open_now))


async def _answers(reading: Reading) -> list[sa.ColumnElement[bool]]:
    span = reading.question.span
    (source,) = sources_of("answered")
    chosen = [_answer.on >= span.start, _answer.on < span.end, sa.not_(_answer.withdrawn)]
    chosen += await reading.passing(source, reading.filters)
    if "group" in reading.filters:
        circle = await reading.circle("group", reading.filters["group"])
        stays = (sa.and_(_answer.member == member, during) for member, during in circle.during(_answer.on))
        chosen.append(sa.or_(sa.false(), *stays))
    return chosen


async def _here(reading: Reading) -> list[sa.ColumnElement[bool]]:
    return [_member.id.in_([each.id for each in await here_at_the_end(reading)])]


async def _ramping(reading: Reading) -> list[sa.ColumnElement[bool]]:
    return [_member.id.in_([each.id for each in await in_ramp(reading)])]


async def _sellers(reading: Reading) -> list[sa.ColumnElement[bool]]:
    return await _here(reading if reading.filters else reading.about({"department": SALES}))


def _moved(end: Literal["from", "to"]) -> Conditions:
    async def conditions(reading: Reading) -> list[sa.ColumnElement[bool]]:
        return [_member.id.in_([each.id for each in await came_or_went(reading, end)])]

    return conditions


_show_member = simple("member", "starts_on", "left_on", "departments", "memberships")

SOURCES: Mapping[str, Source] = {
    "deals_won": Source(DealFact, _won, show_deal),
    "deals_earned": Source(DealFact, _earned, show_deal),
    "deals_lost": Source(DealFact, _lost, show_deal),
    "deals_closed": Source(DealFact, _closed, show_deal),
    "deals_opened": Source(DealFact, _opened, show_deal),
    "deals_open": Source(DealFact, _open, show_deal),
    "deals_at_hand": Source(DealFact, _at_hand, show_deal),
    "deals_foreseen": Source(DealFact, _foreseen, show_deal),
    "deals_lost_after_setbacks": Source(DealFact, shown_after_setbacks, show_deal),
    **MONEY_ROWS,
    "answers": Source(FeedbackFact, _answers, simple("feedback", "customer", "score", "on", "deal", "member", "team")),
    "members": Source(MemberFact, _here, _show_member),
    "sellers": Source(MemberFact, _sellers, _show_member),
    "ramping": Source(MemberFact, _ramping, _show_member),
    "joiners": Source(MemberFact, _moved("from"), _show_member),
    "leavers": Source(MemberFact, _moved("to"), _show_member),
    "customers_without_owner": WITHOUT_OWNER,
    **CUSTOMER_ROWS,
    "handovers_open": Source(
        CustomerFact, open_of("customer"), show_customer, then=Source(DealFact, open_of("deal"), show_deal)
    ),
    **PEOPLE_ROWS,
    **REQUEST_ROWS,
    **TALK_ROWS,
    **ATTENDANCE_ROWS,
    **ABSENCE_ROWS,
    **SKILL_ROWS,
    **CHALLENGE_ROWS,
    **ACTION_ROWS,
    **GOAL_ROWS,
}  # fmt: skip


async def rows_of(
    source: Source, reading: Reading, after: str, limit: int, principal: Principal
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of the rows a question selects, by id, and the last id when there are more."""
    question = await for_reader(reading.snapshot, reading.question, principal)
    reading = Reading(reading.snapshot, question, reading.shelf)
    found: list[dict[str, Any]] = []
    part: Source | None = source
    while part is not None and len(found) <= limit:
        facts = await _page_of(part, reading, after, limit + 1 - len(found), principal)
        found += [part.show(fact) for fact in facts]
        part = part.then
    page = found[:limit]
    return page, page[-1]["ref"] if len(found) > limit else None


async def _page_of(source: Source, reading: Reading, after: str, limit: int, principal: Principal) -> Sequence[Fact]:
    table = source.model.__table__  # type: ignore[attr-defined]
    conditions = await source.conditions(reading)
    sees = _seen_of(source, reading, principal)
    if source.theirs is not None and sees is not None:
        conditions.append(source.theirs(sorted(sees)))
    select = sa.select(table).where(*conditions, table.c.id > after).order_by(table.c.id).limit(limit)
    return await reading.snapshot.all(source.model, select)


def _seen_of(source: Source, reading: Reading, principal: Principal) -> frozenset[str] | None:
    """Whose rows are for who asks; none where all are."""
    sees = reading.question.sees
    if not source.office:
        return sees
    return None if principal.may(source.office) else sees or frozenset()
