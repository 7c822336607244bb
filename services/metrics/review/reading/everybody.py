"""What everybody of the organisation had to do with each other in a period, and where each of them belongs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final, Literal

import sqlalchemy as sa

from services.metrics.facts.check_ins import CheckInFact
from services.metrics.facts.deals import DealFact
from services.metrics.facts.meetings import ActionFact, ItemFact, MeetingFact
from services.metrics.facts.requests import RequestFact
from services.metrics.facts.support import DutyFact
from services.metrics.facts.teams import MemberFact
from services.metrics.review.inputs import Deal, Inputs, Meeting, Member
from services.metrics.review.reading.belonging import department_in
from services.metrics.review.reading.talks import action_of, check_in_of, item_of, request_of
from services.metrics.review.reading.work import IN_PERIOD, duty_of
from services.metrics.views.question import Question
from shared.membership import overlaps
from shared.period import Period
from shared.store import Snapshot

By = Literal["department", "team"]
_meeting = MeetingFact.__table__.c  # type: ignore[attr-defined]
_item = ItemFact.__table__.c  # type: ignore[attr-defined]
_action = ActionFact.__table__.c  # type: ignore[attr-defined]
_request = RequestFact.__table__.c  # type: ignore[attr-defined]
_check_in = CheckInFact.__table__.c  # type: ignore[attr-defined]
_deal = DealFact.__table__.c  # type: ignore[attr-defined]
_START, _END = sa.bindparam("start", type_=sa.Date()), sa.bindparam("end", type_=sa.Date())
_HELD = sa.select(_meeting.id, _meeting.on, _meeting.attendance).where(
    _meeting.status == "ended", _meeting.on >= _START, _meeting.on < _END
)
_RAISED = sa.select(ItemFact).where(_item.raised_on >= _START, _item.raised_on < _END)
_DUE = sa.select(ActionFact).where(_action.judged_by >= _START, _action.judged_by < _END)
_ASKED = sa.select(RequestFact).where(_request.asked_on >= _START, _request.asked_on < _END)
_TURNED = sa.select(CheckInFact).where(_check_in.on >= _START, _check_in.on < _END, _check_in.withdrawn.is_(False))
_CLOSED = sa.select(_deal.id, _deal.closed_on, _deal.owner, _deal.credits, _deal.amendments).where(
    _deal.closed_on >= _START, _deal.closed_on < _END
)
_DUTIES = sa.select(DutyFact).where(IN_PERIOD)
_ALL: Final = sa.select(MemberFact)


async def everybody(snapshot: Snapshot, question: Question, by: By) -> tuple[Inputs, Mapping[str, str]]:
    """The inputs of the graph of the whole organisation, and of each member the department or the team."""
    period, end = question.period, question.span.asked
    days: dict[str, Any] = {"start": period.start, "end": end}
    there = _employed(await snapshot.all(MemberFact, _ALL), period)
    members = tuple(Member(id=each.id, department=department_in(each, period)) for each in there)
    last = end.isoformat()
    inputs = Inputs(
        team="", department="", start=period.start, end=period.end, asked=end, members=members,
        meetings=tuple(_met(*row) for row in await snapshot.rows(_HELD, **days)),
        items=tuple(item_of(each, last) for each in await snapshot.all(ItemFact, _RAISED, **days)),
        actions=tuple(action_of(each, last) for each in await snapshot.all(ActionFact, _DUE, **days) if each.counts),
        requests=tuple(request_of(each, last) for each in await snapshot.all(RequestFact, _ASKED, **days)),
        check_ins=tuple(check_in_of(each) for each in await snapshot.all(CheckInFact, _TURNED, **days)),
        duties=tuple(duty_of(each, end) for each in await snapshot.all(DutyFact, _DUTIES, **days)),
        deals=tuple(_shared(*row) for row in await snapshot.rows(_CLOSED, **days)),
    )  # fmt: skip
    if by == "department":
        return inputs, {each.id: each.department for each in members}
    day = date.fromordinal(period.end.toordinal() - 1)
    return inputs, {each.id: each.team_on(day) or each.team_on(period.start) or "" for each in there}


def _employed(careers: Iterable[MemberFact], period: Period) -> Sequence[MemberFact]:
    return [each for each in careers if any(overlaps(spell, period.start, period.end) for spell in each.employments)]


def _met(key: str, on: date, attendance: Mapping[str, str]) -> Meeting:
    """A meeting by who came: of a tie nothing else counts."""
    return Meeting(id=key, on=on, attended=frozenset(who for who, said in attendance.items() if said == "present"))


def _shared(
    key: str, on: date, owner: str, credits: Sequence[Mapping[str, Any]], amendments: Sequence[Mapping[str, Any]]
) -> Deal:
    """A deal by whose it is together; how much of it plays no part."""
    last = amendments[-1]["credits"] if amendments else credits
    return Deal(id=key, closed_on=on, won=True, owner=owner, credits=tuple((each["member"], 0.0) for each in last))
