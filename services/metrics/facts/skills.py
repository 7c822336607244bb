"""Skills as the views see them: the levels that jobs need of each, and those that members have, by day."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from sqlmodel import Field

from shared.events.trainings import SkillAssessed, SkillChanged, SkillNamed
from shared.facts import Fact, Facts
from shared.membership import Spell, held_on, observed, spell
from shared.store.types import Json


class SkillFact(Fact, table=True):
    """Something members can do, and the levels of it that jobs need."""

    __tablename__ = "skill_fact"
    kind: ClassVar[str] = "skill"

    name: str = ""
    needs: dict[str, list[Spell]] = Field(default_factory=dict, sa_type=Json)
    """By job, the levels that it needs, from which day on; 0 is none."""

    def needed_on(self, job: str | None, day: date) -> int:
        """The level that a job needed on a day; 0 if it needed none."""
        return _level(self.needs.get(job or "", []), day)


class AbilityFact(Fact, table=True):
    """What level a member has of a skill, from when to when."""

    __tablename__ = "ability_fact"
    kind: ClassVar[str] = "ability"

    member: str = ""
    skill: str = ""
    levels: list[Spell] = Field(default_factory=list, sa_type=Json)

    def level_on(self, day: date) -> int:
        """The level of a day; 0 while nobody has looked."""
        return _level(self.levels, day)


def _level(spells: list[Spell], day: date) -> int:
    held = held_on(spells, day)
    return int(held["of"]) if held else 0


skills, abilities = Facts(SkillFact), Facts(AbilityFact)


@skills.on(SkillNamed)
@skills.on(SkillChanged)
def name_skill(skill: SkillFact, event: SkillNamed | SkillChanged) -> None:
    skill.name = event.name
    if isinstance(event, SkillChanged):
        since_ever = {job: [spell(level, date.min)] for job, level in event.needed.items()}
        skill.needs = {
            job: [spell(each.level, each.on, each.until) for each in levels] for job, levels in event.needs.items()
        } or since_ever


@abilities.on(SkillAssessed)
def assess(ability: AbilityFact, event: SkillAssessed) -> None:
    ability.member, ability.skill = event.member, event.skill
    ability.levels = observed(ability.levels, event.level, event.on)
