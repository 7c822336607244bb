"""What a check says, and how it says it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check has found, what to do about it, and why: in the words of others, which may hold a secret."""

    verdict: Literal["ok", "warning", "wrong"]
    said: str
    remedy: str = ""
    why: str = ""


Check = Callable[[], Finding]


def bare(address: str) -> str:
    """Host, port and path of an address, without who may enter there and with what."""
    return address.partition("://")[2].rpartition("@")[2].partition("?")[0]


def shown(moment: datetime) -> str:
    """A moment as people read it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def reason(fault: BaseException) -> str:
    """The first line of what a fault says."""
    cause = getattr(fault, "orig", None) or fault
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0]
