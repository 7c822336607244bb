"""Whatever is sent, the answer is a problem document that says what is wrong and where, and nothing is stored."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.world import World

DEEP = b"[" * 5000 + b"]" * 5000
LARGE = 1024 * 1024


def problem(response: Any, status: int) -> dict[str, Any]:
    """The document of a refused request, which must be one."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["status"] == status
    assert {"type", "title", "detail", "instance", "trace_id"} <= set(document)
    return document


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b'"text"', b"null", b"\xff\xfe\x00", b'{"name": "\xff"}', b'{"name": "\\ud800"}', DEEP,
        b'{"name": ' + DEEP + b"}", b'{"name": NaN}', b'{"name": Infinity}', b'{"name": 1e999}',
        b'{"name": ' + b"9" * 5000 + b"}", b'{"name": ""}', b'{"name": "   "}', b'{"name": "a\\u0000b"}',
        b'{"name": null}', b'{"name": ["x"]}', b'{"name": "x", "colour": "red"}', b'{"region": "x"}',
        b'{"name": "' + b"x" * 201 + b'"}', b'{"name": "x", "external": {"source": "A B", "id": "1"}}',
        b'{"name": "x", "external": {"source": "a", "id": "\\u0000"}}',
        b'{"name": "x", "externals": [{"source": "a", "id": "1"}, {"source": "a", "id": "2"}]}',
    ],
    ids=lambda body: repr(body[:40]),
)  # fmt: skip
async def test_a_body_that_is_not_right_is_refused_and_leaves_nothing(standing: World, body: bytes) -> None:
    before = (await standing.admin.get("/v1/books?service=targets")).json()["events"]
    document = problem(await standing.admin.post("/v1/customers", content=body), 422)
    assert document["type"] == "/problems/validation"
    assert document["detail"]
    assert (await standing.admin.get("/v1/books?service=targets")).json()["events"] == before


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("/name", {"name": 7}), ("/colour", {"name": "x", "colour": 1}), ("/name", {}),
        ("/external/id", {"name": "x", "external": {"source": "a", "id": ""}}),
        ("/externals/1/source", {"name": "x", "externals": [{"source": "a", "id": "1"}, {"id": "2"}]}),
    ],
)  # fmt: skip
async def test_the_wrong_place_is_named(standing: World, field: str, body: Any) -> None:
    document = problem(await standing.post("/v1/customers", body), 422)
    assert field in [fault["pointer"] for fault in document["errors"]]


@pytest.mark.parametrize("lost_on", ["1899-12-31", "2026-02-30", "yesterday", 20260101, None, "2026-01-01T00:00:00Z"])
async def test_a_day_that_is_none_is_refused(standing: World, lost_on: Any) -> None:
    made = await standing.made("/v1/customers", {"name": "Acme"})
    document = problem(await standing.post(f"/v1/customers/{made['id']}/lose", {"on": lost_on}), 422)
    assert document["errors"][0]["pointer"] == "/on"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404), ("GET", "/nowhere", 404), ("GET", "/v1/customers/cust_nobody", 404),
        ("GET", "/v1/customers/ext:crm:nobody", 404), ("GET", "/v1/customers/ext:x", 404),
        ("PUT", "/v1/customers/ext::", 422), ("PUT", "/v1/customers/ext:A%20B:1", 422),
        ("DELETE", "/v1/customers", 405), ("PATCH", "/v1/customers", 405), ("TRACE", "/v1/customers", 405),
        ("GET", "/v1/customers/%00", 422), ("GET", "/v1/customers/ext:crm:%00", 422),
        ("GET", "/v1/customers?region=%00", 422), ("GET", "/v1/customers/%FF%FE", 404),
        ("GET", "/v1/customers?region=%FF", 200), ("GET", "/v1/customers?on=2026-13-01", 422),
        ("GET", "/v1/customers/" + "x" * 2000, 404), ("POST", "/v1/customers/cust_nobody/dance", 404),
    ],
)  # fmt: skip
async def test_an_address_that_leads_nowhere_is_answered_with_a_problem(
    standing: World, method: str, path: str, status: int
) -> None:
    content = b'{"name": "x"}' if method in ("PUT", "POST") else None
    response = await standing.admin.request(method, path, content=content)
    if status == 200:
        assert response.status_code == 200
        return
    problem(response, status)
    if status == 405:
        assert "POST" in response.headers["allow"] or "GET" in response.headers["allow"]


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(standing: World) -> None:
    document = problem(await standing.admin.post("/v1/customers", content=b"x" * (LARGE + 1)), 413)
    assert document["type"] == "/problems/too-large"
    assert str(LARGE) in document["detail"]


@pytest.mark.parametrize("path", ["/v1/customers", "/v1/customers/bulk/lose"])
async def test_a_body_of_unknown_length_is_refused_when_it_has_become_too_large(standing: World, path: str) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 10 * LARGE:
            sent += 64 * 1024
            yield b"x" * 64 * 1024

    document = problem(await standing.admin.post(path, content=endless()), 413)
    assert document["type"] == "/problems/too-large"
    assert sent < 2 * LARGE


async def test_only_a_bulk_of_rows_may_be_longer_than_a_body(standing: World) -> None:
    """A thing that somebody calls `bulk` is no way around the limit."""
    for method, path in (("PUT", "/v1/customers/ext:crm:/bulk"), ("PATCH", "/v1/customers/bulk")):
        response = await standing.admin.request(method, path, content=b"x" * (LARGE + 1))
        assert response.status_code == 413, response.text


async def test_a_trace_stands_in_the_answer_and_in_the_problem(standing: World) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = {"traceparent": trace, "X-Request-ID": "order-7"}
    made = await standing.post("/v1/customers", {"name": "Traced"}, **headers)
    assert (made.headers["x-request-id"], made.headers["traceparent"]) == ("order-7", trace)
    refused = await standing.post("/v1/customers", {}, **headers)
    assert problem(refused, 422)["trace_id"] == trace[3:35]


@pytest.mark.parametrize(
    "trace",
    ["", "00-xyz", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "ff-" + "a" * 32 + "-" + "b" * 16 + "-01", "é" * 55],
)
async def test_a_trace_that_is_none_is_replaced(standing: World, trace: str) -> None:
    response = await standing.admin.get("/v1/customers", headers=[(b"traceparent", trace.encode())])
    given = response.headers["traceparent"]
    assert given != trace
    assert len(given) == 55
    assert response.headers["x-request-id"] == given[3:35]


async def test_a_fault_of_ours_is_a_problem_that_tells_nothing_of_the_inside(
    standing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(query: Any) -> Any:
        raise RuntimeError("the password is hunter2")

    with monkeypatch.context() as patched:
        patched.setattr(standing.services["targets"].runtime.store, "read", broken)
        response = await standing.admin.get("/v1/customers")
    document = problem(response, 500)
    assert "hunter2" not in json.dumps(document)


async def test_a_store_with_too_much_to_do_says_when_to_come_again(
    standing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("shared.store.sqlite.MAX_QUEUE", 0)
        patched.setattr("shared.store.postgres.MAX_WAITING", 0)
        response = await standing.post("/v1/customers", {"name": "Acme"})
    assert problem(response, 503)["type"] == "/problems/overloaded"
    assert int(response.headers["retry-after"]) >= 1
