"""What figures are made of: for each source, the facts that a question selects, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import sqlalchemy as sa

from services.metrics.facts.customers import CustomerFact
from services.metrics.facts.deals import DealFact
from services.metrics.facts.teams import MemberFact
from services.metrics.views.absences import ABSENCE_ROWS
from services.metrics.views.actions import ACTION_ROWS
from services.metrics.views.attendance import ATTENDANCE_ROWS
from services.metrics.views.challenges import CHALLENGE_ROWS
from services.metrics.views.customer_money_rows import CUSTOMER_MONEY_ROWS
from services.metrics.views.customers import CUSTOMER_ROWS
from services.metrics.views.deal_rows import DEAL_ROWS, show_deal
from services.metrics.views.frame import Reading
from services.metrics.views.goals import GOAL_ROWS as ATTAINED_GOALS
from services.metrics.views.handovers import WITHOUT_OWNER, open_of, show_customer
from services.metrics.views.line_of_sight import GOAL_ROWS
from services.metrics.views.merits import MERIT_ROWS
from services.metrics.views.money_rows import MONEY_ROWS
from services.metrics.views.people import came_or_went, here_at_the_end, in_ramp
from services.metrics.views.people_rows import PEOPLE_ROWS
from services.metrics.views.readers import for_reader
from services.metrics.views.request_rows import REQUEST_ROWS
from services.metrics.views.row_source import Conditions, Source, simple
from services.metrics.views.satisfaction import ANSWER_ROWS
from services.metrics.views.skills import SKILL_ROWS
from services.metrics.views.spend import SALES
from services.metrics.views.talk_rows import TALK_ROWS
from services.metrics.views.target_rows import TARGET_ROWS
from shared.facts import Fact
from shared.identity.permissions import Principal

_member = MemberFact.__table__.c  # type: ignore[attr-defined]


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
    **DEAL_ROWS,
    **CUSTOMER_MONEY_ROWS,
    **TARGET_ROWS,
    **MERIT_ROWS,
    **ATTAINED_GOALS,
    **MONEY_ROWS,
    **ANSWER_ROWS,
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
        found += await part.shown(reading, facts)
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
