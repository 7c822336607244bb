"""What a running service consists of; routes reach it through the request."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fastapi import Request

from shared.store import Store

if TYPE_CHECKING:
    from shared.bus import Bus
    from shared.consumer import Consumer
    from shared.http.pulse import Pulse
    from shared.http.waiting import Progress
    from shared.identity.issuer import PublishedKeys
    from shared.relay import Relay
    from shared.settings import Settings


@dataclass(slots=True)
class Runtime:
    """The parts of one running service."""

    service: str
    settings: Settings
    store: Store
    progress: Progress
    bus: Bus
    relay: Relay | None = None
    consumer: Consumer | None = None
    pulse: Pulse | None = None
    issuer: PublishedKeys | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when no more requests are taken: answers that stay open end then."""
    in_flight: set[tuple[str, str]] = field(default_factory=set)
    extras: dict[str, Any] = field(default_factory=dict)

    def parts(self) -> dict[str, str]:
        """The state of every part, `ok` or the reason why not."""
        parts: dict[str, str] = {}
        tasks: dict[str, Any] = self.extras.get("tasks", {})
        for name, task in tasks.items():
            parts[name] = f"stopped: {task.exception()}" if task.done() and not task.cancelled() else "ok"
        if self.relay is not None and self.relay.failure:
            parts["relay"] = self.relay.failure
        if self.consumer is not None:
            if self.consumer.failure:
                parts["applier"] = self.consumer.failure
            parts["bus"] = self.consumer.bus.healthy or "ok"
        if self.pulse is not None:
            parts["store"] = self.pulse.trouble or "ok"
        if self.issuer is not None and self.issuer.trouble:
            parts["identity"] = self.issuer.trouble
        return parts


def runtime_of(request: Request) -> Runtime:
    """The running service that a request came to."""
    runtime: Runtime = request.app.state.runtime
    return runtime
