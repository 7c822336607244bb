"""What a decision on a review obliges meetings to do: liaisons for missing ties, meetings that come again, an action;
and what is taken back with a decision that is withdrawn.

Ids come from the id of the event that told the decision, so what is heard twice makes nothing twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import sqlalchemy as sa

from services.meetings.domain.actions import Action
from services.meetings.domain.items import Item
from services.meetings.domain.liaisons import Liaison
from services.meetings.domain.meetings import Meeting
from services.meetings.domain.series import Series
from shared.events import Envelope
from shared.events.reviews import ActionDecided, DecisionWithdrawn, Step
from shared.ids import derived_id
from shared.instant import zone_named
from shared.known import house
from shared.store import Tx
from shared.works import title_of

MEET_AT: Final = time(9)
"""When those meet who did not say when; they move it as they like."""
NAMES: Final = {"joint": "Stand-up with other departments", "team": "Stand-up", "debrief": "Debrief on the review"}
SATURDAY: Final = 5
_liaison, _series = Liaison.__table__.c, Series.__table__.c  # type: ignore[attr-defined]
_action, _meeting = Action.__table__.c, Meeting.__table__.c  # type: ignore[attr-defined]
_LIAISONS = sa.select(Liaison).where(_liaison.review == sa.bindparam("review")).order_by(_liaison.id)
_SERIES = sa.select(Series).where(_series.review == sa.bindparam("review")).order_by(_series.id)
_ACTIONS = sa.select(Action).where(_action.review == sa.bindparam("review")).order_by(_action.id)
_MEETINGS = sa.select(Meeting).where(_meeting.series == sa.bindparam("series")).order_by(_meeting.id)
_DEPARTMENT: Final = "department:"


async def carry_out(tx: Tx, event: ActionDecided, envelope: Envelope) -> None:
    """Make of a decision what its steps say."""
    for step in event.steps:
        make = MAKERS.get(step.what)
        if make is not None:
            await make(tx, event, envelope, step)


async def pair_them(tx: Tx, event: ActionDecided, envelope: Envelope, step: Step) -> None:
    """A liaison for each pair between whom work needs a tie."""
    begins = event.begins
    for one, other in step.pairs:
        liaison = derived_id(Liaison.prefix, f"{envelope.id} {step.option} {one} {other}")
        if await tx.seek_unlocked(Liaison, liaison) is None:
            tx.save(*Liaison.pair(
                sender=None, may=(), id=liaison, externals={}, team=event.team, begins_on=begins,
                until=begins + timedelta(weeks=event.weeks), every_days=step.every_days or 7, **_side("from", one),
                **_side("to", other), **_cause(envelope, step),
            ))  # fmt: skip


async def let_them_meet(tx: Tx, event: ActionDecided, envelope: Envelope, step: Step) -> None:
    """A series of meetings, with what the review found on its table."""
    series = derived_id(Series.prefix, f"{envelope.id} {step.option}")
    if await tx.seek_unlocked(Series, series) is not None:
        return
    every, begins = step.every_days or 7, event.begins
    times = step.times or max(1, event.weeks * 7 // every)
    rhythm = f"FREQ=WEEKLY;INTERVAL={every // 7}" if every % 7 == 0 else f"FREQ=DAILY;INTERVAL={every}"
    # Where no other department is concerned, the team meets alone.
    form = "team" if step.kind == "joint" and not event.departments else step.kind or "team"
    zone = (await house(tx)).zone
    tx.save(*Series.plan(
        id=series, externals={}, name=NAMES[form], form=form, teams=[event.team], zone=zone,
        departments=list(event.departments) if form == "joint" else [], rrule=f"{rhythm};COUNT={times}",
        starts_at=_first(begins, zone), minutes=step.minutes or 30, **_cause(envelope, step),
    ))  # fmt: skip
    tx.save(*Item.bring_up(
        id=derived_id(Item.kind, series), externals={}, sort="report", series=series, raised_on=min(event.on, begins),
        title="What the review found, and what was decided", about=f"/v1/reviews/{envelope.key}",
    ))  # fmt: skip


async def ask_for_action(tx: Tx, event: ActionDecided, envelope: Envelope, step: Step) -> None:
    """An action of who sees to it."""
    action = derived_id(Action.prefix, f"{envelope.id} {step.option}")
    if event.responsible is not None and await tx.seek_unlocked(Action, action) is None:
        tx.save(*Action.agree(
            id=action, externals={}, title=title_of(step.work), owner=event.responsible,
            agreed_on=event.on, due=event.begins + timedelta(days=step.due_days or 14), asked_by=event.by,
            **_cause(envelope, step),
        ))  # fmt: skip


async def take_back(tx: Tx, event: DecisionWithdrawn, envelope: Envelope) -> None:
    """End what was made of a decision that is withdrawn: what was done, or met, stays as it was."""
    for liaison in await tx.all(Liaison, _LIAISONS, review=envelope.key):
        found = await tx.load(Liaison, liaison.id)
        if found.ended_on is None:
            tx.save(found, found.end(max(event.on, found.begins_on), None))
    for each in await tx.all(Series, _SERIES, review=envelope.key):
        await _let_them_not_meet(tx, await tx.load(Series, each.id), event.on)
    for action in await tx.all(Action, _ACTIONS, review=envelope.key):
        open_still = await tx.load(Action, action.id)
        if open_still.status == "open":
            tx.save(open_still, open_still.cancel(max(event.on, open_still.agreed_on)))


async def _let_them_not_meet(tx: Tx, series: Series, on: date) -> None:
    """No more meetings of a series, unless they have begun to meet."""
    meetings = await tx.all(Meeting, _MEETINGS, series=series.id)
    if series.ended_on is not None or any(each.status in ("running", "ended") for each in meetings):
        return
    tx.save(series, series.end(on))
    for each in meetings:
        if each.status == "called":
            called = await tx.load(Meeting, each.id)
            tx.save(called, called.cancel())


MAKERS: Final[Mapping[str, Callable[[Tx, ActionDecided, Envelope, Step], Awaitable[None]]]] = {
    "liaisons": pair_them,
    "meetings": let_them_meet,
    "action": ask_for_action,
}


def _side(at: str, who: str) -> dict[str, Any]:
    if who.startswith(_DEPARTMENT):
        return {f"{at}_department": who.removeprefix(_DEPARTMENT)}
    return {f"{at}_member": who}


def _cause(envelope: Envelope, step: Step) -> dict[str, str]:
    return {"review": envelope.key, "option": step.option}


def _first(begins: date, zone: str) -> datetime:
    """The first working day from a day on, at the usual hour."""
    day = begins
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return datetime.combine(day, MEET_AT, zone_named(zone))
