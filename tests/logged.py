"""What Concert writes to its log while a test looks, as an operator sees it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from shared import logs


class Lines:
    """Lines of JSON, as they come."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        """All of it."""
        return self.stream.getvalue()

    @property
    def all(self) -> list[dict[str, Any]]:
        """Line by line."""
        return [json.loads(line) for line in self.text.splitlines()]

    def of(self, event: str, **said: Any) -> list[dict[str, Any]]:
        """The lines of an event, those which say this of it."""
        return [each for each in self.all if each["event"] == event and said.items() <= each.items()]


@contextmanager
def logged(level: str = "debug") -> Iterator[Lines]:
    """Everything of this level and above that is logged meanwhile."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, least = root.handlers[:], root.level
    disabled = logging.getLogger("uvicorn.access").disabled
    lines = Lines()
    logs.configure(level, "json", lines.stream)
    try:
        yield lines
    finally:
        root.handlers[:] = handlers
        root.setLevel(least)
        logging.getLogger("uvicorn.access").disabled = disabled
        structlog.configure(**before)
