"""Many rows at once: each is answered, good ones stay, bad ones say why, whatever happens to the rest."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.errors import OutcomeUnknown, Overloaded
from shared.http import bulk
from tests.serving import serving
from tests.world import World, token_headers

CUSTOMERS = "/v1/customers/bulk"


def lines(rows: Iterable[Any]) -> bytes:
    return b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows)


def answers(response: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in response.text.splitlines()]


async def sent(world: World, rows: Iterable[Any], path: str = CUSTOMERS) -> list[dict[str, Any]]:
    response = await world.admin.post(path, content=lines(rows))
    assert response.status_code == 200, response.text
    return answers(response)


def row(name: str, key: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"name": name, "external": {"source": "bulk", "id": key or uuid4().hex}, **fields}


async def test_good_rows_stay_and_each_bad_one_says_what_is_wrong_with_it(standing: World) -> None:
    taken = uuid4().hex
    rows: list[Any] = [
        row("first", taken), {"name": 7}, b"{broken", b"[1, 2]", {"colour": "red"}, {"do": "dance", "customer": "x"},
        {"do": "lose", "on": "2026-01-01"}, {"do": "lose", "customer": "ext:bulk:nobody", "on": "2026-01-01"},
        b'{"name": NaN}', b"\xff\xfe", b"", row("last"),
        {"do": "lose", "customer": f"ext:bulk:{taken}", "on": "2026-01-02"},
    ]  # fmt: skip
    found = await sent(standing, rows)
    assert [each["row"] for each in found] == list(range(1, 13))
    assert [each["status"] for each in found] == [201, 422, 422, 422, 422, 422, 422, 404, 422, 422, 201, 200]
    for each in found:
        if each["status"] >= 400:
            assert each["problem"]["status"] == each["status"]
            assert each["problem"]["detail"]
    assert found[1]["problem"]["errors"][0]["pointer"] == "/name"
    assert (found[0]["version"], found[11]["version"]) == (1, 2)


async def test_a_json_array_is_as_good_as_lines(standing: World) -> None:
    response = await standing.admin.post(CUSTOMERS, json=[row("one"), {"name": None}, row("two")])
    assert [each["status"] for each in answers(response)] == [201, 422, 201]
    broken = await standing.admin.post(CUSTOMERS, content=b'[{"name": "one"}, {"name"')
    assert (broken.status_code, broken.json()["type"]) == (422, "/problems/validation")
    assert (await standing.admin.post(CUSTOMERS, content=b"\xef\xbb\xbf [ ]")).text == ""


async def test_a_body_sent_twice_changes_nothing_the_second_time(standing: World) -> None:
    rows = [row(f"{number}") for number in range(10)]
    rows += [{"do": "lose", "customer": f"ext:bulk:{each['external']['id']}", "on": "2026-02-01"} for each in rows[:5]]
    first, second = await sent(standing, rows), await sent(standing, rows)
    assert [each["status"] for each in first] == [201] * 10 + [200] * 5
    assert [each["status"] for each in second] == [200] * 15
    assert [each["version"] for each in second] == [2] * 5 + [1] * 5 + [2] * 5


async def test_one_thing_can_come_in_many_rows_of_one_body(standing: World) -> None:
    key = uuid4().hex
    found = await sent(standing, [row(f"name {number}", key) for number in range(5)])
    assert [(each["status"], each["version"]) for each in found] == [(201, 1), (200, 2), (200, 3), (200, 4), (200, 5)]


async def test_verbs_of_a_group_that_has_to_be_decided_one_by_one_still_know_whom_they_mean(standing: World) -> None:
    """Two rows that make the same thing send their group back to be decided one by one: every row is run again."""
    key, twin = uuid4().hex, uuid4().hex
    rows: list[Any] = [
        row("first", key), {"do": "lose", "customer": f"ext:bulk:{key}", "on": "2026-01-02"},
        {**row("a", twin), "key": twin}, {**row("a", twin), "key": twin},
    ]  # fmt: skip
    found = await sent(standing, rows)
    assert [each["status"] for each in found] == [201, 200, 201, 201]
    assert found[2]["id"] == found[3]["id"]


async def test_a_key_holds_for_a_row(standing: World) -> None:
    key = uuid4().hex
    keyed = {"name": "Keyed", "key": key}
    first = await sent(standing, [keyed])
    again = await sent(
        standing, [keyed, {"name": "Other", "key": key}, {"name": "x", "key": ""}, {"name": "x", "key": 7}]
    )
    assert again[0] == first[0]
    assert [each["status"] for each in again] == [201, 422, 422, 422]
    assert again[1]["problem"]["type"] == "/problems/idempotency-mismatch"


async def test_what_was_undone_can_be_done_again(world: World) -> None:
    deal, win, reopen = await a_deal(world), {"on": "2026-02-01", "value": euros("10.00")}, {"on": "2026-03-01"}
    rows = [
        {"do": "win", "deal": deal, **win}, {"do": "win", "deal": deal, **win},
        {"do": "reopen", "deal": deal, **reopen}, {"do": "reopen", "deal": deal, **reopen},
        {"do": "win", "deal": deal, **win}, {"do": "win", "deal": deal, **win},
    ]  # fmt: skip
    found = await sent(world, rows, "/v1/deals/bulk")
    assert [(each["status"], each["version"]) for each in found] == [
        (200, 2), (200, 2), (200, 3), (200, 3), (200, 4), (200, 4),
    ]  # fmt: skip


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


async def a_deal(world: World) -> str:
    member = (await world.made("/v1/members", {"name": "Ada", "department": "sales", "starts_on": "2026-01-01"}))["id"]
    async with asyncio.timeout(20):
        while True:
            made = await world.post("/v1/deals", {"owner": member, "opened_on": "2026-01-05"})
            if made.status_code == 201:
                return str(made.json()["id"])
            await asyncio.sleep(0.05)


async def test_a_row_has_a_limit_of_its_own(standing: World) -> None:
    limit = standing.settings.body_limit
    rows: list[Any] = [row("before"), {"name": "x" * limit}, row("after"), b"y" * (3 * limit), row("last")]
    found = await sent(standing, rows)
    assert [each["status"] for each in found] == [201, 413, 201, 413, 201]
    assert str(limit) in found[1]["problem"]["detail"]


async def test_an_array_has_a_limit_as_a_whole(standing: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.http.rows.MAX_ARRAY", 1000)
    response = await standing.admin.post(CUSTOMERS, json=[row("x" * 100) for _ in range(20)])
    assert (response.status_code, response.json()["type"]) == (413, "/problems/too-large")


@pytest.mark.parametrize("problem", [OutcomeUnknown, Overloaded])
async def test_a_store_that_fails_in_the_middle_is_answered_row_by_row(
    standing: World, monkeypatch: pytest.MonkeyPatch, problem: type[Exception]
) -> None:
    monkeypatch.setattr(bulk, "PATIENCE", 1)
    store = standing.services["targets"].runtime.store
    write_all, groups = store.write_all, 0

    async def failing(jobs: Any) -> Any:
        nonlocal groups
        if len(jobs) < bulk.GROUP:
            return await write_all(jobs)
        groups += 1
        if 2 <= groups <= 3 and (groups == 2 or problem is Overloaded):
            raise problem("not now")
        return await write_all(jobs)

    monkeypatch.setattr(store, "write_all", failing)
    found = await sent(standing, [row(f"{number}") for number in range(3 * bulk.GROUP)])
    assert [each["status"] for each in found] == [201] * bulk.GROUP + [503] * bulk.GROUP + [201] * bulk.GROUP


async def test_a_store_that_is_busy_for_a_moment_is_asked_again(
    standing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = standing.services["targets"].runtime.store
    write_all, busy = store.write_all, [True, True]

    async def at_first_busy(jobs: Any) -> Any:
        if busy:
            busy.pop()
            raise Overloaded("a moment")
        return await write_all(jobs)

    monkeypatch.setattr(store, "write_all", at_first_busy)
    assert [each["status"] for each in await sent(standing, [row("patient")])] == [201]


async def test_a_bulk_goes_slower_the_deeper_the_outbox_but_it_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "DEEP", bulk.GROUP // 2)
    monkeypatch.setattr(bulk, "FULL", 2 * bulk.GROUP)
    monkeypatch.setattr(bulk, "LOOK_EVERY", 1)
    pauses: list[float] = []

    async def noted(seconds: float) -> None:
        pauses.append(seconds)

    relay = world.services["targets"].runtime.relay
    assert relay is not None
    # What every organisation begins with (metrics, stages) is in the outbox too: it is to be gone first.
    async with asyncio.timeout(15):
        while await relay.depth(1):
            await asyncio.sleep(0.02)
    relay.pause(True)
    monkeypatch.setattr(bulk, "pause", noted)
    found = await sent(world, [row(f"{number}") for number in range(5 * bulk.GROUP)])
    monkeypatch.undo()
    assert {each["status"] for each in found} == {201}
    assert [round(each, 2) for each in pauses] == [0.67, 2.0, 2.0, 2.0]
    relay.pause(False)


async def test_a_bulk_can_be_waited_for_in_another_service(world: World) -> None:
    rows = [row(f"{number}") for number in range(450)]
    response = await world.admin.post(CUSTOMERS, content=lines(rows))
    token = response.headers["concert-version"]
    assert token.startswith("batch/targets-")
    assert token.endswith("@450")
    view = await world.admin.get(
        "/v1/views/sales", params={"period": "2026", "after": token}, headers={"Prefer": "wait=20"}
    )
    assert view.status_code == 200, view.text
    assert view.json()["as_of"]["applied"]["targets"] >= 450
    more = await world.admin.get(
        "/v1/views/sales",
        params={"period": "2026", "after": token.replace("@450", "@451")},
        headers={"Prefer": "wait=0"},
    )
    assert (more.status_code, more.json()["type"]) == (503, "/problems/not-yet-applied")


@asynccontextmanager
async def served(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """The same Concert behind a real HTTP server."""
    headers = token_headers(world.settings, "admin")
    async with (
        serving(world.origin) as url,
        httpx.AsyncClient(base_url=url, headers=headers, timeout=120) as client,
    ):
        yield client


async def test_more_rows_than_fit_into_one_answer_are_answered_while_they_are_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "WHOLE", 1000)
    total, received = 3000, 0

    async def body() -> AsyncIterator[bytes]:
        for start in range(0, total, 100):
            yield lines(row(f"{number}") for number in range(start, start + 100))
            await asyncio.sleep(0)

    async with served(world) as client, client.stream("POST", CUSTOMERS, content=body()) as response:
        assert response.status_code == 200
        assert response.headers["concert-batch"].startswith("batch/targets-")
        last = ""
        async for line in response.aiter_lines():
            received += 1
            last = line
    assert received == total + 1
    assert json.loads(last)["batch"] == f"{response.headers['concert-batch']}@{total}"


async def test_a_body_that_is_cut_off_keeps_what_was_stored_and_no_half_row(world: World) -> None:
    whole = lines(row(f"{number}") for number in range(2 * bulk.GROUP + 50))

    async def body() -> AsyncIterator[bytes]:
        yield whole + b'{"name": "hal'
        # The server must have read it before the line goes down.
        await asyncio.sleep(1)
        raise ConnectionError("the line goes down")

    async with served(world) as client:
        with pytest.raises(ConnectionError):
            await client.post(CUSTOMERS, content=body())
    names, url = [], "/v1/customers?limit=200"
    while url:
        page = await world.admin.get(url)
        names += [item["name"] for item in page.json()["items"]]
        url = page.headers["link"].partition(">")[0][1:] if "link" in page.headers else ""
    assert sorted(map(int, names)) == list(range(2 * bulk.GROUP))


@pytest.mark.parametrize("pieces", [1, 7])
async def test_an_array_is_taken_over_a_real_connection_whole_or_in_pieces(world: World, pieces: int) -> None:
    sent = b"[" + b",".join(lines([row(f"array-{pieces}-{number}")]).strip() for number in range(5)) + b"]"
    size = len(sent) // pieces + 1

    async def body() -> AsyncIterator[bytes]:
        for start in range(0, len(sent), size):
            yield sent[start : start + size]
            await asyncio.sleep(0.01)

    async with served(world) as client:
        content = {"content": sent} if pieces == 1 else {"content": body()}
        answer = await client.post(CUSTOMERS, headers={"Content-Type": "application/json"}, **content)
        assert answer.status_code == 200, answer.text
        assert [json.loads(line)["status"] for line in answer.text.splitlines()] == [201] * 5
        nonsense = await client.post(CUSTOMERS, content=b"[[null, null]]")
        assert [json.loads(line)["status"] for line in nonsense.text.splitlines()] == [422]
