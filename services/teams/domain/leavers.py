"""Why members leave, counted so that nobody is told of: the reasons go out five at a time, without who or which day."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import ClassVar, Final, Literal

from sqlmodel import Field

from shared.events.teams import LeaverNoted, LeaversExplained
from shared.store import Entity
from shared.store.types import Json

Reason = Literal[
    "career", "pay", "manager", "workload", "mistreatment", "relocation", "retirement", "dismissed", "other"
]
FEWEST: Final = 5
"""Of fewer leavers than this nothing is said."""
ALL: Final = "leavers"


class Leavers(Entity, table=True):
    """Those of whom it is known why they left, and not yet told."""

    kind: ClassVar[str] = "leavers"

    waiting: dict[str, list[str]] = Field(default_factory=dict, sa_type=Json)
    """By member the first day of being gone and the reason: never told to anybody."""

    def explain(self, member: str, on: date, reason: str) -> LeaverNoted | LeaversExplained:
        """Learn why one more member left; tell it of all who wait when they are enough."""
        self.waiting = self.waiting | {member: [on.isoformat(), reason]}
        if len(self.waiting) < FEWEST:
            return LeaverNoted()
        days = [date.fromisoformat(day) for day, _ in self.waiting.values()]
        reasons = dict(Counter(reason for _, reason in sorted(self.waiting.values(), key=lambda each: each[1])))
        self.waiting = {}
        return LeaversExplained(start=min(days), end=max(days) + timedelta(days=1), reasons=reasons)

    def forget(self, member: str, *, stays: bool = False) -> LeaverNoted | None:
        """Forget who it was that left for a reason which still waits to be told, or that they did."""
        if member not in self.waiting:
            return None
        others = {who: said for who, said in self.waiting.items() if who != member}
        nameless = f"somebody {sum(who.startswith('somebody') for who in others) + 1}"
        self.waiting = others if stays else others | {nameless: self.waiting[member]}
        return LeaverNoted()
