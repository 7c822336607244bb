"""Reviews: an immutable document of a team and a period, what was decided on it, and how its effect will be judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any, ClassVar, Self

import sqlalchemy as sa
from sqlmodel import Field

from shared.errors import Refused
from shared.events.reviews import (
    ActionDecided,
    EffectJudged,
    ReviewCommented,
    ReviewMade,
    ReviewOutdated,
    ReviewThinned,
    Step,
    VerificationExtended,
    VerificationPlanned,
)  # fmt: skip
from shared.store import Entity
from shared.store.types import Json


class Outdated(Refused):
    """Revision {revision} of this review is outdated; {by} stands for it."""


class TooOldToDecide(Refused):
    """This review is older than half a year, and since {on} tells nothing of members; review a later period."""


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
    {end}; there are {weeks}. To correct for regression to the mean instead, at least {teams} teams must have been
    reviewed in this period and the one before; there are {known}."""

    status, at = 422, "/starts_on"


class StartsBeforeDecided(Refused):
    """What was decided on {on} cannot start on {starts_on}."""

    status, at = 422, "/starts_on"


class StartsOtherwise(Refused):
    """What was decided is carried out from {starts_on} on; its effect is judged from the same day."""

    status, at = 422, "/starts_on"


class NobodySeesToIt(Refused):
    """{options} asks somebody to see to it; the team has no leader, so name who does."""

    status, at = 422, "/responsible"


class NothingPlanned(Refused):
    """How the effect is judged was not fixed before it started; without a baseline there is nothing to judge."""


class StillWatched(Refused):
    """The effect is watched until {until}; on {today} it is too early to judge it."""


class AlreadyJudged(Refused):
    """The effect was judged on {on}: {verdict}."""


SETTLED_DAYS = 14
"""After so many days what happened in a week is settled and told."""
LONG_AGO = "1900-01-01"
EXTENSION_WEEKS = 13
"""For so long an effect that cannot be told from chance is watched once more."""


class Review(Entity, table=True):
    """What was found of a team's work in a period, by which rules, and what is to be done."""

    __table_args__ = (sa.Index("review_team", "team", "start"),)
    kind: ClassVar[str] = "review"
    prefix: ClassVar[str] = "rev"
    hidden: ClassVar[frozenset[str]] = frozenset(
        {"document", "evidence", "states", "rules", "start", "end", "label", "comments", "pairs", "steps", "members"}
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
    starts_on: date | None = None
    """From when on what was decided is carried out."""
    weeks: int = 13
    """For how long."""
    responsible: str | None = None
    """Who sees to it."""
    steps: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """What it is carried out by, as it was told."""
    members: list[str] = Field(default_factory=list, sa_type=Json)
    """Who was in the team when it was decided."""
    comments: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    plan: dict[str, Any] | None = Field(default=None, sa_type=Json)
    """How the effect will be judged."""
    judged: dict[str, Any] | None = Field(default=None, sa_type=Json)
    """What became of it: the verdict, the estimate, the share carried out, and what was learnt of the option."""
    judged_on: date | None = Field(default=None, index=True)
    thinned_on: date | None = None
    """Since when nothing is told of members any more."""

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

    def refuse_to_decide(self, options: Sequence[str]) -> None:
        """Refuse what cannot be decided: on an outdated revision, a second time, or what is not offered."""
        self._refuse_if_outdated()
        if self.thinned_on is not None:
            raise TooOldToDecide(on=self.thinned_on)
        if self.decided:
            raise AlreadyDecided(options=" and ".join(self.decided), on=self.decided_on)
        for each in options:
            if each not in self.offered:
                raise NotAmongTheOptions(option=each, known=", ".join(self.offered))

    def decide(
        self,
        options: Sequence[str],
        reason: str | None,
        *,
        on: date,
        by: str | None,
        members: Sequence[str],
        steps: Sequence[Step] = (),
        departments: Sequence[str] = (),
        responsible: str | None = None,
        starts_on: date | None = None,
        weeks: int = 13,
    ) -> ActionDecided:
        """Decide what is done: what is recommended, or with a reason something else of what is offered."""
        self.refuse_to_decide(options)
        besides = set(self.document["recommendation"]["besides"])
        first = self.document["recommendation"]["first"]
        another = first is not None and sorted(first.split("+")) != list(self.recommended)
        deviates = set(options) - besides != set(self.recommended) - besides
        if (deviates or another) and not (reason or "").strip():
            raise DeviatesWithoutReason(recommended="+".join(self.recommended), chosen="+".join(options))
        starts = starts_on or on
        if starts < on:
            raise StartsBeforeDecided(on=on, starts_on=starts)
        self.decided, self.decided_on, self.decided_by, self.reason = sorted(set(options)), on, by, reason
        self.starts_on, self.weeks, self.responsible, self.members = starts, weeks, responsible, list(members)
        self.steps = [asdict(each) for each in steps]
        # Only what is done about pairs tells who they are: then everybody will see them meet.
        pairs = tuple(pair for step in steps for pair in step.pairs)
        return ActionDecided(
            team=self.team, department=self.department, options=tuple(self.decided), on=on, deviates=deviates, by=by,
            pairs=pairs, members=tuple(members), starts_on=starts, weeks=weeks, responsible=responsible,
            departments=tuple(departments), steps=tuple(steps),
        )  # fmt: skip

    def comment(
        self, text: str, *, on: date, by: str | None, kind: str = "comment", about: str | None = None
    ) -> ReviewCommented:
        """Say something of it, or object to it or to one of its numbers, as one of the team or who leads it."""
        said = {"text": text, "on": on.isoformat(), "by": by, "kind": kind, "about": about}
        self.comments = [*self.comments, said]
        return ReviewCommented(on=on)

    def freeze(self, plan: Mapping[str, Any], *, starts_on: date, weeks: int, planned_on: date) -> VerificationPlanned:
        """Fix how the effect is judged, before it starts."""
        self._refuse_if_outdated()
        if not self.decided:
            raise NothingDecided
        if self.plan is not None:
            raise AlreadyPlanned(starts_on=self.plan["starts_on"])
        if self.steps and starts_on != self.starts_on:
            raise StartsOtherwise(starts_on=self.starts_on)
        self.plan = {
            **plan, "starts_on": starts_on.isoformat(), "weeks": weeks, "extended": False,
            "planned_on": planned_on.isoformat(), "decided_on": (self.decided_on or starts_on).isoformat(),
        }  # fmt: skip
        self.plan["decides_on"] = self.watched_until.isoformat()
        return VerificationPlanned(
            measure=plan["measure"], starts_on=starts_on, weeks=weeks, comparison=plan["comparison"],
            smallest_worthwhile=plan["smallest_worthwhile"], comparisons=tuple(plan["comparisons"]),
            baseline_weeks=plan["baseline_weeks"], fresh=plan["fresh"],
            balance=tuple(each["measure"] for each in plan["balance"]),
        )  # fmt: skip

    @property
    def watched_until(self) -> date:
        """The first day after the weeks in which the effect shows; raises NothingPlanned."""
        if self.plan is None:
            raise NothingPlanned
        # Teams that start by lot are watched together, until the last of them has had its weeks.
        starts = [self.plan["starts_on"], *((self.plan.get("lot") or {}).get("starts") or {}).values()]
        return date.fromisoformat(max(starts)) + timedelta(weeks=self.plan["weeks"])

    def due_by(self, day: date) -> bool:
        """Whether its verdict is due by itself; what was planned when all was over is history told late."""
        if self.plan is None or self.judged is not None:
            return False
        planned_on = date.fromisoformat(self.plan.get("planned_on", LONG_AGO))
        return planned_on < self.watched_until <= day - timedelta(days=SETTLED_DAYS)

    def refuse_to_judge(self, today: date) -> None:
        """Refuse a verdict without a plan, before its time, or a second one."""
        if self.judged is not None:
            raise AlreadyJudged(on=self.judged["on"], verdict=self.judged["verdict"])
        if today < self.watched_until:
            raise StillWatched(until=self.watched_until, today=today)

    def judge(self, found: Mapping[str, Any], on: date) -> EffectJudged | VerificationExtended:
        """Say what became of it; what cannot be told from chance is watched once more."""
        self.refuse_to_judge(on)
        assert self.plan is not None, "what is judged was planned"
        if found["verdict"] == "inconclusive" and not self.plan["extended"]:
            self.plan = self.plan | {"weeks": self.plan["weeks"] + EXTENSION_WEEKS, "extended": True}
            self.plan["decides_on"] = self.watched_until.isoformat()
            return VerificationExtended(weeks=EXTENSION_WEEKS, until=self.watched_until)
        self.judged, self.judged_on = {**found, "on": on.isoformat()}, on
        estimate = found["estimate"] or {}
        return EffectJudged(
            verdict=found["verdict"], on=on, options=tuple(self.decided), measure=self.plan["measure"],
            change=estimate.get("change"), error=estimate.get("error"), carried_out=found["carried_out"]["share"],
        )  # fmt: skip

    def thin(self, on: date, document: Mapping[str, Any], evidence: Mapping[str, list[str]]) -> ReviewThinned | None:
        """Forget whom it was about; what is of the team stays, and so do the hashes of what it was."""
        if self.thinned_on is not None:
            return None
        self.thinned_on, self.document, self.evidence, self.pairs = on, dict(document), dict(evidence), []
        return ReviewThinned(on=on)

    def _refuse_if_outdated(self) -> None:
        if self.outdated_by is not None:
            raise Outdated(revision=self.revision, by=self.outdated_by)
