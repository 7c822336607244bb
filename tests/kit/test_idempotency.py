"""`Idempotency-Key`: a retry gets the answer that was given, and doubles nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from shared.errors import OutcomeUnknown
from shared.housekeeping import tidy
from shared.http import writes
from shared.ids import fingerprint
from shared.instant import now
from shared.store import Snapshot
from shared.store.tables import KeptAnswer
from tests.kit.conftest import until
from tests.world import World, client_of, token_headers


def key() -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex}


async def customers(world: World, name: str) -> int:
    items = (await world.admin.get("/v1/customers", params={"limit": 200})).json()["items"]
    return sum(item["name"] == name for item in items)


async def test_the_same_request_gets_the_same_answer_and_makes_one_thing(standing: World) -> None:
    retry = key()
    first = await standing.post("/v1/customers", {"name": "Once"}, **retry)
    again = await standing.post("/v1/customers", {"name": "Once"}, **retry)
    assert (first.status_code, first.content) == (again.status_code, again.content) == (201, first.content)
    for header in ("etag", "concert-version", "content-type"):
        assert first.headers[header] == again.headers[header]
    assert await customers(standing, "Once") == 1


async def test_a_refusal_is_repeated_too_even_if_it_would_be_decided_otherwise_now(standing: World) -> None:
    retry, name = key(), {"source": "crm", "id": uuid4().hex}
    await standing.made("/v1/customers", {"name": "Taken", "external": name})
    refused = await standing.post("/v1/customers", {"name": "Other", "external": name}, **retry)
    assert refused.status_code == 409
    again = await standing.post("/v1/customers", {"name": "Other", "external": name}, **retry)
    assert (again.status_code, again.content) == (409, refused.content)
    assert again.headers["content-type"] == "application/problem+json"


async def test_another_body_under_the_same_key_is_refused(standing: World) -> None:
    retry = key()
    await standing.post("/v1/customers", {"name": "Mine"}, **retry)
    other = await standing.post("/v1/customers", {"name": "Yours"}, **retry)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-mismatch")
    elsewhere = await standing.post("/v1/products", {"name": "Mine"}, **retry)
    assert elsewhere.status_code == 422
    assert await customers(standing, "Yours") == 0


async def test_two_callers_may_use_the_same_key(standing: World) -> None:
    retry = key()
    headers = token_headers(standing.settings, "customers:write", department="sales")
    async with client_of(standing.origin, headers) as sales:
        first = await standing.post("/v1/customers", {"name": "Shared key"}, **retry)
        second = await sales.post("/v1/customers", json={"name": "Shared key"}, headers=retry)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]


async def test_while_the_first_is_being_answered_the_second_is_told_so(standing: World) -> None:
    retry = key()
    answers = await asyncio.gather(*(standing.post("/v1/customers", {"name": "Flight"}, **retry) for _ in range(5)))
    assert {each.status_code for each in answers} <= {201, 409}
    problems = {each.json()["type"] for each in answers if each.status_code == 409}
    assert problems <= {"/problems/idempotency-in-flight"}
    assert await customers(standing, "Flight") == 1


async def test_on_two_replicas_at_once_one_key_makes_one_thing(standing: World) -> None:
    """As on two replicas: nobody here knows that the other request is in flight."""
    retry = key()
    in_flight = standing.services["targets"].runtime.in_flight

    class Blind(set[Any]):
        def __contains__(self, place: object) -> bool:
            return False

    standing.services["targets"].runtime.in_flight = Blind()
    try:
        answers = await asyncio.gather(*(standing.post("/v1/customers", {"name": "Both"}, **retry) for _ in range(6)))
    finally:
        standing.services["targets"].runtime.in_flight = in_flight
    assert {each.status_code for each in answers} == {201}
    assert len({each.content for each in answers}) == 1
    assert await customers(standing, "Both") == 1


async def test_a_refusal_that_comes_late_does_not_replace_the_answer_of_another_replica(standing: World) -> None:
    retry, store = key(), standing.services["targets"].runtime.store
    deal = {"owner": "ext:hr:nobody", "opened_on": "2026-01-01"}
    kept: list[Any] = []
    write = store.write

    async def overtaken(job: Any) -> Any:
        try:
            return await write(job)
        except Exception:
            if not kept:
                # Between this refusal and its keeping, the same request is answered elsewhere.
                kept.append(True)
                place = writes.Answer(201, b'{"id":"deal_of_the_other_replica"}', {})
                request = fingerprint(b"POST /v1/deals?\n" + body)
                row = writes._kept(("tester", retry["Idempotency-Key"]), request, place, job.context)

                async def keep(tx: Any) -> None:
                    tx.add(row)

                await write(type(job)(keep, job.context))
            raise

    body = standing.admin.build_request("POST", "/v1/deals", json=deal).content
    store.write = overtaken  # type: ignore[method-assign]
    try:
        answer = await standing.post("/v1/deals", deal, **retry)
    finally:
        store.write = write  # type: ignore[method-assign]
    assert (answer.status_code, answer.json()) == (201, {"id": "deal_of_the_other_replica"})


async def test_a_key_has_1_to_255_characters(standing: World) -> None:
    for length, status in ((0, 422), (255, 201), (256, 422)):
        retry = {"Idempotency-Key": ("k" * length)}
        assert (await standing.post("/v1/customers", {"name": "Long"}, **retry)).status_code == status


async def test_what_the_store_could_not_do_is_not_kept(standing: World) -> None:
    retry, store = key(), standing.services["targets"].runtime.store
    write = store.write

    async def lost(job: Any) -> Any:
        raise OutcomeUnknown("the database did not answer")

    store.write = lost  # type: ignore[method-assign]
    try:
        unknown = await standing.post("/v1/customers", {"name": "Later"}, **retry)
    finally:
        store.write = write  # type: ignore[method-assign]
    assert (unknown.status_code, unknown.headers["retry-after"]) == (503, "1")
    assert (await standing.post("/v1/customers", {"name": "Later"}, **retry)).status_code == 201
    await until(lambda: not standing.services["targets"].runtime.in_flight)


async def test_answers_are_kept_for_two_days_and_then_forgotten(
    standing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = standing.services["targets"].runtime.store
    old, fresh = key(), key()
    long_ago = now() - timedelta(hours=49)
    with monkeypatch.context() as patched:
        patched.setattr("shared.http.writes.now", lambda: long_ago)
        await standing.post("/v1/customers", {"name": "Long ago"}, **old)
    await standing.post("/v1/customers", {"name": "Just now"}, **fresh)
    await tidy(store)
    for retry, name, kept in ((old, "Long ago", False), (fresh, "Just now", True)):
        place = ("tester", retry["Idempotency-Key"])
        found = await store.read(partial(_kept_at, place))
        assert (found is not None) == kept, name


async def _kept_at(place: tuple[str, str], snapshot: Snapshot) -> KeptAnswer | None:
    return await snapshot.find(KeptAnswer, *place)
