"""The public stream of events: pages and server-sent events, cursors that stay good, and nothing for strangers."""

from __future__ import annotations

import asyncio
import importlib
import json
from typing import Any

import httpx
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from concert.services import SERVICES
from services.metrics.stream.cursor import text_of
from services.metrics.stream.live import Live
from services.metrics.stream.readers import collection_of
from shared.bus import TOPICS, Record
from shared.identity.scopes import DEPARTMENT_SCOPES, EVERYBODY
from shared.store import Entity
from tests.metrics.stream import customer, everything, page, recruited, relayed, served, streamed
from tests.world import World, client_of, token_headers


def reader(world: World, *scopes: str) -> httpx.AsyncClient:
    return client_of(world.origin, token_headers(world.settings, *scopes))


def live_of(world: World) -> Live:
    live: Live = world.services["metrics"].runtime.extras["live"]
    return live


async def test_each_line_is_a_cloudevent(world: World) -> None:
    made = await customer(world, "Acme")
    await relayed(world)
    answer = await world.admin.get("/v1/events", params={"types": "concert.targets.customer-*"})
    (line,) = answer.text.splitlines()
    event = JSONFormat().read(CloudEvent, line)
    assert (event.get_id(), event.get_specversion()) == (json.loads(line)["id"], "1.0")
    assert (event.get_source(), event.get_type()) == ("/targets", "concert.targets.customer-met.v1")
    assert event.get_subject() == event.get_extension("partitionkey") == f"customer/{made['id']}"
    assert event.get_extension("sequence") == "1"
    assert event.get_time() is not None
    assert event.get_data() == {"name": "Acme", "region": None, "externals": {}}


async def test_pages_tell_every_event_once_in_the_order_of_its_subject(world: World) -> None:
    names = [f"Customer {number}" for number in range(7)]
    made = [await customer(world, name) for name in names]
    for each in made:
        await world.admin.patch(f"/v1/customers/{each['id']}", json={"region": "EMEA"}, headers={"If-Match": "*"})
    await relayed(world)
    told = await everything(world.admin, types="concert.targets.customer-*", limit=3)
    assert len(told) == len({each["id"] for each in told}) == 14
    by_subject: dict[str, list[str]] = {}
    for each in told:
        by_subject.setdefault(each["subject"], []).append(each["sequence"])
    assert by_subject == {f"customer/{each['id']}": ["1", "2"] for each in made}


async def test_the_last_page_leads_on_to_what_has_not_happened_yet(world: World) -> None:
    await customer(world, "Acme")
    await relayed(world)
    _, cursor, _ = await page(world.admin)
    events, again, caught_up = await page(world.admin, after=cursor)
    assert (events, again, caught_up) == ([], cursor, True)
    await customer(world, "Betatech")
    await relayed(world)
    answer = await world.admin.get("/v1/events", params={"after": cursor})
    assert [json.loads(line)["data"]["name"] for line in answer.text.splitlines()] == ["Betatech"]
    link = answer.headers["link"]
    assert link.endswith('>; rel="next"')
    assert (await world.admin.get(link[1:].partition(">")[0])).text == ""


async def test_now_is_the_end_of_the_log(world: World) -> None:
    await customer(world, "Acme")
    await relayed(world)
    events, cursor, _ = await page(world.admin, after="now")
    assert events == []
    await customer(world, "Betatech")
    await relayed(world)
    events, _, _ = await page(world.admin, after=cursor)
    assert [each["data"]["name"] for each in events] == ["Betatech"]


async def test_types_are_named_whole_or_by_how_they_begin(world: World) -> None:
    await customer(world, "Acme")
    await recruited(world, "Ada Berg")
    await relayed(world)
    both = await everything(world.admin, types=["concert.targets.customer-met.v1,concert.teams.member-*"])
    assert [each["type"] for each in sorted(both, key=lambda each: str(each["type"]))] == [
        "concert.targets.customer-met.v1",
        "concert.teams.member-recruited.v1",
    ]
    refused = await world.admin.get("/v1/events", params={"types": ["concert.teams.*", "concert.targets.deal-one.v1"]})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/types/1"
    assert "did you mean concert.targets.deal-won.v1?" in refused.json()["detail"]


async def test_what_is_no_cursor_is_refused(embedded_world: World) -> None:
    for cursor in ("x", "AQ", "deal/deal_1@7", "§", "A" * 5000, "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"):
        refused = await embedded_world.admin.get("/v1/events", params={"after": cursor})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/after")


async def test_a_cursor_with_a_changed_letter_is_refused(embedded_world: World) -> None:
    cursor = text_of({("concert.targets", 2): 123456, ("concert.people", 3): 7})
    for place, letter in enumerate(cursor):
        other = cursor[:place] + ("A" if letter != "A" else "B") + cursor[place + 1 :]
        assert (await embedded_world.admin.get("/v1/events", params={"after": other})).status_code == 422


async def test_a_cursor_beyond_the_end_says_that_it_is_of_another_log(world: World) -> None:
    await customer(world, "Acme")
    await relayed(world)
    beyond = text_of({("concert.targets", 0): 10**6})
    refused = await world.admin.get("/v1/events", params={"after": beyond})
    assert refused.status_code == 422
    assert "of another log" in refused.json()["detail"]
    assert "1000000" in refused.json()["detail"]


async def test_the_stream_needs_its_own_scope(world: World) -> None:
    assert (await reader(world, "deals:read").get("/v1/events")).status_code == 403


async def test_a_reader_gets_the_events_of_collections_they_may_read(world: World) -> None:
    await customer(world, "Acme")
    await recruited(world, "Ada Berg")
    await relayed(world)
    amount = {"amount": "5", "currency": "EUR"}
    await world.made("/v1/budgets", {"department": "it", "period": "2026-Q3", "amount": amount})
    await relayed(world)

    async def kinds(*scopes: str) -> set[str]:
        return {each["subject"].partition("/")[0] for each in await everything(reader(world, *scopes))}

    all_kinds = await kinds("admin")
    assert {"customer", "member", "person", "budget", "department", "organisation"} <= all_kinds
    assert await kinds("events:read") == set()
    assert await kinds("events:read", "customers:read") == {"customer"}
    assert await kinds("events:read", "people:write") == {"person"}
    assert await kinds(*EVERYBODY.scopes()) == all_kinds - {"customer", "person", "budget"}
    assert await kinds(*DEPARTMENT_SCOPES["finance"]) == all_kinds - {"person"}
    assert await kinds(*DEPARTMENT_SCOPES["hr"]) == all_kinds - {"customer", "budget"}


def test_every_kind_of_thing_stands_in_its_collection() -> None:
    declared = {each.entity.kind: each.name for service in SERVICES for each in service.collections}
    assert {kind: collection_of(kind) for kind in declared} == declared
    kinds = {each.kind for service in SERVICES for each in service.all_tables if issubclass(each, Entity)}
    assert all(collection_of(kind) for kind in kinds)
    assert collection_of("thing_nobody_knows") is None


async def test_nobody_is_told_who_an_erased_member_was(world: World) -> None:
    ada = await recruited(world, "Ada Berg", email="ada@example.com")
    await recruited(world, "Bo Falk")
    await relayed(world)
    assert "Ada Berg" in (await world.admin.get("/v1/events", params={"types": "concert.people.*"})).text
    erased = await world.admin.delete(f"/v1/members/{ada['id']}/personal-data")
    assert erased.status_code == 204
    await relayed(world)
    answer = await world.admin.get("/v1/events", params={"limit": 1000})
    assert "Ada" not in answer.text
    assert "ada@example.com" not in answer.text
    told = [json.loads(line) for line in answer.text.splitlines()]
    (tombstone,) = [each for each in told if each["subject"] == f"person/{ada['id']}"]
    assert tombstone["type"] == "concert.people.person-forgotten.v1"
    assert "data" not in tombstone
    assert f"member/{ada['id']}" in {each["subject"] for each in told if each["type"].endswith("member-erased.v1")}
    assert "Bo Falk" in answer.text


async def test_a_record_that_is_no_event_is_passed_over(world: World) -> None:
    head = {
        "ce_id": "e" * 32,
        "ce_type": "concert.targets.customer-met.v1",
        "ce_source": "/targets",
        "ce_sequence": "1",
    }
    broken: list[tuple[bytes, dict[str, str]]] = [
        (b"{", head), (b"{}", {}), (b'{"name": NaN}', head), (b"{}", head | {"ce_sequence": "x"}),
    ]  # fmt: skip
    records = [
        Record("concert.targets", f"customer/c{number}", value, tuple(sorted(headers.items())))
        for number, (value, headers) in enumerate(broken)
    ]
    await world.bus.publish(records)
    await customer(world, "Acme")
    await relayed(world)
    told = await everything(world.admin, types="concert.targets.customer-*")
    assert [each["data"]["name"] for each in told] == ["Acme"]


async def test_a_stream_tells_what_was_and_then_what_happens(world: World) -> None:
    await customer(world, "Acme")
    await relayed(world)
    async with served(world) as client, streamed(client, types="concert.targets.customer-*") as events:
        assert said(await anext(events)) == "Acme"
        await customer(world, "Betatech")
        async with asyncio.timeout(10):
            assert said(await anext(events)) == "Betatech"


async def test_a_stream_that_was_cut_off_goes_on_after_the_last_event(world: World) -> None:
    for name in ("Acme", "Betatech", "Cancity"):
        await customer(world, name)
    await relayed(world)
    async with served(world, "events:read", "customers:read") as client:
        async with streamed(client) as events:
            first = await anext(events)
        async with streamed(client, last=first[0], after="now") as events:
            rest = [await anext(events), await anext(events)]
        names = [said(each) for each in (first, *rest)]
        assert sorted(names) == ["Acme", "Betatech", "Cancity"]
        async with streamed(client, last=rest[-1][0]) as events:
            await customer(world, "Donquadtech")
            async with asyncio.timeout(10):
                assert said(await anext(events)) == "Donquadtech"
        # A page takes the same cursors.
        told, _, _ = await page(client, after=first[0])
        assert len(told) == 3


async def test_a_quiet_stream_says_that_it_lives_and_how_far_it_is(world: World) -> None:
    live_of(world).heartbeat = 0.1
    await customer(world, "Acme")
    await relayed(world)
    async with served(world, "events:read") as client, streamed(client) as events, asyncio.timeout(10):
        # It lives before it has read all there is: only by and by does it stand at the end.
        while True:
            cursor, event = await anext(events)
            assert event is None
            left, _, caught_up = await page(world.admin, after=cursor)
            if caught_up and not left:
                break


async def test_there_are_only_so_many_streams(world: World) -> None:
    live_of(world).most_streams = 2
    async with served(world) as client, streamed(client, after="now"):
        async with streamed(client, after="now"):
            refused = await client.get("/v1/events", headers={"Accept": "text/event-stream"})
            assert refused.status_code == 503
            assert refused.json()["type"].endswith("overloaded")
            assert "retry-after" in refused.headers
        async with asyncio.timeout(10):
            while live_of(world)._streams > 1:
                await asyncio.sleep(0.01)
        async with streamed(client, after="now"):
            pass
    async with asyncio.timeout(10):
        while live_of(world)._streams or live_of(world).tail.followers:
            await asyncio.sleep(0.01)
    assert live_of(world).tail._reading is None


async def test_streams_end_when_the_service_stops(world: World) -> None:
    await relayed(world)
    async with served(world) as client, streamed(client, after="now") as events:
        live_of(world).stopping.set()
        async with asyncio.timeout(5):
            assert [each async for each in events] == []


async def test_a_slow_reader_costs_no_memory_and_misses_nothing(
    embedded_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.metrics.stream.tail.MOST_MESSAGES", 50)
    world, tail = embedded_world, live_of(embedded_world).tail
    numbers: dict[str, list[int]] = {"slow": [], "quick": []}

    async def follow(name: str, begun: asyncio.Event) -> None:
        async for batch in tail.follow({}):
            begun.set()
            for message in batch:
                if message.record.topic == "concert.meetings":
                    numbers[name].append(int(message.record.value or b""))
            if name == "slow":
                await asyncio.sleep(0.02)

    begun = [asyncio.Event(), asyncio.Event()]
    tasks = [asyncio.create_task(follow(name, event)) for name, event in zip(numbers, begun, strict=True)]
    await asyncio.gather(*(event.wait() for event in begun))
    for start in range(0, 2000, 20):
        records = [Record("concert.meetings", f"x/{n % 7}", str(n).encode(), ()) for n in range(start, start + 20)]
        await world.bus.publish(records)
        assert len(tail._ring) <= 50
    async with asyncio.timeout(20):
        while any(len(each) < 2000 for each in numbers.values()):
            await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for told in numbers.values():
        assert sorted(told) == list(range(2000))
        for key in range(7):
            assert [n for n in told if n % 7 == key] == list(range(key, 2000, 7))
    assert tail.followers == 0


def said(told: tuple[str, dict[str, Any] | None]) -> str:
    """The name in an event that was told."""
    assert told[1] is not None
    return str(told[1]["data"]["name"])


def test_all_topics_have_a_place_in_a_cursor() -> None:
    assert importlib.import_module("services.metrics.stream.cursor")._ALL[-1] == (TOPICS[-1], 3)
