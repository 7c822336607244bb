"""An issuer's keys are fetched without redirects, within limits, not too often, and outlive a short outage."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from shared.errors import Overloaded
from shared.identity import issuer
from shared.identity.issuer import PublishedKeys
from tests.kit.identities import ISSUER, JWKS, OtherIssuer


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def other() -> OtherIssuer:
    return OtherIssuer()


@pytest.fixture
def keys(other: OtherIssuer, clock: Clock) -> PublishedKeys:
    return PublishedKeys(ISSUER, JWKS, transport=other.transport, clock=clock)


async def settle() -> None:
    """Let what was begun beside the requests finish."""
    for task in asyncio.all_tasks():
        if task.get_name() == "fetch the issuer's keys":
            await task


async def test_keys_are_fetched_once_for_many_requests(keys: PublishedKeys, other: OtherIssuer) -> None:
    found = await asyncio.gather(*(keys.key("ES256") for _ in range(50)))
    assert {key.kid for key in found if key} == {"ES256"}
    assert other.asked == 1


async def test_an_unknown_name_fetches_again_but_not_for_everybody(
    keys: PublishedKeys, other: OtherIssuer, clock: Clock
) -> None:
    assert await keys.key("ES256")
    clock.seconds += 29
    assert await keys.key("new") is None
    assert other.asked == 1
    other.published.append(other.entry("ES256", kid="new"))
    clock.seconds += 2
    assert await keys.key("new")
    assert [await keys.key(f"made up {number}") for number in range(20)] == [None] * 20
    assert other.asked == 2


async def test_a_withdrawn_key_is_noticed_after_ten_minutes(
    keys: PublishedKeys, other: OtherIssuer, clock: Clock
) -> None:
    assert await keys.key("ES256")
    other.published = [other.entry("RS256")]
    clock.seconds += 601
    assert await keys.key("ES256"), "old keys answer while new ones are fetched"
    await settle()
    assert await keys.key("ES256") is None
    assert await keys.key("RS256")


async def test_a_short_outage_is_outlived_a_long_one_is_not(
    keys: PublishedKeys, other: OtherIssuer, clock: Clock
) -> None:
    assert await keys.key("ES256")
    other.answer = lambda request: httpx.Response(503)
    clock.seconds += 3599
    assert await keys.key("ES256")
    await settle()
    clock.seconds += 2
    with pytest.raises(Overloaded, match="cannot be fetched now; try again soon") as problem:
        await keys.key("ES256")
    assert problem.value.status == 503


async def test_after_a_failure_it_is_tried_again_soon(keys: PublishedKeys, other: OtherIssuer, clock: Clock) -> None:
    healthy, other.answer = other.answer, lambda request: httpx.Response(500)
    for _ in range(3):
        with pytest.raises(Overloaded):
            await keys.key("ES256")
    assert other.asked == 1
    other.answer = healthy
    clock.seconds += 6
    assert await keys.key("ES256")


def _redirected(request: httpx.Request) -> httpx.Response:
    assert str(request.url) == JWKS, "followed"
    return httpx.Response(302, headers={"Location": "https://evil.example/keys"})


def _interrupted(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


@pytest.mark.parametrize(
    "answer",
    [
        _redirected,
        _interrupted,
        lambda request: httpx.Response(200, json={"keys": OtherIssuer().published, "padding": "x" * 256 * 1024}),
        lambda request: httpx.Response(200, content=b"x", headers={"Content-Encoding": "gzip"}),
        lambda request: httpx.Response(200, content=b"[" * 200_000),
        lambda request: httpx.Response(200, content=b"not json"),
        lambda request: httpx.Response(200, json={"keys": []}),
        lambda request: httpx.Response(404, json={"keys": OtherIssuer().published}),
    ],
    ids=["redirect", "no connection", "too large", "compressed", "too deep", "no json", "no keys", "not found"],
)
async def test_a_bad_answer_gives_no_keys(keys: PublishedKeys, other: OtherIssuer, answer: Any) -> None:
    other.answer = answer
    with pytest.raises(Overloaded):
        await keys.key("ES256")
    assert other.asked == 1


async def test_an_issuer_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    monkeypatch.setattr(issuer, "DEADLINE", 0.1)
    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Overloaded):
            await PublishedKeys(ISSUER, f"http://127.0.0.1:{port}/keys").key("ES256")


async def test_a_caller_that_gives_up_does_not_stop_the_fetch(other: OtherIssuer) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def answer_late(request: httpx.Request) -> httpx.Response:
        asked.set()
        await answered.wait()
        return other.answer(request)

    keys = PublishedKeys(ISSUER, JWKS, transport=httpx.MockTransport(answer_late))
    first, second = (asyncio.create_task(keys.key("ES256")) for _ in range(2))
    await asked.wait()
    first.cancel()
    await asyncio.sleep(0)
    answered.set()
    assert await second
