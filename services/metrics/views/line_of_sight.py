"""Does what we do serve our goals? The share of targets, duties and actions that carry one.

A target counts while its days lie in the period; a duty or an action when it is assigned or agreed in it, or was still
to be done when it began. Whose they are is told by department, team, group and member: of a duty as of the day it was
assigned, of the others as at the end; a group has its own and what is its members' then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.meetings import ActionFact
from services.metrics.facts.support import DutyFact
from services.metrics.facts.targets import TargetFact
from services.metrics.facts.teams import GroupFact, TeamFact
from services.metrics.views.frame import Compute, Figure, Reading
from services.metrics.views.people import everybody
from services.metrics.views.row_source import Conditions, Counted, Source, simple
from services.metrics.views.values import shown_rate
from shared.facts import Fact
from shared.membership import on_day

_target = TargetFact.__table__.c  # type: ignore[attr-defined]
_duty = DutyFact.__table__.c  # type: ignore[attr-defined]
_action = ActionFact.__table__.c  # type: ignore[attr-defined]
_START, _END = sa.bindparam("start", type_=sa.Date()), sa.bindparam("end", type_=sa.Date())
_TARGETS = sa.select(TargetFact).where(
    _target.start < _END, _target.end > _START, sa.or_(_target.closed_on.is_(None), _target.closed_on > _START)
)
_DUTIES = sa.select(DutyFact).where(_duty.assigned_on < _END)
_ACTIONS = sa.select(ActionFact).where(_action.agreed_on < _END)
_TEAMS, _GROUPS = sa.select(TeamFact), sa.select(GroupFact)
WHOSE: Final = ("department", "team", "group", "member")
Whose = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Work:
    """Something that could serve a goal: whether it does, and whose it is."""

    kind: str
    id: str
    serves: bool
    whose: Mapping[str, str | None]
    groups: Sequence[str] = ()
    """The groups it counts for."""

    def is_of(self, dim: str, key: str) -> bool:
        """Whether it counts for somebody."""
        return key in self.groups if dim == "group" else self.whose.get(dim) == key


async def work_of(reading: Reading, kind: str | None = None) -> list[Work]:
    """The targets, duties and actions of what is asked about, or those of one kind."""
    found: list[Work] = await reading.shared("line of sight", lambda: _all_work(reading))
    return [
        each
        for each in found
        if kind in (None, each.kind) and all(each.is_of(dim, key) for dim, key in reading.filters.items())
    ]


async def _all_work(reading: Reading) -> list[Work]:
    span, snapshot = reading.question.span, reading.snapshot
    start, places, groups, found = span.start, await _places(reading), await _groups(reading), []
    for target in await snapshot.all(TargetFact, _TARGETS, start=start, end=span.end):
        whose: Whose = places.get((target.level, target.ref), {target.level: target.ref})
        own = [target.ref] if target.level == "group" else groups.get(target.ref, [])
        found.append(Work("target", target.id, target.goal is not None, whose, own))
    for duty in await snapshot.all(DutyFact, _DUTIES, end=span.asked):
        if duty.assigned_on is not None and (duty.assigned_on >= start or duty.to_do_before(start)):
            whose = {"department": duty.department, "team": duty.team, "member": duty.member}
            own = [duty.group] if duty.group is not None else groups.get(duty.member or "", [])
            found.append(Work("duty", duty.id, duty.goal is not None, whose, own))
    for action, whose in await agreed_actions(reading):
        if action.agreed_on is not None and (action.agreed_on >= start or action.to_do_before(start)):
            own = groups.get(action.owner, [])
            found.append(Work("action", action.id, action.goal is not None, whose, own))
    return found


async def agreed_actions(reading: Reading) -> list[tuple[ActionFact, Whose]]:
    """The actions agreed by the end, each with the department, team and member that it counts for; read once for all
    figures and rows."""

    async def read() -> list[tuple[ActionFact, Whose]]:
        places = await _places(reading)
        found = await reading.snapshot.all(ActionFact, _ACTIONS, end=reading.question.span.asked)
        return [(each, places.get(("member", each.owner), {"member": each.owner})) for each in found]

    found: list[tuple[ActionFact, Whose]] = await reading.shared("agreed actions", read)
    return found


async def _groups(reading: Reading) -> dict[str, list[str]]:
    """Of each member the groups they are in at the end."""
    last = reading.question.span.last_asked
    return {member.id: on_day(member.groups, last) for member in await everybody(reading)}


async def _places(reading: Reading) -> dict[tuple[str, str], dict[str, str | None]]:
    """Of teams, groups and members the department, team and member that what is theirs counts for at the end."""

    async def read() -> dict[tuple[str, str], dict[str, str | None]]:
        return await _read_places(reading, reading.question.span.asked - timedelta(days=1))

    found: dict[tuple[str, str], dict[str, str | None]] = await reading.shared("places", read)
    return found


async def _read_places(reading: Reading, last: date) -> dict[tuple[str, str], dict[str, str | None]]:
    snapshot = reading.snapshot
    departments = {each.id: each.department for each in await snapshot.all(TeamFact, _TEAMS)}
    places: dict[tuple[str, str], dict[str, str | None]] = {}
    for team, department in departments.items():
        places["team", team] = {"team": team, "department": department}
    for group in await snapshot.all(GroupFact, _GROUPS):
        places["group", group.id] = places.get(("team", group.team), {"team": group.team})
    for member in await everybody(reading):
        belongs = {"team": member.team_on(last), "department": member.department_on(last)}
        places["member", member.id] = {"member": member.id, **belongs}
    return places


def share_with_goal(figure: str, kind: str | None = None) -> Compute:
    """How much of what is done carries a goal."""

    async def compute(reading: Reading) -> Any:
        if set(reading.filters) - set(WHOSE):
            reading.note(figure, "what serves goals is known by department, team, group and member")
            return None
        found = await work_of(reading, kind)
        if not found:
            reading.note(figure, "there was nothing in the period that could have served a goal")
        return shown_rate(sum(each.serves for each in found), len(found))

    return compute


def _rows(model: type[Fact], kind: str) -> Conditions:
    async def conditions(reading: Reading) -> list[sa.ColumnElement[bool]]:
        found = [each.id for each in await work_of(reading, kind)]
        return [model.__table__.c.id.in_(found)]  # type: ignore[attr-defined]

    return conditions


def _show_target(target: TargetFact) -> dict[str, Any]:
    """A target without what is aimed at: whoever sees whether it serves a goal may not see targets."""
    fields = ("metric", "level", "goal", "start", "end")
    return {"ref": target.id, "kind": "target"} | {name: getattr(target, name) for name in fields}


def _counted(serves: Callable[[Any], bool]) -> Counted:
    """Each counts below the line, and above it if it carries a goal."""

    async def count(reading: Reading, facts: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
        return [{"part": {"numerator": int(serves(each)), "denominator": 1}} for each in facts]

    return count


_BY_GOAL = _counted(lambda each: each.goal is not None)
FIGURES: Final = (
    Figure("line_of_sight", "Targets, duties and actions of the period that carry a goal ÷ all of them: targets with a "
           "day in it; duties and actions begun in it, or still to be done when it began.",
           share_with_goal("line_of_sight"), "work"),
    Figure("targets_with_goal", "Targets with a day in the period that carry a goal ÷ all of these.",
           share_with_goal("targets_with_goal", "target"), "targets_at_work"),
    Figure("duties_with_goal", "Duties of the period that carry a goal ÷ all of these.",
           share_with_goal("duties_with_goal", "duty"), "duties_at_work"),
    Figure("actions_with_goal", "Actions of the period that carry a goal ÷ all of these.",
           share_with_goal("actions_with_goal", "action"), "actions_at_work"),
)  # fmt: skip
_TARGETS_AT_WORK = Source(TargetFact, _rows(TargetFact, "target"), _show_target, counted=_BY_GOAL)
_DUTIES_AT_WORK = Source(
    DutyFact, _rows(DutyFact, "duty"), simple("duty", "member", "group", "goal", "assigned_on", "due"), counted=_BY_GOAL
)
_ACTIONS_AT_WORK = Source(
    ActionFact, _rows(ActionFact, "action"), simple("action", "owner", "goal", "agreed_on", "due"), counted=_BY_GOAL
)
GOAL_ROWS: Mapping[str, Source] = {
    "targets_at_work": _TARGETS_AT_WORK,
    "duties_at_work": _DUTIES_AT_WORK,
    "actions_at_work": _ACTIONS_AT_WORK,
    "work": replace(_ACTIONS_AT_WORK, then=replace(_DUTIES_AT_WORK, then=_TARGETS_AT_WORK)),
}
