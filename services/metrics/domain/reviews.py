"""Reviews: an immutable document of a team and a period, what was decided on it, and how its effect will be judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar, Self

import sqlalchemy as sa
from sqlmodel import Field

from shared.errors import Refused
from shared.events.reviews import ActionDecided, ReviewCommented, ReviewMade, ReviewOutdated, VerificationPlanned
from shared.store import Entity
from shared.store.types import Json


class Outdated(Refused):
    """Revision {revision} of this review is outdated; {by} stands for it."""


class AlreadyDecided(Refused):
    """On this review {options} was decided on {on}."""


class NotAmongTheOptions(Refused):
    """{option} is not among the options of this review; these are {known}."""

    status, at = 422, "/options"


class DeviatesWithoutReason(Refused):
    """The review recommends {recommended}; who decides {chosen} says why."""

    status, at = 422, "/reason"


class NothingDecided(Refused):
    """Nothing has been decided on this review, so there is no effect to judge."""


class AlreadyPlanned(Refused):
    """How the effect is judged was fixed before {starts_on}; it is not changed afterwards."""


class NoBaseline(Refused):
    """A baseline needs at least {least} weeks that lie before {starts_on} and are not part of the review, which ends on
    {end}; there are {weeks}."""

    status, at = 422, "/starts_on"


LIAISONS = "O1b"
"""The option that brings those together between whom a tie is missing."""
FRESH_WEEKS = 6
"""So many weeks after the weakness was found, and before the action starts, make a baseline."""


class Review(Entity, table=True):
    """What was found of a team's work in a period, by which rules, and what is to be done."""

    __table_args__ = (sa.Index("review_team", "team", "start"),)
    kind: ClassVar[str] = "review"
    prefix: ClassVar[str] = "rev"
    hidden: ClassVar[frozenset[str]] = frozenset(
        {"document", "evidence", "states", "rules", "start", "end", "label", "comments", "pairs"}
    )

    team: str
    department: str = ""
    start: date
    end: date
    label: str
    revision: int = 1
    rule_set: str
    catalogue: str
    inputs_hash: str
    result_hash: str
    made_by: str | None = None
    made_on: date
    outdated_by: str | None = None
    document: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    evidence: dict[str, list[str]] = Field(default_factory=dict, sa_type=Json)
    """By the path of a number, the things it is made of."""
    rules: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """The whole rule-set it was made by."""
    states: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    """The states that the next review confirms weaknesses by."""
    pairs: list[list[str]] = Field(default_factory=list, sa_type=Json)
    """Between whom work needs a tie that there is not."""
    decided: list[str] = Field(default_factory=list, sa_type=Json)
    decided_on: date | None = None
    decided_by: str | None = None
    reason: str | None = None
    comments: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    plan: dict[str, Any] | None = Field(default=None, sa_type=Json)
    """How the effect will be judged."""

    @classmethod
    def hold(cls, **fields: Any) -> tuple[Self, ReviewMade]:
        """Keep what was found."""
        review = cls.make(**fields)
        return review, ReviewMade(
            team=review.team, start=review.start, end=review.end, revision=review.revision, rule_set=review.rule_set,
            inputs=review.inputs_hash, result=review.result_hash, externals=review.externals,
        )  # fmt: skip

    def give_way(self, to: str) -> ReviewOutdated | None:
        """Be outdated by a later revision; what was decided on it stays."""
        if self.outdated_by is not None:
            return None
        self.outdated_by = to
        return ReviewOutdated(by=to)

    @property
    def recommended(self) -> Sequence[str]:
        """The options that are recommended; no action where none is."""
        named = self.document["recommendation"]["option"]
        return tuple(sorted(named.split("+"))) if named else ("O0",)

    @property
    def offered(self) -> Sequence[str]:
        """The options that can be decided on."""
        rows = (self.document["options"] or {"rows": []})["rows"]
        besides = self.document["recommendation"]["besides"]
        return sorted({part for row in rows for part in row["options"]} | {*besides, *self.recommended, "O0"})

    def decide(
        self, options: Sequence[str], reason: str | None, *, on: date, by: str | None, members: Sequence[str]
    ) -> ActionDecided:
        """Decide what is done: what is recommended, or with a reason something else of what is offered."""
        self._refuse_if_outdated()
        if self.decided:
            raise AlreadyDecided(options=" and ".join(self.decided), on=self.decided_on)
        for each in options:
            if each not in self.offered:
                raise NotAmongTheOptions(option=each, known=", ".join(self.offered))
        besides = set(self.document["recommendation"]["besides"])
        first = self.document["recommendation"]["first"]
        another = first is not None and sorted(first.split("+")) != list(self.recommended)
        deviates = set(options) - besides != set(self.recommended) - besides
        if (deviates or another) and not (reason or "").strip():
            raise DeviatesWithoutReason(recommended="+".join(self.recommended), chosen="+".join(options))
        self.decided, self.decided_on, self.decided_by, self.reason = sorted(options), on, by, reason
        # Only what is done about pairs tells who they are: then everybody will see them meet.
        pairs = tuple((str(one), str(other)) for one, other in self.pairs if LIAISONS in options)
        return ActionDecided(
            team=self.team, department=self.department, options=tuple(self.decided), on=on, deviates=deviates, by=by,
            pairs=pairs, members=tuple(members),
        )  # fmt: skip

    def comment(
        self, text: str, *, on: date, by: str | None, kind: str = "comment", about: str | None = None
    ) -> ReviewCommented:
        """Say something of it, or object to it or to one of its numbers, as one of the team or who leads it."""
        said = {"text": text, "on": on.isoformat(), "by": by, "kind": kind, "about": about}
        self.comments = [*self.comments, said]
        return ReviewCommented(on=on)

    def freeze(self, plan: Mapping[str, Any], *, starts_on: date, weeks: int) -> VerificationPlanned:
        """Fix how the effect is judged, before it starts: against weeks that are not those it was found weak by."""
        self._refuse_if_outdated()
        if not self.decided:
            raise NothingDecided
        if self.plan is not None:
            raise AlreadyPlanned(starts_on=self.plan["starts_on"])
        fresh = (starts_on - self.end).days // 7
        if fresh < FRESH_WEEKS:
            raise NoBaseline(least=FRESH_WEEKS, starts_on=starts_on, end=self.end, weeks=max(0, fresh))
        self.plan = {**plan, "starts_on": starts_on.isoformat(), "weeks": weeks, "baseline_weeks": fresh}
        return VerificationPlanned(
            measure=plan["measure"], starts_on=starts_on, weeks=weeks, comparison=plan["comparison"],
            smallest_worthwhile=plan["smallest_worthwhile"],
        )  # fmt: skip

    def _refuse_if_outdated(self) -> None:
        if self.outdated_by is not None:
            raise Outdated(revision=self.revision, by=self.outdated_by)
