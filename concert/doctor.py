"""`concert doctor`: is everything around Concert as it must be, and if not, what is to be done?"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import parse_qsl, unquote, urlsplit

import structlog
import typer
from rich.console import Console
from rich.text import Text

from concert.checks import Check, Finding, checks_of
from shared import settings
from shared.settings import BadSettings, Settings

SECONDS = 10.0
"""For all checks, which are made side by side: of a silent engine many ask, each with a patience of its own."""
HIDDEN = "***"
_STYLES = {"ok": "green", "warning": "yellow", "wrong": "red"}


def doctor() -> None:
    """Check what Concert stands on, a line each; leaves with 1 when something is wrong."""
    console = Console(highlight=False, soft_wrap=True)
    wrong = 0
    with _quiet():
        for name, finding, secrets in _findings():
            wrong += finding.verdict == "wrong"
            _say(console, name, finding, secrets)
    console.print("Nothing is wrong." if not wrong else f"Wrong: {wrong}.")
    raise typer.Exit(1 if wrong else 0)


def _findings() -> Iterator[tuple[str, Finding, Sequence[str]]]:
    try:
        chosen = settings.load()
    except BadSettings as fault:
        for line in str(fault).splitlines():
            yield "settings", Finding("wrong", line, "the other checks wait for that"), ()
        return
    yield "settings", Finding("ok", "they can be used"), ()
    for sentence in settings.unknown():
        yield "settings", Finding("warning", sentence), ()
    secrets = _secrets(chosen)
    begun = [(name, begin(check)) for name, check in checks_of(chosen)]
    for name, found in begun:
        yield name, found(), secrets


def begin(check: Check, seconds: float = SECONDS) -> Callable[[], Finding]:
    """Begin a check; the answer waits for what it finds, within this time and whatever becomes of it."""
    found: queue.SimpleQueue[Finding] = queue.SimpleQueue()
    until = time.monotonic() + seconds

    def work() -> None:
        try:
            found.put(check())
        except Exception as fault:  # a check that fails is one more thing that is wrong
            found.put(Finding("wrong", "this cannot be checked", why=f"{type(fault).__name__}: {fault}"))

    def wait() -> Finding:
        try:
            return found.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            return Finding("wrong", f"no answer within {seconds:g} s", "see whether it hangs, or cannot be reached")

    # A thread that nobody waits for at the end: what hangs must not keep us.
    threading.Thread(target=work, daemon=True).start()
    return wait


def _say(console: Console, name: str, finding: Finding, secrets: Sequence[str]) -> None:
    said = finding.said
    if finding.why:
        said += f": {' '.join(_without(secrets, finding.why).split())}"
    if finding.remedy:
        said += f" -> {finding.remedy}"
    console.print(Text(f"{finding.verdict:<9}", _STYLES[finding.verdict]) + Text(f"{name:<15}{said}"))


def _without(secrets: Sequence[str], words: str) -> str:
    for secret in secrets:
        words = words.replace(secret, HIDDEN)
    return words


def _secrets(chosen: Settings) -> list[str]:
    """What opens any address that was set, as it was written and as it is meant; the longest first."""
    found: set[str] = set()
    for value in chosen.model_dump().values():
        if isinstance(value, str) and "://" in value:
            user, _, password = value.partition("://")[2].rpartition("@")[0].partition(":")
            found |= {f"{user}:{password}" if password else "", password, unquote(password)}
            found |= {secret for _, secret in parse_qsl(urlsplit(value).query)}
    return sorted(found - {""}, key=len, reverse=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """Let nobody speak beside us: what their lines say is in ours."""
    before, ours = logging.root.manager.disable, structlog.get_config()["wrapper_class"]
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        logging.disable(before)
        structlog.configure(wrapper_class=ours)
