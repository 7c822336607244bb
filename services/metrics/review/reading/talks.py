"""What a team met for, put on tables, agreed on and asked for, as a review needs it."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from services.metrics.facts.check_ins import CheckInFact
from services.metrics.facts.meetings import ActionFact, ItemFact, MeetingFact
from services.metrics.facts.requests import RequestFact
from services.metrics.review.inputs import Action, CheckIn, Item, Meeting, Request
from services.metrics.review.reading.belonging import Belonging
from shared.store import Snapshot
from shared.store.sql import OneOf, naming

_meeting = MeetingFact.__table__.c  # type: ignore[attr-defined]
_item = ItemFact.__table__.c  # type: ignore[attr-defined]
_action = ActionFact.__table__.c  # type: ignore[attr-defined]
_request = RequestFact.__table__.c  # type: ignore[attr-defined]
_check_in = CheckInFact.__table__.c  # type: ignore[attr-defined]
_START, _END = sa.bindparam("start", type_=sa.Date()), sa.bindparam("end", type_=sa.Date())
_ASKED = sa.select(RequestFact).where(
    _request.asked_on >= _START, _request.asked_on < _END,
    sa.or_(OneOf(_request.from_member, "ids"), OneOf(_request.to_member, "ids")),
)  # fmt: skip
_NOTED = sa.select(CheckInFact).where(
    _check_in.on >= _START, _check_in.on < _END, _check_in.withdrawn.is_(False),
    sa.or_(OneOf(_check_in.from_member, "ids"), OneOf(_check_in.to_member, "ids")),
)  # fmt: skip


async def meetings_of(snapshot: Snapshot, team: Belonging, end: date) -> tuple[Meeting, ...]:
    """Meetings that were held and at which it was noted who came."""
    held = sa.select(MeetingFact).where(
        _meeting.status == "ended", _meeting.on >= team.period.start, _meeting.on < end,
        sa.or_(naming(_meeting.teams, team.team.id), naming(_meeting.attendance, *team.ids)),
    )  # fmt: skip
    found = await snapshot.all(MeetingFact, held)
    told = (_meeting_of(each, team) for each in found if "present" in each.attendance.values())
    members = set(team.ids)
    return tuple(each for each in told if (each.invited | each.attended) & members)


def _meeting_of(fact: MeetingFact, team: Belonging) -> Meeting:
    assert fact.on is not None
    said = fact.attendance
    as_team = team.on(fact.on) if team.team.id in fact.teams else set[str]()
    return Meeting(
        id=fact.id, on=fact.on, minutes=fact.lasted, invited=frozenset(said) | as_team,
        attended=frozenset(each for each, answer in said.items() if answer == "present"),
        excused=frozenset(each for each, answer in said.items() if answer == "excused"),
    )  # fmt: skip


async def items_of(snapshot: Snapshot, team: Belonging, end: date) -> tuple[Item, ...]:
    """Items that a member raised or resolved."""
    raised = sa.select(ItemFact).where(
        _item.raised_on >= team.period.start, _item.raised_on < end,
        sa.or_(*(_item.raised_by == each for each in team.ids), naming(_item.resolutions, *team.ids)),
    )  # fmt: skip
    found = await snapshot.all(ItemFact, raised)
    members, last = set(team.ids), end.isoformat()
    items = (item_of(each, last) for each in found)
    return tuple(each for each in items if each.raised_by in members or members & set(each.resolved_by))


def item_of(fact: ItemFact, end: str) -> Item:
    """An item as it stood when a day began."""
    assert fact.raised_on is not None
    done = [each for each in fact.resolutions if each["on"] < end]
    settled = len(done) > sum(day < end for day in fact.reopenings)
    last = done[-1] if settled else None
    return Item(
        id=fact.id, raised_by=fact.raised_by, raised_on=fact.raised_on, about=fact.department, meeting=fact.meeting,
        resolved_on=date.fromisoformat(last["on"]) if last else None, resolved_by=tuple(last["by"]) if last else (),
    )  # fmt: skip


async def actions_of(snapshot: Snapshot, team: Belonging, end: date) -> tuple[Action, ...]:
    """Actions due in the period that a member has, or helps with; judged by the day that was agreed on."""
    due = sa.select(ActionFact).where(
        _action.judged_by >= team.period.start, _action.judged_by < end,
        sa.or_(*(_action.owner == each for each in team.ids), naming(_action.helpers, *team.ids)),
    )  # fmt: skip
    found = await snapshot.all(ActionFact, due)
    members = set(team.ids)
    mine = (each for each in found if each.counts and (each.owner in members or members & set(each.helpers)))
    return tuple(action_of(each, end.isoformat()) for each in mine)


def action_of(fact: ActionFact, end: str) -> Action:
    """An action as it stood when a day began."""
    assert fact.judged_by is not None
    done = [each["on"] for each in fact.done if each["on"] < end]
    kept = done[-1] if len(done) > sum(day < end for day in fact.reopenings) else None
    return Action(
        id=fact.id, owner=fact.owner, due=fact.judged_by, helpers=tuple(fact.helpers), agreed_on=fact.agreed_on,
        done_on=date.fromisoformat(kept) if kept else None, goal=fact.goal, meeting=fact.meeting,
    )  # fmt: skip


async def requests_of(snapshot: Snapshot, team: Belonging, end: date) -> tuple[Request, ...]:
    """Requests from members and to members."""
    found = await snapshot.all(RequestFact, _ASKED, start=team.period.start, end=end, ids=team.ids)
    return tuple(request_of(each, end.isoformat()) for each in found)


def request_of(fact: RequestFact, end: str) -> Request:
    """A request as it stood when a day began."""
    assert fact.asked_on is not None
    done = [each for each in fact.resolutions if each["on"] < end]
    again = [day for day in fact.reopenings if day < end]
    last = done[-1] if len(done) > len(again) else None
    return Request(
        id=fact.id, asked_on=fact.asked_on, from_department=fact.from_department, to_department=fact.to_department,
        from_member=fact.from_member, to_member=fact.to_member or (last or {}).get("by"), reopened=bool(again),
        promised_by=fact.judged_by or fact.promised_by, resolved_on=date.fromisoformat(last["on"]) if last else None,
        on_time=last["on_time"] if last else None,
    )  # fmt: skip


async def check_ins_of(snapshot: Snapshot, team: Belonging, end: date) -> tuple[CheckIn, ...]:
    """Check-ins of members."""
    found = await snapshot.all(CheckInFact, _NOTED, start=team.period.start, end=end, ids=team.ids)
    return tuple(check_in_of(each) for each in found)


def check_in_of(fact: CheckInFact) -> CheckIn:
    """A check-in as a review needs it."""
    assert fact.on is not None
    return CheckIn(id=fact.id, giver=fact.from_member, receiver=fact.to_member, on=fact.on)
