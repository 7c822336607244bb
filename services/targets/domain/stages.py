"""Stages of the pipeline: their order, and from which day on a deal in one has which chance of being won."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Self

from sqlmodel import Field

from shared.errors import Refused
from shared.events.pipeline import Chance, Qualified, StageDescribed
from shared.money import plain
from shared.store import Entity
from shared.store.types import Json


class StageExists(Refused):
    """There is a stage {key} already, in place {position}; change that one."""

    at = "/key"


class ClosedIsNoStage(Refused):
    """A deal becomes {key} by its verb, not by a stage; {key} has the chance {chance} of itself."""

    status, at = 422, "/key"


class Stage(Entity, table=True):
    """A step that deals take on their way to being won; its id is the word that deals carry."""

    kind: ClassVar[str] = "stage"

    name: str
    position: int
    chances: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """Dated, oldest first: `{"from": day, "chance": decimal string}`."""
    qualified: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """Whether deals in it count as qualified, dated like the chances: `{"from": day, "qualified": "yes" or "no"}`."""

    @classmethod
    def describe(
        cls, *, id: str, name: str, position: int, chances: Sequence[tuple[date, Decimal]],
        qualified: Sequence[tuple[date, bool]] = (), **identity: Any,
    ) -> tuple[Self, StageDescribed]:  # fmt: skip
        """Add a stage."""
        stage = cls.make(
            id=id, name=name, position=position, chances=_dated([], chances), qualified=_said([], qualified), **identity
        )
        return stage, stage._told()

    def change(
        self, *, name: str | None = None, position: int | None = None, chance: tuple[date, Decimal] | None = None
    ) -> StageDescribed | None:
        """Describe the stage differently; a chance holds from its day on, and days before keep theirs."""
        before = (self.name, self.position, self.chances)
        self.name = name if name is not None else self.name
        self.position = position if position is not None else self.position
        self.chances = _dated(self.chances, [chance] if chance is not None else [])
        return None if (self.name, self.position, self.chances) == before else self._told()

    def qualify(self, since: date, qualified: bool) -> StageDescribed | None:
        """Say whether deals in it count as qualified from a day on; days before keep what they had."""
        before, self.qualified = self.qualified, _said(self.qualified, [(since, qualified)])
        return None if self.qualified == before else self._told()

    def _told(self) -> StageDescribed:
        qualified = (
            Qualified(since=date.fromisoformat(each["from"]), qualified=each["qualified"] == "yes")
            for each in self.qualified
        )
        chances = (Chance(since=date.fromisoformat(each["from"]), chance=each["chance"]) for each in self.chances)
        return StageDescribed(
            name=self.name, position=self.position, chances=tuple(chances), qualified=tuple(qualified)
        )


def _said(known: Sequence[dict[str, Any]], more: Sequence[tuple[date, bool]]) -> list[dict[str, Any]]:
    by_day = {each["from"]: each for each in known}
    by_day |= {since.isoformat(): {"from": since.isoformat(), "qualified": "yes" if said else "no"}
               for since, said in more}  # fmt: skip
    return [by_day[day] for day in sorted(by_day)]


def _dated(known: Sequence[dict[str, Any]], more: Sequence[tuple[date, Decimal]]) -> list[dict[str, Any]]:
    by_day = {each["from"]: each for each in known}
    by_day |= {since.isoformat(): {"from": since.isoformat(), "chance": plain(chance)} for since, chance in more}
    return [by_day[day] for day in sorted(by_day)]
