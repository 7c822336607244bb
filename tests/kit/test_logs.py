"""A log line is one line of JSON with its request, and without tokens or personal data."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from shared import logs, traces
from tests.kit.identities import bearer_text
from tests.logged import Lines, logged

TOKEN = bearer_text()


@pytest.fixture
def out() -> Iterator[Lines]:
    with logged("info") as written:
        yield written


def test_a_line_names_its_request_and_trace_and_no_other(out: Lines) -> None:
    log, outer, inner = structlog.get_logger("concert.deals"), traces.begun(), traces.begun()
    with traces.carrying(outer, request_id="req-1"):
        with traces.carrying(inner, request_id="req-2"):
            log.info("asked")
        log.info("deal won", deal="deal_1", lines=3)
    log.info("rested")
    asked, line, rested = out.all
    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "deal won", "deal": "deal_1", "lines": 3, "level": "info", "logger": "concert.deals",
        "request_id": "req-1", "trace_id": outer[3:35],
    }  # fmt: skip
    assert (asked["request_id"], asked["trace_id"]) == ("req-2", inner[3:35])
    assert rested.keys() == {"event", "level", "logger", "time"}


def test_what_a_line_says_of_itself_comes_first(out: Lines) -> None:
    with traces.carrying(traces.begun(), request_id="req-1"):
        structlog.get_logger("concert").info("parked", trace_id="its own")
        logging.getLogger("library").warning("slow")
    parked, slow = out.all
    assert (parked["trace_id"], parked["request_id"]) == ("its own", "req-1")
    assert slow["request_id"] == "req-1", "what libraries say belongs to the request too"


def test_lines_of_libraries_look_the_same(out: Lines) -> None:
    logging.getLogger("uvicorn.error").warning("started on %s", "port 8000", extra={"process_kind": "server"})
    (line,) = out.all
    assert (line["event"], line["level"], line["process_kind"]) == ("started on port 8000", "warning", "server")


def test_less_important_lines_are_left_out(out: Lines) -> None:
    structlog.get_logger("concert").debug("detail")
    logging.getLogger("library").debug("detail")
    logging.getLogger("uvicorn.access").info("GET /?login=abc")
    assert out.text == ""


def test_a_failure_is_one_line_with_its_traceback(out: Lines) -> None:
    try:
        raise ValueError(f"cannot use {TOKEN} of anna@example.org")
    except ValueError:
        structlog.get_logger("concert").exception("fault")
    (line,) = out.all
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
def test_what_is_private_is_hidden(out: Lines, name: str, value: Any, shown: Any) -> None:
    structlog.get_logger("concert").info("seen", **{name: value})
    assert out.all[0][name] == shown


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
