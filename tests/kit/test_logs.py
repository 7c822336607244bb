"""A log line is one line of JSON with its request, and without tokens or personal data."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from shared import logs
from tests.kit.identities import bearer_text

TOKEN = bearer_text()


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    disabled = logging.getLogger("uvicorn.access").disabled
    stream = io.StringIO()
    logs.configure("info", "json", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("uvicorn.access").disabled = disabled
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_names_its_request_and_trace(out: io.StringIO) -> None:
    logs.bind_request("req-1", "trace-1")
    structlog.get_logger("concert.deals").info("deal won", deal="deal_1", lines=3)
    (line,) = lines(out)
    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "deal won", "deal": "deal_1", "lines": 3, "level": "info", "logger": "concert.deals",
        "request_id": "req-1", "trace_id": "trace-1",
    }  # fmt: skip


def test_lines_of_libraries_look_the_same(out: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").warning("started on %s", "port 8000", extra={"process_kind": "server"})
    (line,) = lines(out)
    assert (line["event"], line["level"], line["process_kind"]) == ("started on port 8000", "warning", "server")


def test_less_important_lines_are_left_out(out: io.StringIO) -> None:
    structlog.get_logger("concert").debug("detail")
    logging.getLogger("library").debug("detail")
    logging.getLogger("uvicorn.access").info("GET /?login=abc")
    assert out.getvalue() == ""


def test_a_failure_is_one_line_with_its_traceback(out: io.StringIO) -> None:
    try:
        raise ValueError(f"cannot use {TOKEN} of anna@example.org")
    except ValueError:
        structlog.get_logger("concert").exception("fault")
    (line,) = lines(out)
    assert "ValueError: cannot use [hidden] of [hidden]" in line["exception"]


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("token", "abc", "[hidden]"), ("Authorization", "Basic abc", "[hidden]"), ("password", "x", "[hidden]"),
        ("email", "x", "[hidden]"), ("name", "Anna Berg", "[hidden]"), ("member_name", "Anna Berg", "[hidden]"),
        ("signing_secret", "x", "[hidden]"), ("cookie", "x", "[hidden]"), ("api_key", "x", "[hidden]"),
        ("url", "postgresql://concert:s3cret@db/teams", "postgresql://[hidden]@db/teams"),
        ("path", "/v1/x?key=s3cret&n=1", "/v1/x?key=[hidden]&n=1"), ("path", "/?login=s3cret", "/?login=[hidden]"),
        ("header", "Bearer s3cret", "Bearer [hidden]"), ("text", f"a {TOKEN} b", "a [hidden] b"),
        ("who", "anna.berg@mail.example.org", "[hidden]"),
        ("path", "/v1/members/ext:hr:anna berg/join", "/v1/members/ext:[hidden]/join"),
        ("path", "/v1/deals?owner=ext%3Ahr%3Aanna&limit=1", "/v1/deals?owner=ext%3A[hidden]&limit=1"),
        ("inner", {"email": "x", "n": 1}, {"email": "[hidden]", "n": 1}),
        ("many", ["a@example.org", 2, None], ["[hidden]", 2, None]), ("topic_name", "concert.teams", "concert.teams"),
        ("seconds", 0.25, 0.25), ("deal", "deal_1@7", "deal_1@7"), ("subject", "deal/1@7", "deal/1@7"),
    ],
)  # fmt: skip
def test_what_is_private_is_hidden(out: io.StringIO, name: str, value: Any, shown: Any) -> None:
    structlog.get_logger("concert").info("seen", **{name: value})
    assert lines(out)[0][name] == shown


def test_people_get_lines_to_read() -> None:
    stream = io.StringIO()
    logs.configure("info", "console", stream)
    structlog.get_logger("concert").info("deal won", deal="deal_1", token="s3cret")
    text = stream.getvalue()
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()
    assert "deal won" in text
    assert not text.startswith("{")
    assert "s3cret" not in text
