"""Reviews: an immutable document of a team and a period, what was decided on it, and how its effect will be judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any, ClassVar, Self

import sqlalchemy as sa
from sqlmodel import Field

from services.metrics.domain.review_refusals import (
    AlreadyDecided,
    AlreadyJudged,
    AlreadyPlanned,
    AnsweredAlready,
    AnswersOwnObjection,
    CarriedOutAlready,
    DeviatesWithoutReason,
    JudgedWithAnother,
    NoLaterRevision,
    NoSuchObjection,
    NotAlike,
    NotAmongTheOptions,
    NothingDecided,
    NothingPlanned,
    NothingToWithdraw,
    Outdated,
    StartsBeforeDecided,
    StartsOtherwise,
    StartWasDrawn,
    StillWatched,
    TooOldToDecide,
)
from shared.events.reviews import (
    ActionDecided,
    DecisionWithdrawn,
    EffectJudged,
    ObjectionAnswered,
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
        {"document", "evidence", "states", "rules", "start", "end", "label", "comments", "pairs", "steps", "members",
         "withdrawn", "due_on"}
    )  # fmt: skip

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
    lines_moved: list[str] = Field(default_factory=list, sa_type=Json)
    """The parts of the rule-set by which something is weak that were others when the period began."""
    states: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    """The states that the next review confirms weaknesses by."""
    pairs: list[list[str]] = Field(default_factory=list, sa_type=Json)
    """Between whom work needs a tie that there is not."""
    decided: list[str] = Field(default_factory=list, sa_type=Json)
    decided_on: date | None = None
    decided_by: str | None = None
    reason: str | None = None
    withdrawn: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """Decisions that were taken back, oldest first: what, when and by whom it was decided and taken back, and why."""
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
    due_on: date | None = Field(default=None, index=True)
    """From when on its verdict is recorded by itself; none where there is nothing to judge, or only history."""
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
        alike = first in self.document["recommendation"].get("close", ())
        another = first is not None and not alike and sorted(first.split("+")) != list(self.recommended)
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

    def withdraw(
        self, reason: str, *, on: date, by: str | None, done: Mapping[str, Any] | None, together_with: str | None
    ) -> DecisionWithdrawn:
        """Take back what was decided, as long as no step of it is `done`; another decision may follow."""
        self._refuse_to_withdraw(done, together_with)
        options = tuple(self.decided)
        self.withdrawn = [*self.withdrawn, {
            "options": list(options), "decided_on": self.decided_on and self.decided_on.isoformat(),
            "decided_by": self.decided_by, "on": on.isoformat(), "by": by, "reason": reason,
        }]  # fmt: skip
        self.decided, self.decided_on, self.decided_by, self.reason = [], None, None, None
        self.starts_on, self.weeks, self.responsible = None, 13, None
        self.steps, self.members, self.plan, self.due_on = [], [], None, None
        return DecisionWithdrawn(team=self.team, options=options, on=on, by=by)

    def _refuse_to_withdraw(self, done: Mapping[str, Any] | None, together_with: str | None) -> None:
        if not self.decided:
            raise NothingToWithdraw
        if self.judged is not None:
            raise AlreadyJudged(on=self.judged["on"], verdict=self.judged["verdict"])
        if (self.plan or {}).get("lot"):
            raise StartWasDrawn
        if together_with is not None:
            raise JudgedWithAnother(review=together_with)
        if done is not None:
            raise CarriedOutAlready(**done)

    @property
    def objections(self) -> Sequence[dict[str, Any]]:
        """What was objected, oldest first."""
        return [each for each in self.comments if each.get("kind") == "objection"]

    def answer(self, number: int, text: str, *, changed: bool, on: date, by: str | None) -> ObjectionAnswered:
        """Answer an objection, and say whether a later revision says something else because of it."""
        if not 1 <= number <= len(self.objections):
            raise NoSuchObjection(known=len(self.objections), number=number)
        objection = self.objections[number - 1]
        if objection.get("answer") is not None:
            raise AnsweredAlready(number=number, on=objection["answer"]["on"])
        if by is not None and by == objection["by"]:
            raise AnswersOwnObjection
        if changed and self.outdated_by is None:
            raise NoLaterRevision
        said = {"text": text, "on": on.isoformat(), "by": by, "changed": changed,
                "revision": self.outdated_by if changed else None}  # fmt: skip
        self.comments = [each | {"answer": said} if each is objection else each for each in self.comments]
        return ObjectionAnswered(on=on, changed=changed)

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
        self._watch()
        return VerificationPlanned(
            measure=plan["measure"], starts_on=starts_on, weeks=weeks, comparison=plan["comparison"],
            smallest_worthwhile=plan["smallest_worthwhile"], comparisons=tuple(plan["comparisons"]),
            baseline_weeks=plan["baseline_weeks"], fresh=plan["fresh"],
            balance=tuple(each["measure"] for each in plan["balance"]),
            pooled=tuple(each["review"] for each in plan["pooled"]),
        )  # fmt: skip

    def refuse_to_pool(
        self, other: Review, teams: Sequence[str], starts_on: date, at: str, *, together_with: str | None = None
    ) -> None:
        """Refuse to judge another review together with this one, unless the same was decided for the same start, and
        its effect is judged nowhere else."""
        why = None
        if other.team in (self.team, *teams):
            why = f"team {other.team} counts once"
        elif other.decided != self.decided:
            why = f"{' and '.join(other.decided) or 'nothing'} was decided on it, not {' and '.join(self.decided)}"
        elif other.starts_on != starts_on:
            why = f"it is carried out from {other.starts_on} on, not from {starts_on}"
        elif other.plan is not None:
            why = "its effect is judged by itself"
        elif together_with is not None:
            why = f"it is judged together with review {together_with} already"
        if why is not None:
            raise NotAlike(review=other.id, why=why, pointer=at)

    @property
    def watched_until(self) -> date:
        """The first day after the weeks in which the effect shows; raises NothingPlanned."""
        if self.plan is None:
            raise NothingPlanned
        # Teams that start by lot are watched together, until the last of them has had its weeks.
        starts = [self.plan["starts_on"], *((self.plan.get("lot") or {}).get("starts") or {}).values()]
        return date.fromisoformat(max(starts)) + timedelta(weeks=self.plan["weeks"])

    def due_by(self, day: date) -> bool:
        """Whether its verdict is due by itself."""
        return self.due_on is not None and self.due_on <= day

    def _watch(self) -> None:
        """Note when the weeks are over; what was planned when all was over is history told late, and due to nobody."""
        assert self.plan is not None, "what is watched was planned"
        until = self.watched_until
        self.plan["decides_on"] = until.isoformat()
        late = date.fromisoformat(self.plan.get("planned_on", LONG_AGO)) >= until
        self.due_on = None if late else until + timedelta(days=SETTLED_DAYS)

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
            self._watch()
            return VerificationExtended(weeks=EXTENSION_WEEKS, until=self.watched_until)
        self.judged, self.judged_on, self.due_on = {**found, "on": on.isoformat()}, on, None
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
