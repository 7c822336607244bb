"""What metrics tells of imports: that one has ended, and how much of it came."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime

from shared.events import Event, event


@event("concert.metrics.import-ended.v1")
class ImportEnded(Event):
    """What another system holds was brought in: from when to when, how many rows of it came, and whether all did."""

    source: str
    began_at: datetime
    ended_at: datetime
    complete: bool
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    externals: dict[str, str] = field(default_factory=dict)
