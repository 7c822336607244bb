"""What a team was to do, learnt and heard from customers, as a review needs it."""

from __future__ import annotations

from datetime import date
from typing import Final

import sqlalchemy as sa

from services.metrics.facts.feedback import FeedbackFact
from services.metrics.facts.support import DutyFact
from services.metrics.facts.trainings import CheckFact, TrainingFact
from services.metrics.review.inputs import Answer, Duty, Training
from services.metrics.review.reading.belonging import Belonging
from services.metrics.review.thresholds import TrainingRules
from shared.money import Money
from shared.store import Snapshot
from shared.store.sql import OneOf

TEAMWORK: Final = "teamwork"
_duty = DutyFact.__table__.c  # type: ignore[attr-defined]
_training = TrainingFact.__table__.c  # type: ignore[attr-defined]
_check = CheckFact.__table__.c  # type: ignore[attr-defined]
_feedback = FeedbackFact.__table__.c  # type: ignore[attr-defined]
_START, _END = sa.bindparam("start", type_=sa.Date()), sa.bindparam("end", type_=sa.Date())
IN_PERIOD: Final = sa.and_(
    _duty.assigned_on < _END, _duty.cancelled_on.is_(None),
    sa.or_(_duty.assigned_on >= _START, sa.and_(_duty.due >= _START, _duty.due < _END)),
)  # fmt: skip
"""Duties that were assigned or due in a period."""
_DUTIES = sa.select(DutyFact).where(OneOf(_duty.member, "ids"), IN_PERIOD)
_TRAININGS = sa.select(TrainingFact).where(OneOf(_training.member, "ids"), _training.assigned_on < _END)
_CHECKS = sa.select(CheckFact).where(OneOf(_check.id, "ids"))
_ANSWERS = sa.select(FeedbackFact).where(
    _feedback.on >= _START, _feedback.on < _END, _feedback.team == sa.bindparam("team"), _feedback.withdrawn.is_(False)
)


async def duties_of(snapshot: Snapshot, team: Belonging, end: date) -> tuple[Duty, ...]:
    """Duties that were assigned to members or due in the period."""
    found = await snapshot.all(DutyFact, _DUTIES, start=team.period.start, end=end, ids=team.ids)
    return tuple(duty_of(each, end) for each in found)


def duty_of(fact: DutyFact, end: date) -> Duty:
    """A duty as it stood when a day began."""
    assert fact.assigned_on is not None
    done = [str(each["on"]) for each in fact.done if str(each["on"]) < end.isoformat()]
    accepted = fact.accepted_on if fact.accepted_on and fact.accepted_on < end else None
    # Who receives it may look at it later: what counts is that it was done in time, and found good since.
    return Duty(
        id=fact.id, owner=fact.member, assigned_on=fact.assigned_on, due=fact.due, goal=fact.goal,
        receiver=fact.received_by,
        done_on=date.fromisoformat(done[-1]) if done else None,
        accepted_on=date.fromisoformat(done[-1]) if accepted and done else None,
    )  # fmt: skip


async def trainings_of(snapshot: Snapshot, team: Belonging, end: date, rules: TrainingRules) -> tuple[Training, ...]:
    """Trainings of members; which courses train teamwork is said by the rule-set, or by themselves; when a check is
    passed, by the rule-set."""
    found = await snapshot.all(TrainingFact, _TRAININGS, end=end, ids=team.ids)
    scores = {each.id: each.score for each in await snapshot.all(CheckFact, _CHECKS, ids=[each.id for each in found])}
    since = end.toordinal() - round(rules.months * 365.25 / 12)
    return tuple(
        Training(
            id=each.id, member=each.member,
            teamwork=each.course in rules.courses or each.trains == TEAMWORK, assigned_on=each.assigned_on,
            completed_on=each.completed_on if each.completed_on and each.completed_on < end else None,
            passed=None if (score := scores.get(each.id)) is None else score >= rules.passed,
        )
        for each in found
        if each.assigned_on is not None and each.cancelled_on is None
        and (each.completed_on is None or each.completed_on.toordinal() >= since)
    )  # fmt: skip


async def training_cost_of(snapshot: Snapshot, team: Belonging, end: date, currency: str) -> float:
    """What the trainings cost that members finished in the period."""
    found = await snapshot.all(TrainingFact, _TRAININGS, end=end, ids=team.ids)
    spent = sum(
        each.cost for each in found
        if each.completed_on and team.period.start <= each.completed_on < end and each.currency == currency
    )  # fmt: skip
    return float(Money.of_minor(spent, currency).text)


async def answers_of(snapshot: Snapshot, team: Belonging, end: date) -> tuple[Answer, ...]:
    """What customers of the team answered."""
    found = await snapshot.all(FeedbackFact, _ANSWERS, start=team.period.start, end=end, team=team.team.id)
    return tuple(
        Answer(id=each.id, on=each.on, score=each.score, member=each.member, recommends=each.recommends)
        for each in found if each.on
    )  # fmt: skip
