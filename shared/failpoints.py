"""Named places at which a chaos run may kill the process; without `CONCERT_KILL_AT` they do nothing."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Mapping
from functools import cache


@cache
def _plan() -> Mapping[str, float]:
    """The chance that each place has to be the last one, asked for once in a process."""
    parts = (part.partition("=") for part in os.environ.get("CONCERT_KILL_AT", "").split(",") if part)
    return {name: float(chance) for name, _, chance in parts}


def point(name: str) -> None:
    """Die here, as if the power had gone, with the chance that the plan gives this place."""
    if (plan := _plan()) and random.random() < plan.get(name, 0):
        os.kill(os.getpid(), signal.SIGKILL)
