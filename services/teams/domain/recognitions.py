"""Recognitions for what was done, challenges of a team, and what is said of the organisation in public."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Self

from sqlmodel import Field

from shared.errors import Refused
from shared.events.duties import (
    ChallengeChanged,
    ChallengeEnded,
    ChallengeSet,
    Recognised,
    RecognitionDescribed,
    RecognitionGiven,
    RecognitionWithdrawn,
)  # fmt: skip
from shared.events.support import ReputationHeard, ReputationWithdrawn
from shared.money import plain
from shared.store import Entity
from shared.store.types import Json


class OwnRecognition(Refused):
    """Nobody recognises what they have done themselves."""

    at = "/to"


class RecognitionIsWithdrawn(Refused):
    """This recognition was withdrawn on {on}."""


class ChallengeEndsBeforeItBegins(Refused):
    """A challenge that begins on {start} cannot end on {end}; the day in to is the first one after it."""

    status, at = 422, "/to"


class ChallengeIsOver(Refused):
    """This challenge was over on {on}."""


class ChallengeNotBegun(Refused):
    """This challenge begins on {start}; it cannot be over on {on}."""

    status, at = 422, "/on"


class WithdrawnAlready(Refused):
    """This was withdrawn on {on}."""


class Recognition(Entity, table=True):
    """Thanks to members for something they did."""

    kind: ClassVar[str] = "recognition"
    prefix: ClassVar[str] = "rcg"
    hidden: ClassVar[frozenset[str]] = frozenset({"done", "ref"})

    to: list[str] = Field(default_factory=list, sa_type=Json)
    by: str | None = Field(default=None, index=True)
    on: date
    done: str
    ref: str | None = None
    note: str | None = None
    withdrawn_on: date | None = None

    @classmethod
    def give(cls, to: Sequence[Recognised], **fields: Any) -> tuple[Self, RecognitionGiven]:
        """Thank members."""
        recognition = cls.make(to=[each.member for each in to], **fields)
        if recognition.by in recognition.to:
            raise OwnRecognition
        return recognition, RecognitionGiven(
            to=tuple(to), by=recognition.by, on=recognition.on, done=recognition.done, ref=recognition.ref,
            externals=recognition.externals,
        )  # fmt: skip

    def withdraw(self, on: date) -> RecognitionWithdrawn:
        """Take it back: it was a mistake."""
        if self.withdrawn_on is not None:
            raise RecognitionIsWithdrawn(on=self.withdrawn_on)
        self.withdrawn_on = on
        return RecognitionWithdrawn(on=on)

    def forget(self) -> RecognitionDescribed | None:
        """Forget in which words they were thanked; that they were stays."""
        if self.note is None:
            return None
        self.note = None
        return RecognitionDescribed()


class Challenge(Entity, table=True):
    """Something a team or a group wants to reach together; it never ranks people."""

    kind: ClassVar[str] = "challenge"
    prefix: ClassVar[str] = "chl"
    hidden: ClassVar[frozenset[str]] = frozenset({"starts_on", "ends_on", "group_id"})

    name: str
    aim: str | None = None
    team: str = Field(index=True)
    group_id: str | None = None
    goal: str | None = None
    starts_on: date
    ends_on: date
    over_on: date | None = None
    reached: bool | None = None

    @classmethod
    def begin(cls, **fields: Any) -> tuple[Self, ChallengeSet]:
        """Set a team or a group something to reach."""
        challenge = cls.make(**fields)
        challenge._refuse_no_days()
        return challenge, ChallengeSet(
            team=challenge.team, group=challenge.group_id, goal=challenge.goal, start=challenge.starts_on,
            end=challenge.ends_on, externals=challenge.externals,
        )  # fmt: skip

    def change(self, **fields: Any) -> ChallengeChanged | None:
        """Describe it differently while it lasts."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        self._refuse_if_over()
        for name, value in new.items():
            setattr(self, name, value)
        self._refuse_no_days()
        return ChallengeChanged(start=self.starts_on, end=self.ends_on, goal=self.goal)

    def end(self, on: date, reached: bool) -> ChallengeEnded:
        """Be over, reached or not."""
        self._refuse_if_over()
        if on < self.starts_on:
            raise ChallengeNotBegun(start=self.starts_on, on=on)
        self.over_on, self.reached = on, reached
        return ChallengeEnded(on=on, reached=reached)

    def _refuse_if_over(self) -> None:
        if self.over_on is not None:
            raise ChallengeIsOver(on=self.over_on)

    def _refuse_no_days(self) -> None:
        if self.ends_on <= self.starts_on:
            raise ChallengeEndsBeforeItBegins(start=self.starts_on, end=self.ends_on)


class Reputation(Entity, table=True):
    """A rating, a review or a complaint in public."""

    kind: ClassVar[str] = "reputation"
    prefix: ClassVar[str] = "rep"
    word: ClassVar[str] = "public opinion"
    shown_as: ClassVar[dict[str, str]] = {"sort": "kind"}

    sort: str = Field(index=True)
    source: str = Field(index=True)
    on: date
    score: str | None = None
    out_of: str = "5"
    """The best score there."""
    customer: str | None = None
    text: str | None = None
    url: str | None = None
    withdrawn_on: date | None = None

    @classmethod
    def hear(cls, **fields: Any) -> tuple[Self, ReputationHeard]:
        """Note what is said in public."""
        opinion = cls.make(**fields)
        return opinion, ReputationHeard(
            kind=opinion.sort, source=opinion.source, on=opinion.on, score=opinion._of_five(),
            customer=opinion.customer, externals=opinion.externals,
        )  # fmt: skip

    def _of_five(self) -> str | None:
        if self.score is None:
            return None
        return plain((Decimal(self.score) * 5 / Decimal(self.out_of)).quantize(Decimal("0.01")))

    def withdraw(self, on: date) -> ReputationWithdrawn:
        """It was taken back, or is not about us."""
        if self.withdrawn_on is not None:
            raise WithdrawnAlready(on=self.withdrawn_on)
        self.withdrawn_on = on
        return ReputationWithdrawn(on=on)
