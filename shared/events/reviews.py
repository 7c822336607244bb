"""What metrics tells of reviews: that one was made, what was decided on it, and by which rules and options.

What a review says, why somebody decided otherwise and what was commented stays with metrics.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from shared.events import Event, event


@event("concert.metrics.review-made.v1")
class ReviewMade(Event):
    """The work of a team in a period was reviewed; the hashes say of what and with which result."""

    team: str
    start: date
    end: date
    revision: int
    rule_set: str
    inputs: str
    result: str
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.metrics.review-outdated.v1")
class ReviewOutdated(Event):
    """Something was corrected since: a later revision stands for this one."""

    by: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something an option is carried out by: liaisons, meetings, trainings, a duty or an action.

    Titles stand with whoever makes it: `work` is a word of `shared.works`.
    """

    option: str
    what: str
    kind: str | None = None
    """Of meetings how they are held, of trainings what the course trains."""
    work: str | None = None
    every_days: int | None = None
    minutes: int | None = None
    times: int | None = None
    due_days: int | None = None
    """Until when it is to be done, from the start on."""
    courses: tuple[str, ...] = ()
    """Of trainings those courses of which it is said that they train this."""
    pairs: tuple[tuple[str, str], ...] = ()
    """Between whom there are to be liaisons; `department:it` stands for a department in which nobody was named."""


@event("concert.metrics.action-decided.v1")
class ActionDecided(Event):
    """Something is to be done about what a review found: by which steps, from which day on, and with whom."""

    team: str
    department: str
    options: tuple[str, ...]
    on: date
    deviates: bool
    by: str | None = None
    pairs: tuple[tuple[str, str], ...] = ()
    """Between whom work needs a tie that there is not."""
    members: tuple[str, ...] = ()
    """The members of the team."""
    starts_on: date | None = None
    """From when on it is carried out; from the day of the decision, if not said."""
    weeks: int = 13
    """For how long."""
    responsible: str | None = None
    """Who sees to it."""
    departments: tuple[str, ...] = ()
    """With which other departments the missing ties are."""
    steps: tuple[Step, ...] = ()

    @property
    def begins(self) -> date:
        """The day from which on it is carried out."""
        return self.starts_on or self.on


@event("concert.metrics.decision-withdrawn.v1")
class DecisionWithdrawn(Event):
    """What was decided is taken back before it was carried out: what has not begun of it is not done. Why, stays with
    metrics."""

    team: str
    options: tuple[str, ...]
    on: date
    by: str | None = None


@event("concert.metrics.objection-answered.v1")
class ObjectionAnswered(Event):
    """Somebody who decides on a review has answered an objection to it; what, stays with metrics."""

    on: date
    changed: bool
    """Whether a later revision says something else because of it."""


@event("concert.metrics.review-commented.v1")
class ReviewCommented(Event):
    """Somebody has said something of a review; what, stays with metrics."""

    on: date


@event("concert.metrics.verification-planned.v1")
class VerificationPlanned(Event):
    """How the effect of what was decided will be judged, fixed before it starts."""

    measure: str
    starts_on: date
    weeks: int
    smallest_worthwhile: str
    comparison: str | None = None
    """The first of the teams it is compared with."""
    comparisons: tuple[str, ...] = ()
    baseline_weeks: int | None = None
    fresh: bool | None = None
    """Whether the weeks of the baseline lie after those the weakness was found by."""
    balance: tuple[str, ...] = ()
    """What must not get worse."""
    pooled: tuple[str, ...] = ()
    """The reviews of other teams that are judged together with it."""


@event("concert.metrics.verification-extended.v1")
class VerificationExtended(Event):
    """The effect could not be told from chance: it is watched for so many weeks more, once."""

    weeks: int
    until: date


@event("concert.metrics.effect-judged.v1")
class EffectJudged(Event):
    """What became of what was decided: the verdict, the change in points and how sure it is, and the share that was
    carried out."""

    verdict: str
    on: date
    options: tuple[str, ...]
    measure: str
    change: str | None = None
    error: str | None = None
    carried_out: str | None = None


@event("concert.metrics.rule-set-adopted.v1")
class RuleSetAdopted(Event):
    """Reviews are made by these rules from now on; earlier ones keep theirs."""

    version: str
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.metrics.options-adopted.v1")
class OptionsAdopted(Event):
    """Reviews choose from these options from now on; earlier ones keep theirs."""

    version: str
    options: tuple[str, ...]
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.metrics.review-thinned.v1")
class ReviewThinned(Event):
    """Half a year has gone by: of a review only what is of the team is kept."""

    on: date
