"""What metrics tells of itself to those who meet: figures of one moment."""

from __future__ import annotations

from datetime import date
from typing import Any

from shared.events import Event, event


@event("concert.metrics.pack-frozen.v1")
class PackFrozen(Event):
    """For a joint meeting each department's figures of one and the same moment, and in what departments differ.

    It is told once and never changes; what is heard later is in the pack of the next meeting.
    """

    meeting: str
    on: date
    """The day of the meeting."""
    period: dict[str, str]
    as_of: dict[str, Any]
    """The moment: the latest recorded time among the events it holds, and how many they are by owner."""
    currency: str
    views: dict[str, dict[str, Any]]
    """By department `figures` and `notes`, as `/v1/views` shows them."""
    differences: tuple[dict[str, Any], ...] = ()
    """What should agree and does not: `name`, `departments`, `left`, `right` and their values, and what is pending."""
    sums: tuple[dict[str, Any], ...] = ()
    """Which figures add up members' quotas, as `view`, `figures` and `members`; no members where they are too many
    to be named."""
