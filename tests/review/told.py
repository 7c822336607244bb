"""The work of teams as events, as the services that own the facts would tell them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from services.metrics.review.inputs import Action, CheckIn, Deal, Inputs, Item, Meeting, Request
from shared.bus import Record
from shared.events import Event
from shared.events.aims import TargetSet
from shared.events.duties import DutyAccepted, DutyAssigned, DutyDone
from shared.events.items import ActionAgreed, ActionDone, ItemRaised, ItemResolved
from shared.events.meetings import AttendanceNoted, MeetingCalled, MeetingEnded
from shared.events.pulses import PulseClosed, PulseOpened
from shared.events.requests import RequestMade, RequestResolved
from shared.events.targets import (
    Credit,
    CustomerAnswered,
    CustomerMet,
    DealLost,
    DealOpened,
    DealStaffed,
    DealWon,
    InRole,
)
from shared.events.teams import MemberJoined, MemberRecruited, TeamFormed
from shared.events.ties import CheckInNoted
from shared.events.trainings import CheckScored, TrainingAssigned, TrainingCompleted
from shared.money import Money
from shared.period import Period
from tests.kit.told import told
from tests.world import World

LONG_AGO = date(2020, 1, 1)
Lives = dict[str, list[Event]]
"""By subject what happened to it, oldest first."""


def euros(amount: float | Decimal | str) -> Money:
    return Money(f"{Decimal(str(amount)):.2f}", "EUR")


def team_of(team: str, members: Iterable[str], leader: str, region: str | None = None, **starts: date) -> Lives:
    """A team of sales and its members."""
    found: Lives = {f"team/{team}": [TeamFormed(name=team, department="sales", region=region, leader=leader)]}
    for each in members:
        since = starts.get(each, LONG_AGO)
        found |= recruited(each, "sales", since)
        found[f"member/{each}"].append(MemberJoined(team=team, on=since))
    return found


def recruited(member: str, department: str, since: date = LONG_AGO, ramp: Sequence[str] = ()) -> Lives:
    return {f"member/{member}": [MemberRecruited(department=department, starts_on=since, ramp=list(ramp))]}


def work_of(inputs: Inputs) -> Lives:
    """What a team did, thing by thing."""
    found: Lives = {}
    for meeting in inputs.meetings:
        found[meeting.subject] = list(_meeting(meeting, inputs.team))
    for item in inputs.items:
        found[item.subject] = list(_item(item))
    for action in inputs.actions:
        found[action.subject] = list(_action(action))
    for request in inputs.requests:
        found[request.subject] = list(_request(request))
    for check_in in inputs.check_ins:
        found[check_in.subject] = [_check_in(check_in)]
    for deal in inputs.deals:
        found[deal.subject] = list(_deal(deal, inputs.team))
        found[f"customer/of-{deal.id}"] = [CustomerMet(name=f"The customer of {deal.id}")]
    for each in inputs.duties:
        found[each.subject] = [
            DutyAssigned(on=each.assigned_on, department="sales", member=each.owner, goal=each.goal, due=each.due)
        ]
        if each.done_on is not None:
            found[each.subject].append(DutyDone(on=each.done_on, by=each.owner))
        if each.accepted_on is not None:
            found[each.subject].append(DutyAccepted(on=each.accepted_on))
    for answer in inputs.answers:
        found[answer.subject] = [
            CustomerAnswered(customer="anybody", score=answer.score, on=answer.on, member=answer.member,
                             team=inputs.team, recommends=answer.recommends)
        ]  # fmt: skip
    return found


def _meeting(each: Meeting, team: str) -> Iterator[Event]:
    begins = datetime.combine(each.on, time(9), UTC)
    yield MeetingCalled(on=each.on, starts_at=begins, minutes=each.minutes, kind="team", teams=(team,))
    there = dict.fromkeys(sorted(each.attended), "present") | dict.fromkeys(sorted(each.excused), "excused")
    yield AttendanceNoted(members=dict.fromkeys(sorted(each.invited - there.keys()), "invited") | there)
    yield MeetingEnded(on=each.on, lasted=each.minutes)


def _item(each: Item) -> Iterator[Event]:
    yield ItemRaised(
        kind="problem", on=each.raised_on, raised_by=each.raised_by, department=each.about, meeting=each.meeting
    )
    if each.resolved_on is not None:
        yield ItemResolved(on=each.resolved_on, by=each.resolved_by)


def _action(each: Action) -> Iterator[Event]:
    agreed = each.agreed_on or each.due - timedelta(days=7)
    yield ActionAgreed(
        on=agreed, owner=each.owner, due=each.due, helpers=each.helpers, goal=each.goal, meeting=each.meeting
    )
    if each.done_on is not None:
        yield ActionDone(on=each.done_on, on_time=each.done_on <= each.due)


def _request(each: Request) -> Iterator[Event]:
    yield RequestMade(
        kind="other", on=each.asked_on, from_department=each.from_department, to_department=each.to_department,
        from_member=each.from_member, to_member=each.to_member, promised_by=each.promised_by,
    )  # fmt: skip
    if each.resolved_on is not None:
        took = (each.resolved_on - each.asked_on).days * 86_400
        yield RequestResolved(on=each.resolved_on, seconds=took, on_time=each.on_time, by=each.to_member)


def _check_in(each: CheckIn) -> Event:
    return CheckInNoted(kind="help", on=each.on, from_member=each.giver, to_member=each.receiver)


def _deal(each: Deal, team: str) -> Iterator[Event]:
    opened = each.closed_on - timedelta(days=1)
    yield DealOpened(owner=each.owner, opened_on=opened, stage="prospecting", team=team, customer=f"of-{each.id}")
    if not each.won:
        yield DealLost(on=each.closed_on)
        return
    whole = euros(each.amount)
    credits = tuple(
        Credit(member=member, share=str(Decimal(str(part)) / Decimal(str(each.amount))), amount=euros(part))
        for member, part in each.credits
    )
    yield DealWon(
        on=each.closed_on, value=whole, owner=each.owner, credits=credits, customer=f"of-{each.id}", team=team
    )
    if each.roles:
        filled = [InRole(role=role, member=member) for role, members in each.roles for member in members]
        yield DealStaffed(roles=tuple(filled))


def asked(name: str, team: str, opens: date, closes: date, sums: Mapping[str, tuple[int, int, int]], of: int) -> Lives:
    """A pulse of a team: by scale or item the number, sum and sum of squares of the answers."""
    answered = max(n for n, _, _ in sums.values())
    told_sums = {scale: {"n": n, "total": total, "squares": squares} for scale, (n, total, squares) in sums.items()}
    items = ("C1", "C2", "C3", "C4", "T1", "T2", "T3", "T4")
    return {
        f"pulse/{name}": [
            PulseOpened(level="team", opens_on=opens, closes_on=closes, items=items, team=team, department="sales"),
            PulseClosed(on=closes, asked=of, answered=answered, sums=told_sums),
        ]
    }


def trained(name: str, member: str, course: str, on: date, score: int | None) -> Lives:
    """Somebody takes a course; without a score they have not finished it yet."""
    found: Lives = {f"training/{name}": [TrainingAssigned(member=member, course=course, on=on, department="sales")]}
    if score is not None:
        found[f"training/{name}"].append(TrainingCompleted(member=member, course=course, on=on, department="sales"))
        found[f"check/{name}"] = [CheckScored(score=score, on=on)]
    return found


def aimed(name: str, level: str, ref: str | None, days: Period, value: Money | str, **more: Any) -> Lives:
    """A target."""
    metric = more.pop("metric", "revenue")
    return {f"target/{name}": [TargetSet(metric=metric, level=level, ref=ref, period=days, value=value, **more)]}


def records(lives: Mapping[str, Sequence[Event]]) -> list[Record]:
    """All of it as it goes on the log."""
    return [
        told(subject, version, event) for subject, events in lives.items() for version, event in enumerate(events, 1)
    ]


async def heard(world: World, lives: Mapping[str, Sequence[Event]], sent: Sequence[Record] | None = None) -> None:
    """Put events on the log, and wait until the views hold all of them."""
    await world.bus.publish(list(sent if sent is not None else records(lives)))
    tokens = [f"{subject}@{len(events)}" for subject, events in lives.items()]
    for first in range(0, len(tokens), 100):
        query = {"period": "2026", "after": tokens[first : first + 100]}
        for _ in range(4):
            answer = await world.admin.get("/v1/views/it", params=query, headers={"Prefer": "wait=30"})
            if answer.status_code != 503:
                break
            await asyncio.sleep(0)
        assert answer.status_code == 200, answer.text
