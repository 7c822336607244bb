"""How far what was decided on a review has been carried out, from what meetings and teams have told since."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from math import fsum
from typing import Any

import sqlalchemy as sa

from services.metrics.domain.reviews import Review
from services.metrics.facts.check_ins import CheckInFact
from services.metrics.facts.liaisons import LiaisonFact
from services.metrics.facts.meetings import ActionFact, MeetingFact
from services.metrics.facts.support import DutyFact
from services.metrics.facts.teams import MemberFact
from services.metrics.facts.trainings import CheckFact, TrainingFact
from services.metrics.review.carried_out import (
    SMALL_MEETING,
    Carried,
    Contact,
    Pair,
    Rhythm,
    meetings_held,
    pairs_met,
    share_of,
)
from services.metrics.review.written import number
from shared.money import Money
from shared.store import Snapshot
from shared.store.sql import OneOf, naming

_liaison = LiaisonFact.__table__.c  # type: ignore[attr-defined]
_meeting = MeetingFact.__table__.c  # type: ignore[attr-defined]
_action = ActionFact.__table__.c  # type: ignore[attr-defined]
_member = MemberFact.__table__.c  # type: ignore[attr-defined]
_duty = DutyFact.__table__.c  # type: ignore[attr-defined]
_training = TrainingFact.__table__.c  # type: ignore[attr-defined]
_check = CheckFact.__table__.c  # type: ignore[attr-defined]
_check_in = CheckInFact.__table__.c  # type: ignore[attr-defined]
_START, _END = sa.bindparam("start", type_=sa.Date()), sa.bindparam("end", type_=sa.Date())
_LIAISONS = sa.select(LiaisonFact).where(_liaison.review == sa.bindparam("review"))
_ACTIONS = sa.select(ActionFact).where(_action.review == sa.bindparam("review"))
_DUTIES = sa.select(DutyFact).where(_duty.review == sa.bindparam("review"))
_CHECKS = sa.select(CheckFact).where(OneOf(_check.id, "ids"))
_TRAININGS = sa.select(TrainingFact).where(OneOf(_training.member, "ids"))
_HELD = sa.select(MeetingFact).where(_meeting.review == sa.bindparam("review"), _meeting.status == "ended")
_TURNED = sa.select(CheckInFact).where(
    _check_in.on >= _START, _check_in.on < _END, _check_in.withdrawn.is_(False),
    sa.or_(OneOf(_check_in.from_member, "ids"), OneOf(_check_in.to_member, "ids")),
)  # fmt: skip


async def carried_out(snapshot: Snapshot, review: Review, today: date) -> list[Carried]:
    """What was planned by the day of asking against what was done, step by step."""
    if review.starts_on is None:
        return []
    start, day = review.starts_on, today + timedelta(days=1)
    end = start + timedelta(weeks=review.weeks)
    return [await _step(snapshot, review, each, (start, end), day) for each in review.steps]


async def _step(
    snapshot: Snapshot, review: Review, step: dict[str, Any], span: tuple[date, date], day: date
) -> Carried:
    option, what = str(step["option"]), str(step["what"])
    if what == "trainings":
        return Carried(option, what, len(review.members), await _trained(snapshot, review, step, day))
    if what in ("duty", "action"):
        return Carried(option, what, 1, await _done(snapshot, review, step, day))
    rhythm = Rhythm(*span, step["every_days"])
    if what == "meetings":
        held = await snapshot.all(MeetingFact, _HELD, review=review.id)
        days = {each.on for each in held if each.option == option and each.on is not None}
        return meetings_held(option, rhythm, step["times"], days, day)
    found = [each for each in await snapshot.all(LiaisonFact, _LIAISONS, review=review.id) if each.option == option]
    pairs = [await _pair(snapshot, each, span) for each in found]
    named = {who for each in found for who in (each.from_member, each.to_member) if who is not None}
    contacts = await _contacts(snapshot, sorted(named), span)
    return pairs_met(option, len(step["pairs"]), pairs, rhythm, contacts, day)


async def _done(snapshot: Snapshot, review: Review, step: dict[str, Any], day: date) -> int:
    """Whether the duty or action there is was done, and not taken up again since."""
    asked: Sequence[ActionFact | DutyFact] = await (
        snapshot.all(ActionFact, _ACTIONS, review=review.id)
        if step["what"] == "action"
        else snapshot.all(DutyFact, _DUTIES, review=review.id)
    )
    return int(any(
        each.option == step["option"] and each.done and not each.to_do_before(day) for each in asked
    ))  # fmt: skip


async def _trained(snapshot: Snapshot, review: Review, step: dict[str, Any], day: date) -> int:
    """How many of the team have since finished a training in this, whoever assigned it, and not failed its check."""
    found = await _trainings(snapshot, review, step, day)
    checks = await snapshot.all(CheckFact, _CHECKS, ids=[each.id for each in found])
    failed = {each.id for each in checks if each.score is not None and each.score < review.rules["training"]["passed"]}
    return len({each.member for each in found if each.id not in failed})


async def _trainings(snapshot: Snapshot, review: Review, step: dict[str, Any], day: date) -> list[TrainingFact]:
    """The trainings in this that the team has finished since."""
    return [
        each for each in await snapshot.all(TrainingFact, _TRAININGS, ids=review.members)
        if (each.trains == step["kind"] or each.course in step["courses"])
        and each.completed_on is not None and (review.decided_on or day) <= each.completed_on < day
    ]  # fmt: skip


async def spent_on(snapshot: Snapshot, review: Review, today: date) -> dict[str, Any] | None:
    """What it has taken so far: the hours of meetings held because of it and the cost of its trainings, against what
    the options said; none while nothing was decided."""
    if review.starts_on is None:
        return None
    held = await snapshot.all(MeetingFact, _HELD, review=review.id)
    hours = fsum(each.lasted * list(each.attendance.values()).count("present") / 60 for each in held)
    day, currency = today + timedelta(days=1), str(review.document["currency"])
    steps = [each for each in review.steps if each["what"] == "trainings"]
    taken = {each.id: each for step in steps for each in await _trainings(snapshot, review, step, day)}
    minor = sum(each.cost for each in taken.values() if each.currency == currency)
    said = [each for each in (review.document["options"] or {"rows": []})["rows"] if each["option"] in review.decided]
    expected = {name: number(fsum(float(each[name]) for each in said)) for name in ("hours", "cost")}
    return {
        "hours": number(hours), "cost": number(float(Money.of_minor(minor, currency).text)), "currency": currency,
        "expected": expected if len(said) == len(review.decided) else None,
    }  # fmt: skip


async def _pair(snapshot: Snapshot, liaison: LiaisonFact, span: tuple[date, date]) -> Pair:
    one = await _side(snapshot, liaison.from_member, liaison.from_department, span[0])
    return Pair(one, await _side(snapshot, liaison.to_member, liaison.to_department, span[0]))


async def _side(snapshot: Snapshot, member: str | None, department: str | None, on: date) -> frozenset[str]:
    if member is not None:
        return frozenset({member})
    mention = naming(_member.departments, department)
    there = await snapshot.all(MemberFact, sa.select(MemberFact).where(mention))
    return frozenset(each.id for each in there if each.department_on(on) == department)


async def _contacts(snapshot: Snapshot, ids: Sequence[str], span: tuple[date, date]) -> Sequence[Contact]:
    """When these had to do with somebody: small meetings that were held, and check-ins."""
    window = {"start": span[0], "end": span[1], "ids": ids}
    held = sa.select(MeetingFact).where(
        _meeting.status == "ended", _meeting.on >= span[0], _meeting.on < span[1], naming(_meeting.attendance, *ids)
    )
    met = [
        Contact(each.on, frozenset(who for who, said in each.attendance.items() if said == "present"))
        for each in await snapshot.all(MeetingFact, held) if each.on is not None
    ]  # fmt: skip
    turned = [
        Contact(each.on, frozenset((each.from_member, each.to_member)))
        for each in await snapshot.all(CheckInFact, _TURNED, **window) if each.on is not None
    ]  # fmt: skip
    return [*(each for each in met if len(each.who) <= SMALL_MEETING), *turned]


def shown(steps: Iterable[Carried]) -> dict[str, Any]:
    """Planned against done, and the share of it all."""
    found = list(steps)
    return {
        "share": number(share_of(found)),
        "steps": [
            {"option": each.option, "what": each.what, "planned": each.planned, "done": each.done,
             "share": number(each.share)}
            for each in found
        ],
    }  # fmt: skip
