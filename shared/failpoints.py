"""Named places at which a chaos run may kill the process; without `CONCERT_KILL_AT` they do nothing."""

from __future__ import annotations

import os
import random
import signal

_plan = dict(part.partition("=")[::2] for part in os.environ.get("CONCERT_KILL_AT", "").split(",") if part)


def point(name: str) -> None:
    """Die here, as if the power had gone, with the chance that the plan gives this place."""
    if _plan and random.random() < float(_plan.get(name, 0)):
        os.kill(os.getpid(), signal.SIGKILL)
