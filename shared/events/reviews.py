"""What metrics tells of reviews: that one was made, what was decided on it, and by which rules and options.

What a review says, why somebody decided otherwise and what was commented stays with metrics.
"""

from __future__ import annotations

from dataclasses import field
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


@event("concert.metrics.action-decided.v1")
class ActionDecided(Event):
    """Something is to be done about what a review found; with whom, where an option is about pairs or members."""

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
