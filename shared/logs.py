"""Log lines: one event a line, JSON for machines, colours for people, and nothing that should stay private."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import structlog
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import Processor

from shared import traces

HIDDEN: Final = "[hidden]"
_PRIVATE_NAMES = re.compile(
    r"token|authorization|cookie|password|secret|signature|api_?key|e_?mail|phone|^name$|_name$|^note$", re.I
)
_HARMLESS_NAMES = frozenset({"logger_name", "topic_name", "service_name", "consumer_name", "event_name"})
_PRIVATE_TEXT = re.compile(
    r"eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?"  # a JWT
    r"|(?<=://)[^/\s@]+(?=@)"  # user and password in an address
    r"|(?i:(?<=bearer )\S+)"
    r"|(?:(?<=[?&]key=)|(?<=[?&]login=)|(?<=[?&]token=))[^&\s]+"
    r"|(?i:(?<=\bext:)|(?<=\bext%3a))[^/?&\n]+"  # what another system calls somebody, in an address
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"  # an e-mail address
)


def configure(level: str = "info", form: str = "auto", stream: TextIO | None = None) -> None:
    """Write log lines of this level and above to a stream (standard error), whoever logs them.

    Start uvicorn with `log_config=None`: its own set-up would undo this one. Its access log is switched off because
    it writes query strings, and calendar links and logins carry their secret there.
    """
    out = stream or sys.stderr
    for_people = form == "console" or (form == "auto" and out.isatty())
    before: list[Processor] = [
        name_what_is_done,
        add_log_level,
        add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        hide_private,
    ]
    render: Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if for_people
        else structlog.processors.JSONRenderer(sort_keys=False, ensure_ascii=False)
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[ExtraAdder(), *before], processors=[ProcessorFormatter.remove_processors_meta, render]
        )
    )
    structlog.configure(
        processors=[*before, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        # Filters before it builds a line: what is not logged costs next to nothing.
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.access").disabled = True
    # Libraries that tell of every call or every revision are heard when something is wrong.
    for name in ("httpx", "httpcore", "alembic"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    # What goes wrong with an engine reaches us as an error too and is said once; its driver says it at each try.
    for name in ("aiokafka", "asyncpg"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def name_what_is_done(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Let every line name the request or the event it is about, and the trace; what it says of itself comes first."""
    for name, said in traces.names().items():
        event.setdefault(name, said)
    return event


def hide_private(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take tokens, passwords, e-mail addresses and people's names out of a log line."""
    return {name: _hidden(name, value) for name, value in event.items()}


def _hidden(name: str, value: Any) -> Any:
    if name in _HARMLESS_NAMES or name.startswith("_"):
        return value
    if _PRIVATE_NAMES.search(name):
        return HIDDEN
    if isinstance(value, str):
        return _PRIVATE_TEXT.sub(HIDDEN, value)
    if isinstance(value, dict):
        return {key: _hidden(str(key), each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_hidden("", each) for each in value]
    return value if value is None or isinstance(value, bool | int | float) else _PRIVATE_TEXT.sub(HIDDEN, str(value))
