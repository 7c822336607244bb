"""Rule-sets and options that an organisation has put in the place of those that come with the package."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Self

from sqlmodel import Field

from shared.events.reviews import OptionsAdopted, RuleSetAdopted
from shared.store import Entity
from shared.store.types import Json


class OwnRuleSet(Entity, table=True):
    """The lines, least numbers, caps and weights that reviews are made by from a day on."""

    __tablename__ = "rule_set"
    kind: ClassVar[str] = "rule_set"
    prefix: ClassVar[str] = "rules"
    word: ClassVar[str] = "rule-set"

    named: str = Field(index=True)
    rules: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    adopted_on: date
    adopted_at: str = Field(index=True)

    @classmethod
    def adopt(cls, **fields: Any) -> tuple[Self, RuleSetAdopted]:
        """Make reviews by these rules from now on."""
        found = cls.make(**fields)
        return found, RuleSetAdopted(version=found.named, externals=found.externals)


class OwnOptions(Entity, table=True):
    """The options that reviews choose from, from a day on."""

    __tablename__ = "option_set"
    kind: ClassVar[str] = "option_set"
    prefix: ClassVar[str] = "opts"
    word: ClassVar[str] = "set of options"

    named: str = Field(index=True)
    options: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    adopted_on: date
    adopted_at: str = Field(index=True)

    @classmethod
    def adopt(cls, **fields: Any) -> tuple[Self, OptionsAdopted]:
        """Let reviews choose from these options from now on."""
        found = cls.make(**fields)
        names = tuple(str(each["id"]) for each in found.options)
        return found, OptionsAdopted(version=found.named, options=names, externals=found.externals)
