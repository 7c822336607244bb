"""What targets tells of how targets go: pushed to whoever listens, instead of looked up.

The progress of a target is a thing of its own, `progress/<target>`, so that telling of it does not change the target
under those who edit it.
"""

from __future__ import annotations

from datetime import date

from shared.events import Event, event


@event("concert.targets.target-checked-in.v1")
class TargetCheckedIn(Event):
    """Somebody says how confident they are to reach a target, from 0 to 1; what they note stays with targets."""

    on: date
    confidence: str


@event("concert.targets.progress-reached.v1")
class ProgressReached(Event):
    """So much of a target was attained on a day for the first time: a half, nine tenths, or all of it.

    Of a target of which less is better, so much of what it allows is `used` up.
    """

    level: str
    metric: str
    threshold: str
    on: date
    attainment: str
    ref: str | None = None
    used: str | None = None
    """What of its allowance is used up, where less is better: the threshold is of that."""


@event("concert.targets.progress-taken-back.v1")
class ProgressTakenBack(Event):
    """So much of a target is not attained any more: what was counted was corrected, or the target was raised."""

    level: str
    metric: str
    threshold: str
    on: date
    attainment: str
    ref: str | None = None
    used: str | None = None
    """What of its allowance is used up, where less is better: the threshold is of that."""


@event("concert.targets.progress-noted.v1")
class ProgressNoted(Event):
    """How a target stood when a week began: attainment, and pace as a share of what was due (none before anything
    was)."""

    level: str
    metric: str
    week: date
    attainment: str | None
    pace: str | None
    ref: str | None = None
    used: str | None = None
    """What of its allowance was used up by then, where less is better."""
