"""The edge of every app: a trace for each request, a limit for bodies, and the time each route took.

Plain ASGI, because it runs for every request and a layer that wraps requests and answers costs more than the work.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog
from fastapi import Request
from prometheus_client import Counter, Histogram

from shared import traces
from shared.errors import Invalid, TooLarge
from shared.http.problems import problem_response

log = structlog.get_logger("shared.http.access")
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SECONDS = Histogram("concert_http_request_seconds", "Time to answer a request", ["service", "method", "route"])
ANSWERS = Counter("concert_http_answers_total", "Answers by status", ["service", "method", "route", "status"])


class Edge:
    """Wraps the app of a service."""

    def __init__(self, app: App, service: str, body_limit: int) -> None:
        self.app = app
        self.service = service
        self.body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        _trace(scope)
        with traces.carrying(scope["traceparent"], request_id=scope["request_id"]):
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        status = 500

        async def watch(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", scope["request_id"].encode("latin-1")),
                    (b"traceparent", scope["traceparent"].encode()),
                ]
            await send(message)

        limited = receive if _is_bulk(scope) else self._limited(receive)
        try:
            length = _content_length(scope)
            if limited is not receive and length > self.body_limit:
                raise TooLarge(_limit_message(self.body_limit, length))
            _refuse_nul(scope)
            await self.app(scope, limited, watch)
        except (TooLarge, Invalid) as problem:
            response = problem_response(problem, Request(scope))
            response.headers["connection"] = "close"
            await response(scope, receive, watch)
        except Exception as fault:
            if status != 500:
                # An answer that has begun cannot say any more that it went wrong, so nobody has written it down yet.
                log.error("fault", path=scope["path"], exc_info=fault)
            raise
        finally:
            seconds = time.perf_counter() - started
            route = _route_of(scope)
            SECONDS.labels(self.service, scope["method"], route).observe(seconds)
            ANSWERS.labels(self.service, scope["method"], route, status).inc()
            log.debug("answered", method=scope["method"], path=scope["path"], status=status, seconds=round(seconds, 6))

    def _limited(self, receive: Receive) -> Receive:
        seen = 0

        async def count() -> MutableMapping[str, Any]:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.body_limit:
                raise TooLarge(_limit_message(self.body_limit, seen))
            return message

        return count


def _limit_message(limit: int, length: int) -> str:
    return f"A body may have {limit} bytes here; this one has {length} or more. Send many rows to a bulk route."


def _content_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 20 else 0
    return 0


def _is_bulk(scope: Scope) -> bool:
    """Whether rows are sent, which are limited one by one."""
    path: str = scope["path"]
    return scope["method"] == "POST" and path.endswith("/bulk") and path.count("/") == 3


def _refuse_nul(scope: Scope) -> None:
    if b"%00" in scope["query_string"] or "\0" in scope["path"]:
        raise Invalid("An address cannot hold the character NUL (%00).")


def _trace(scope: Scope) -> None:
    """Take the trace a caller sent (W3C traceparent), or begin one."""
    traceparent, request_id = None, ""
    for name, value in scope["headers"]:
        if name == b"traceparent":
            traceparent = traces.known(value.decode("latin-1")) or traceparent
        elif name == b"x-request-id" and len(value) <= 128:
            request_id = value.decode("latin-1")
    scope["traceparent"] = traceparent or traces.begun()
    scope["trace_id"] = traces.id_of(scope["traceparent"])
    scope["request_id"] = request_id or scope["trace_id"]


def _route_of(scope: Scope) -> str:
    endpoint = scope.get("endpoint")
    return getattr(endpoint, "__route__", None) or getattr(scope.get("route"), "name", None) or "none"
