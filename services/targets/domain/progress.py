"""Progress: what has been told of how a target goes.

Of a target of which more is better the thresholds are of its attainment. Of one of which less is better (complaints,
cost, days to answer) they are of its allowance: what was achieved ÷ what is aimed at, so that it is told when a half,
nine tenths and all of it are used up. Where nothing is allowed, anything at all is all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import Any, ClassVar, Final, Self

from sqlmodel import Field

from services.targets.domain.targets import Target
from shared.events.progress import ProgressNoted, ProgressReached, ProgressTakenBack
from shared.store import Entity
from shared.store.types import Json

THRESHOLDS: Final = ("0.5", "0.9", "1")
"""Of the attainment of a target, or of its allowance, what is told of when it is reached."""


class Progress(Entity, table=True):
    """How a target goes, as far as it was told: the thresholds that are reached, and the last weekly note."""

    kind: ClassVar[str] = "progress"
    word: ClassVar[str] = "progress of a target"

    metric: str
    level: str
    ref: str = Field(default="", index=True)
    reached: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """`{"threshold": "0.5", "on": day}`, lowest first."""
    attainment: str | None = None
    """As it was when something was told the last time."""
    pace: str | None = None
    used: str | None = None
    """What of its allowance was used up then, where less of it is better."""
    as_of: date | None = None
    week: date | None = None
    """The Monday of the last note."""

    @classmethod
    def of(cls, target: Target) -> Self:
        """Nothing is told yet."""
        return cls.make(id=target.id, externals={}, metric=target.metric, level=target.level, ref=target.ref)

    def measure(
        self, rate: Fraction, on: date, used: Fraction | None = None
    ) -> Iterator[ProgressReached | ProgressTakenBack]:
        """What is to be told of an attainment, or of what is used up of an allowance: thresholds that are reached, and
        those that are not any more."""
        shown, of_allowance = shown_rate(rate), shown_rate(used) if used is not None else None
        gone = rate if used is None else used
        told = {each["threshold"] for each in self.reached}
        for threshold in THRESHOLDS:
            is_reached = gone >= Fraction(threshold)
            if is_reached == (threshold in told):
                continue
            others = [each for each in self.reached if each["threshold"] != threshold]
            here = [{"threshold": threshold, "on": on.isoformat()}] if is_reached else []
            self.reached = sorted([*others, *here], key=lambda each: Fraction(each["threshold"]))
            self.attainment, self.used, self.as_of = shown, of_allowance, on
            event = ProgressReached if is_reached else ProgressTakenBack
            yield event(level=self.level, metric=self.metric, ref=self.ref or None, threshold=threshold, on=on,
                        attainment=shown, used=of_allowance)  # fmt: skip

    def note(
        self, week: date, rate: Fraction | None, pace: Fraction | None, on: date, used: Fraction | None = None
    ) -> ProgressNoted | None:
        """Tell once a week how the target stands; `week` is its Monday."""
        if self.week is not None and self.week >= week:
            return None
        self.week, self.as_of = week, on
        self.attainment = shown_rate(rate) if rate is not None else None
        self.pace = shown_rate(pace) if pace is not None else None
        self.used = shown_rate(used) if used is not None else None
        return ProgressNoted(level=self.level, metric=self.metric, ref=self.ref or None, week=week,
                             attainment=self.attainment, pace=self.pace, used=self.used)  # fmt: skip


def used_up(actual: Fraction, allowed: Fraction) -> Fraction:
    """What of an allowance is used up; of none, all of it by anything at all."""
    if allowed > 0:
        return actual / allowed
    return Fraction(actual > 0)


def shown_rate(rate: Fraction) -> str:
    """A rate as a decimal string with six places, rounded half-even."""
    millionths = round(rate * 10**6)
    sign, whole = ("-", -millionths) if millionths < 0 else ("", millionths)
    return f"{sign}{whole // 10**6}.{whole % 10**6:06d}"
