"""Skills as the views see them: the level that jobs need of each, and the levels that members have."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from sqlmodel import Field

from shared.events.trainings import SkillAssessed, SkillChanged, SkillNamed
from shared.facts import Fact, Facts
from shared.membership import Spell, held_on, observed
from shared.store.types import Json


class SkillFact(Fact, table=True):
    """Something members can do, and the level of it that jobs need today."""

    __tablename__ = "skill_fact"
    kind: ClassVar[str] = "skill"

    name: str = ""
    needed: dict[str, int] = Field(default_factory=dict, sa_type=Json)


class AbilityFact(Fact, table=True):
    """What level a member has of a skill, from when to when."""

    __tablename__ = "ability_fact"
    kind: ClassVar[str] = "ability"

    member: str = ""
    skill: str = ""
    levels: list[Spell] = Field(default_factory=list, sa_type=Json)

    def level_on(self, day: date) -> int:
        """The level of a day; 0 while nobody has looked."""
        held = held_on(self.levels, day)
        return int(held["of"]) if held else 0


skills, abilities = Facts(SkillFact), Facts(AbilityFact)


@skills.on(SkillNamed)
@skills.on(SkillChanged)
def name_skill(skill: SkillFact, event: SkillNamed | SkillChanged) -> None:
    skill.name = event.name
    if isinstance(event, SkillChanged):
        skill.needed = event.needed


@abilities.on(SkillAssessed)
def assess(ability: AbilityFact, event: SkillAssessed) -> None:
    ability.member, ability.skill = event.member, event.skill
    ability.levels = observed(ability.levels, event.level, event.on)
