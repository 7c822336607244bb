"""Can our people do what their jobs need? Members who fall short of a level, and by which skills.

Looked at are those who work here at the end, by the job they have then, what that needs then and the levels of then. A
level that nobody has looked at is 0. What is told of them is told as of everything that concerns people
(`private.py`): of a department, of a team (the one joined last), and over all by skill. By both a team and a skill it
is not told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.skills import AbilityFact, SkillFact
from services.metrics.facts.teams import MemberFact
from services.metrics.views.frame import Compute, Figure, Reading
from services.metrics.views.people import BELONGING, by_belonging, everybody, last_day
from services.metrics.views.private import grouped, hidden, in_the_tree, kept_back, told, whole_stretches
from services.metrics.views.row_source import Source, simple
from shared.few import FEWEST
from shared.membership import on_day

_member = MemberFact.__table__.c  # type: ignore[attr-defined]
_NAMED, _HAVE = sa.select(SkillFact), sa.select(AbilityFact)
NO_NEEDS: Final = "of no job it is said which skills it needs"
OFFICE: Final = "skills:write"
"""Who assesses skills sees whose levels they are."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A member falls short of a level that their job needs."""

    person: str
    department: str
    team: str
    skill: str


@dataclass(frozen=True, slots=True)
class Gaps:
    """What jobs need, and who falls short of it."""

    skills: Mapping[str, str]
    """By skill that some job needs its name."""
    found: Sequence[Gap]


async def gaps_of(reading: Reading) -> Gaps:
    """Who falls short at the end, of everybody; read once for a breakdown."""

    async def read() -> Gaps:
        snapshot, last = reading.snapshot, last_day(reading)
        skills = await snapshot.all(SkillFact, _NAMED)
        named = [each for each in skills if any(each.needed_on(job, last) for job in each.needs)]
        abilities = await snapshot.all(AbilityFact, _HAVE) if named else []
        levels = {(each.member, each.skill): each.level_on(last) for each in abilities}
        here = [each for each in await everybody(reading) if on_day(each.employments, last)]
        found = [
            Gap(member.id, member.department_on(last) or "", member.team_on(last) or "", skill.id)
            for member in here for skill in named
            if levels.get((member.id, skill.id), 0) < skill.needed_on(member.job_on(last), last)
        ]  # fmt: skip
        return Gaps({each.id: each.name for each in named}, found)

    gaps: Gaps = await reading.shared("gaps in skills", read)
    return gaps


def _told_of(figure: str, worth: Callable[[Sequence[Gap]], int]) -> Compute:
    async def compute(reading: Reading) -> Any:
        if not by_belonging(reading, figure) or not _may_be_asked(reading, figure):
            return None
        gaps = await gaps_of(reading)
        if not gaps.skills:
            return reading.note(figure, NO_NEEDS)
        ((dim, key),) = reading.filters.items() or (("", ""),)
        by_key = grouped(gaps.found, lambda each: getattr(each, dim) if dim else "")
        mine = by_key.get(key, [])
        return hidden(reading, figure) if key in kept_back(by_key) or not told(mine) else worth(mine)

    return compute


def _may_be_asked(reading: Reading, figure: str) -> bool:
    """Whether a whole month, quarter or year is asked about: two ends that differ by a day would tell of that day."""
    if not in_the_tree(reading.question):
        reading.note(figure, whole_stretches("gaps in skills"))
    return in_the_tree(reading.question)


async def gaps_by_skill(reading: Reading) -> Any:
    """How many fall short of each skill, over all."""
    key = "skill_gaps_by_skill"
    if reading.filters:
        reading.note(key, "it is counted over all members, so that nobody is told of")
        return None
    if not _may_be_asked(reading, key):
        return None
    gaps = await gaps_of(reading)
    by_skill = grouped(gaps.found, lambda each: each.skill)
    few = kept_back(by_skill)
    if not gaps.skills or (few and few == by_skill.keys()):
        return hidden(reading, key) if few else reading.note(key, NO_NEEDS)
    if few:
        reading.note(key, f"{len(few)} skills of which it would tell of fewer than {FEWEST} people are not shown")
    shown: Counter[str] = Counter()
    for skill in by_skill.keys() - few:
        shown[gaps.skills[skill]] += len(by_skill[skill])
    return dict(sorted(shown.items()))


async def _rows(reading: Reading) -> list[sa.ColumnElement[bool]]:
    if set(reading.filters) - set(BELONGING):
        return [sa.false()]
    short = {each.person for each in (await gaps_of(reading)).found
             if all(getattr(each, dim) == key for dim, key in reading.filters.items())}  # fmt: skip
    return [_member.id.in_(sorted(short))]


_OPENED: Final = "not told where that would tell of fewer than five people"
SKILL_FIGURES = (
    Figure("members_with_skill_gaps", "Members here at the end of a month, a quarter or a year who fall short of a "
           f"level of a skill that their job needs then; {_OPENED}.",
           _told_of("members_with_skill_gaps", lambda found: len({each.person for each in found})), "skill_gaps"),
    Figure("skill_gaps", "Levels of skills that their jobs need then and members here at the end of a month, a "
           f"quarter or a year fall short of; {_OPENED}.", _told_of("skill_gaps", len), "skill_gaps"),
    Figure("skill_gaps_by_skill", "Members here at the end of a month, a quarter or a year who fall short of each "
           f"skill that jobs need; {_OPENED}.", gaps_by_skill, "skill_gaps"),
)  # fmt: skip
SKILL_ROWS: Mapping[str, Source] = {
    "skill_gaps": Source(
        MemberFact, _rows, simple("member", "departments", "memberships"),
        theirs=lambda members: _member.id.in_(members), office=OFFICE,
    ),
}  # fmt: skip
