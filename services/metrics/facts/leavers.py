"""Why members left, as the views see it: counted of five at least, and never whom."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlmodel import Field

from shared.events.teams import LeaversExplained
from shared.facts import Fact, Facts
from shared.store.types import Json


class LeaversFact(Fact, table=True):
    """What was told of leavers, in the order of telling."""

    __tablename__ = "leavers_fact"
    kind: ClassVar[str] = "leavers"

    told: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """`{"start", "end", "reasons"}`: the days on which those left, and how many for which reason."""


leavers = Facts(LeaversFact)


@leavers.on(LeaversExplained)
def explain(fact: LeaversFact, event: LeaversExplained) -> None:
    told = {"start": event.start.isoformat(), "end": event.end.isoformat(), "reasons": event.reasons}
    fact.told = [*fact.told, told]
