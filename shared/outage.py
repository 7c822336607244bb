"""An engine that does not answer is said once, and once more when it does again: how often it was tried is no news."""

from __future__ import annotations

import time

import structlog

log = structlog.get_logger(__name__)
CALM_SECONDS = 1.0
"""For how long all must be well: an engine that answers one and fails another is not back."""


class Outage:
    """Whether an engine is away, as far as one process can tell."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self._since: float | None = None
        self._last = 0.0

    def goes_on(self, reason: str) -> None:
        """It has not answered, or not as it must."""
        self._last = time.monotonic()
        if self._since is None:
            self._since = self._last
            log.error("engine_away", engine=self.engine, reason=reason)

    def is_over(self) -> None:
        """It has answered."""
        moment = time.monotonic()
        if self._since is not None and moment - self._last > CALM_SECONDS:
            log.warning("engine_back", engine=self.engine, seconds=round(moment - self._since, 1))
            self._since = None
