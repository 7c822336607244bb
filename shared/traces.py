"""The trace that a request, the events it makes and all that follows from these have in common (W3C Trace Context).

It comes with a request and goes on by the headers of what a service asks others, by the postage of its events, and by
what is done about those. While something is done as part of a trace, each log line of it says so.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

# Version 00 and whatever later versions append; neither id may be all zeros.
_PARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_carried: ContextVar[tuple[str | None, Mapping[str, str]] | None] = ContextVar("carried", default=None)


def begun() -> str:
    """A trace that nobody has begun before."""
    return f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-01"


def known(trace: str | None) -> str | None:
    """A trace, if it is one: anybody may send a header, or write to the log."""
    return trace if trace is not None and _PARENT.fullmatch(trace) else None


def id_of(trace: str) -> str:
    """By what people look for a trace."""
    return trace[3:35]


@contextmanager
def carrying(trace: str | None, **names: str) -> Iterator[None]:
    """Let what is done until the end be part of a trace, or of none; log lines name it, and what else is given here."""
    if trace is not None:
        names["trace_id"] = id_of(trace)
    before = _carried.set((trace, names))
    try:
        yield
    finally:
        _carried.reset(before)


def names() -> Mapping[str, str]:
    """What a log line says of what is being done."""
    carried = _carried.get()
    return {} if carried is None else carried[1]


def headers() -> dict[str, str]:
    """What a request to another service is sent with, so that it is part of the same trace."""
    carried = _carried.get()
    return {} if carried is None or carried[0] is None else {"traceparent": carried[0]}
