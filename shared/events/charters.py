"""What metrics tells of the grounds on which teams are reviewed; their words stay with metrics."""

from __future__ import annotations

from dataclasses import field

from shared.events import Event, event


@event("concert.metrics.review-charter-drawn-up.v1")
class ReviewCharterDrawnUp(Event):
    """The grounds of reviews were drawn up; reviews are on once nothing is missing."""

    missing: tuple[str, ...]
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.metrics.review-charter-changed.v1")
class ReviewCharterChanged(Event):
    """Something of the grounds of reviews was confirmed or put differently; says what is still missing."""

    missing: tuple[str, ...]
