"""Webhooks over their routes: made, seen, changed, rotated, replayed; signed so that a stranger can check it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from shared.identity.scopes import DEPARTMENT_SCOPES
from tests.metrics.receiver import dispatcher_of, hook, idle, items, receiving, shown
from tests.metrics.stream import customer, page, recruited, relayed
from tests.world import World, client_of, token_headers


async def changed(world: World, made: dict[str, Any], region: str) -> None:
    path = f"/v1/customers/{made['id']}"
    assert (await world.admin.patch(path, json={"region": region}, headers={"If-Match": "*"})).status_code == 200


async def test_a_webhook_delivers_signed_cloudevents(near_world: World) -> None:
    async with receiving() as receiver:
        made = await hook(near_world, receiver.url)
        assert made["secret"].startswith("whsec_")
        acme = await customer(near_world, "Acme")
        await receiver.until(lambda: len(receiver.taken) == 1)
        (delivery,) = receiver.taken
        assert delivery.verified_by(made["secret"])
        assert not delivery.verified_by("whsec_" + "A" * 43 + "=")
        assert delivery.said == (f"customer/{acme['id']}", "1")
        assert delivery.event["data"]["name"] == "Acme"
        told, _, _ = await page(near_world.admin, types="concert.targets.customer-*")
        assert [each["id"] for each in told] == [delivery.headers["webhook-id"]]
        await idle(near_world, made)
        (attempt,) = await items(near_world, f"/v1/webhooks/{made['id']}/deliveries")
        assert (attempt["outcome"], attempt["status"], attempt["attempt"]) == ("delivered", 204, 1)
        assert attempt["subject"] == f"customer/{acme['id']}"
        assert attempt["seconds"] > 0


async def test_the_secret_is_never_shown_again(near_world: World) -> None:
    made = await hook(near_world, "https://tools.example.com/x")
    for path in ("/v1/webhooks", f"/v1/webhooks/{made['id']}"):
        answer = await near_world.admin.get(path)
        assert made["secret"] not in answer.text
        assert "secret" not in str(answer.json().get("items", [answer.json()])[0].keys() - {"old_secret_until"})
    assert "whsec" not in repr(near_world.services["metrics"].runtime.extras)


async def test_a_webhook_begins_now_or_at_the_beginning_or_at_a_cursor(near_world: World) -> None:
    await customer(near_world, "Acme")
    await relayed(near_world)
    _, cursor, _ = await page(near_world.admin)
    await customer(near_world, "Betatech")
    await relayed(near_world)
    async with receiving() as from_now, receiving() as from_start, receiving() as from_cursor:
        await hook(near_world, from_now.url)
        await hook(near_world, from_start.url, **{"from": "beginning"})
        await hook(near_world, from_cursor.url, **{"from": cursor})
        await customer(near_world, "Cancity")
        await from_now.until(lambda: len(from_now.taken) == 1)
        await from_start.until(lambda: len(from_start.taken) == 3)
        await from_cursor.until(lambda: len(from_cursor.taken) == 2)
        names = [
            sorted(each.event["data"]["name"] for each in receiver.taken)
            for receiver in (from_now, from_start, from_cursor)
        ]
    assert names == [["Cancity"], ["Acme", "Betatech", "Cancity"], ["Betatech", "Cancity"]]


async def test_only_the_types_asked_for_are_delivered(near_world: World) -> None:
    async with receiving() as receiver:
        made = await hook(near_world, receiver.url, ["concert.targets.customer-changed.v1", "concert.teams.team-*"])
        acme = await customer(near_world, "Acme")
        await changed(near_world, acme, "EMEA")
        await receiver.until(lambda: len(receiver.taken) == 1)
        assert receiver.taken[0].said == (f"customer/{acme['id']}", "2")
        # What is changed before an answer has been noted is sent again.
        await idle(near_world, made)
        answer = await near_world.admin.patch(
            f"/v1/webhooks/{made['id']}",
            json={"types": ["concert.targets.customer-met.v1"]},
            headers={"If-Match": '"1"'},
        )
        assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
        await changed(near_world, acme, "APAC")
        beta = await customer(near_world, "Betatech")
        await receiver.until(lambda: len(receiver.taken) == 2)
        assert receiver.taken[1].said == (f"customer/{beta['id']}", "1")


async def test_a_change_says_which_version_it_was_decided_on(near_world: World) -> None:
    made = await hook(near_world, "https://tools.example.com/x")
    path = f"/v1/webhooks/{made['id']}"
    assert (await near_world.admin.patch(path, json={"description": "CRM"})).status_code == 428
    assert (await near_world.admin.patch(path, json={}, headers={"If-Match": '"7"'})).status_code == 412
    assert (await near_world.admin.patch(path, json={"url": None}, headers={"If-Match": '"1"'})).status_code == 422
    answer = await near_world.admin.patch(path, json={"description": "CRM"}, headers={"If-Match": '"1"'})
    assert answer.json()["description"] == "CRM"
    assert (await near_world.admin.get(path)).headers["etag"] == '"2"'


async def test_a_retried_request_makes_one_webhook(near_world: World) -> None:
    body = {"url": "https://tools.example.com/x", "types": ["*"]}
    first, again = [await near_world.post("/v1/webhooks", body, **{"Idempotency-Key": "k1"}) for _ in range(2)]
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert len(await items(near_world, "/v1/webhooks")) == 1
    other = await near_world.post("/v1/webhooks", body | {"types": ["concert.teams.*"]}, **{"Idempotency-Key": "k1"})
    assert other.json()["type"].endswith("idempotency-mismatch")


async def test_lists_have_pages(embedded_world: World) -> None:
    made = [(await hook(embedded_world, f"https://tools.example.com/{n}"))["id"] for n in range(3)]
    first = (await embedded_world.admin.get("/v1/webhooks", params={"limit": 2})).json()
    second = (await embedded_world.admin.get("/v1/webhooks", params={"limit": 2, "cursor": first["next"]})).json()
    assert [each["id"] for each in first["items"] + second["items"]] == sorted(made)
    assert second["next"] is None


UNUSABLE: list[tuple[dict[str, Any], str]] = [
    ({"types": ["*"]}, "/url"),
    ({"url": "https://a.example"}, "/types"),
    ({"url": "https://a.example", "types": []}, "/types"),
    ({"url": "https://a.example", "types": ["concert.deals.won"]}, "/types/0"),
    ({"url": "https://a.example", "types": ["*"], "from": "yesterday"}, "/from"),
    ({"url": "https://a.example", "types": ["*"], "secret": "whsec_x"}, "/secret"),
    ({"url": "http://a.example", "types": ["*"]}, "/url"),
    ({"url": "https://user:pw@a.example", "types": ["*"]}, "/url"),
    ({"url": "https://a.example/#x", "types": ["*"]}, "/url"),
    ({"url": "ftp://a.example", "types": ["*"]}, "/url"),
    ({"url": "https://", "types": ["*"]}, "/url"),
    ({"url": "a.example", "types": ["*"]}, "/url"),
    ({"url": "https://a.example:99999999", "types": ["*"]}, "/url"),
    ({"url": "https://a.example/" + "x" * 2000, "types": ["*"]}, "/url"),
    ({"url": "https://127.0.0.1/", "types": ["*"]}, "/url"),
    ({"url": "https://[::1]/", "types": ["*"]}, "/url"),
    ({"url": "https://10.1.2.3:8443/", "types": ["*"]}, "/url"),
]


async def test_what_cannot_be_a_webhook_is_refused_with_its_place(embedded_world: World) -> None:
    for body, pointer in UNUSABLE:
        refused = await embedded_world.post("/v1/webhooks", body)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer), body
    assert await items(embedded_world, "/v1/webhooks") == []


async def test_a_rotated_secret_and_the_old_one_are_both_good_for_a_while(near_world: World) -> None:
    async with receiving() as receiver:
        made = await hook(near_world, receiver.url)
        answer = await near_world.post(f"/v1/webhooks/{made['id']}/rotate", {"overlap_hours": 1})
        assert answer.status_code == 200
        new = answer.json()["secret"]
        assert new != made["secret"]
        assert answer.json()["old_secret_until"] is not None
        await customer(near_world, "Acme")
        await receiver.until(lambda: len(receiver.taken) == 1)
        assert receiver.taken[0].headers["webhook-signature"].count("v1,") == 2
        assert receiver.taken[0].verified_by(new)
        assert receiver.taken[0].verified_by(made["secret"])
        last = (await near_world.post(f"/v1/webhooks/{made['id']}/rotate", {"overlap_hours": 0})).json()["secret"]
        await customer(near_world, "Betatech")
        await receiver.until(lambda: len(receiver.taken) == 2)
        assert [receiver.taken[1].verified_by(each) for each in (last, new, made["secret"])] == [True, False, False]


async def test_a_replay_delivers_again_under_the_same_ids(near_world: World) -> None:
    async with receiving() as receiver:
        made = await hook(near_world, receiver.url)
        await customer(near_world, "Acme")
        await receiver.until(lambda: len(receiver.taken) == 1)
        middle = (await idle(near_world, made))["cursor"]
        acme = await customer(near_world, "Betatech")
        await changed(near_world, acme, "EMEA")
        await receiver.until(lambda: len(receiver.taken) == 3)
        await idle(near_world, made)
        first = [each.headers["webhook-id"] for each in receiver.taken]
        replayed = await near_world.post(f"/v1/webhooks/{made['id']}/replay", {"after": middle})
        assert replayed.status_code == 200
        await receiver.until(lambda: len(receiver.taken) == 5)
        await idle(near_world, made)
        assert [each.headers["webhook-id"] for each in receiver.taken[3:]] == first[1:]
        await near_world.post(f"/v1/webhooks/{made['id']}/replay", {"after": "beginning"})
        await receiver.until(lambda: len(receiver.taken) == 8)
        assert {each.headers["webhook-id"] for each in receiver.taken[5:]} == set(first)


async def test_a_replay_never_leaves_anything_out(near_world: World) -> None:
    async with receiving() as receiver:
        made = await hook(near_world, receiver.url)
        await near_world.post(f"/v1/webhooks/{made['id']}/disable", {})
        before = (await shown(near_world, made))["cursor"]
        await customer(near_world, "Acme")
        await relayed(near_world)
        replayed = await near_world.post(f"/v1/webhooks/{made['id']}/replay", {"after": "now"})
        assert replayed.json()["cursor"] == before
        assert (await near_world.post(f"/v1/webhooks/{made['id']}/replay", {"after": "x"})).status_code == 422


async def test_a_disabled_webhook_goes_on_where_it_was(near_world: World) -> None:
    async with receiving() as receiver:
        made = await hook(near_world, receiver.url)
        disabled = await near_world.post(f"/v1/webhooks/{made['id']}/disable", {})
        assert (disabled.json()["enabled"], disabled.json()["disabled_because"]) == (False, "tester disabled it")
        await customer(near_world, "Acme")
        await relayed(near_world)
        await asyncio.sleep(0.2)
        assert receiver.came == []
        refused = await near_world.post(f"/v1/webhooks/{made['id']}/test", {})
        assert (refused.status_code, refused.json()["rule"]) == (409, "webhook-is-disabled")
        assert (await near_world.post(f"/v1/webhooks/{made['id']}/enable", {})).json()["enabled"]
        await receiver.until(lambda: len(receiver.taken) == 1)


async def test_a_deleted_webhook_is_gone_with_all_it_owed(near_world: World) -> None:
    async with receiving(lambda received: 500) as receiver:
        made = await hook(near_world, receiver.url)
        await customer(near_world, "Acme")
        await receiver.until(lambda: len(receiver.came) == 1)
        path = f"/v1/webhooks/{made['id']}"
        assert (await near_world.admin.delete(path)).status_code == 204
        for each in (path, f"{path}/deliveries", f"{path}/backlog"):
            assert (await near_world.admin.get(each)).status_code == 404
        assert (await near_world.admin.delete(path)).status_code == 404
        await asyncio.sleep(0.2)
        assert len(receiver.came) == 1


async def test_a_test_shows_what_came_of_it(near_world: World) -> None:
    statuses = iter([200, 500])
    async with receiving(lambda received: next(statuses)) as receiver:
        made = await hook(near_world, receiver.url, ["concert.meetings.*"])
        path = f"/v1/webhooks/{made['id']}"
        for outcome, status in (("delivered", 200), ("failed", 500)):
            begun = await near_world.post(f"{path}/test", {})
            assert begun.status_code == 202
            await idle(near_world, made)
            event = begun.json()["event"]
            (attempt,) = await items(near_world, f"{path}/deliveries", event=event)
            assert (attempt["outcome"], attempt["status"]) == (outcome, status)
            assert receiver.came[-1].event["type"] == "concert.metrics.webhook-tested.v1"
            assert receiver.came[-1].verified_by(made["secret"])
        # A test is not tried again, and nothing of it stays.
        assert await items(near_world, f"{path}/backlog") == []


async def test_webhooks_have_scopes_of_their_own(near_world: World) -> None:
    made = await hook(near_world, "https://tools.example.com/x")
    it = client_of(near_world.origin, token_headers(near_world.settings, *DEPARTMENT_SCOPES["it"]))
    sales = client_of(near_world.origin, token_headers(near_world.settings, *DEPARTMENT_SCOPES["sales"]))
    assert (await it.get("/v1/webhooks")).status_code == 200
    assert (await sales.get("/v1/webhooks")).status_code == 403
    assert (await it.post(f"/v1/webhooks/{made['id']}/disable", json={})).status_code == 403


async def test_nobody_turns_a_webhook_to_themselves_that_may_read_more_than_they(near_world: World) -> None:
    made = await hook(near_world, "https://tools.example.com/x")
    path = f"/v1/webhooks/{made['id']}"
    tool = client_of(near_world.origin, token_headers(near_world.settings, "webhooks:write", "deals:read"))
    stolen = await tool.patch(path, json={"url": "https://elsewhere.example"}, headers={"If-Match": '"1"'})
    assert (stolen.status_code, stolen.json()["scope"]) == (403, "admin")
    assert (await tool.post(f"{path}/rotate", json={})).status_code == 403
    assert (await shown(near_world, made))["url"] == "https://tools.example.com/x"
    own = await tool.post("/v1/webhooks", json={"url": "https://elsewhere.example", "types": ["*"]})
    assert own.json()["scopes"] == ["deals:read", "webhooks:write"]
    assert (await tool.post(f"/v1/webhooks/{own.json()['id']}/rotate", json={})).status_code == 200


async def test_a_webhook_sends_what_its_maker_may_read_and_no_more(near_world: World) -> None:
    scopes = {
        "finance": DEPARTMENT_SCOPES["finance"] | {"webhooks:write"},
        "people": {"webhooks:write", "people:read"},
        "nothing": {"webhooks:write"},
        "admin": {"admin"},
    }
    async with receiving() as finance, receiving() as people, receiving() as nothing, receiving() as admin:
        receivers = {"finance": finance, "people": people, "nothing": nothing, "admin": admin}
        for name, held in scopes.items():
            tool = client_of(near_world.origin, token_headers(near_world.settings, *held))
            answer = await tool.post("/v1/webhooks", json={"url": receivers[name].url, "types": ["*"]})
            assert answer.status_code == 201, answer.text
        await recruited(near_world, "Ada Berg")
        await customer(near_world, "Acme")
        await admin.until(lambda: len(admin.taken) == 3)
        await finance.until(lambda: len(finance.taken) == 2)
        await people.until(lambda: len(people.taken) == 1)
        await asyncio.sleep(0.2)

    def kinds(name: str) -> list[str]:
        return sorted(each.event["subject"].partition("/")[0] for each in receivers[name].taken)

    assert kinds("admin") == ["customer", "member", "person"]
    assert kinds("finance") == ["customer", "member"]
    assert kinds("people") == ["person"]
    assert kinds("nothing") == []
    assert not any(b"Ada" in each.body for each in finance.came)


async def test_the_log_of_deliveries_names_nothing_that_its_reader_may_not_see(near_world: World) -> None:
    async with receiving() as receiver:
        made = await hook(near_world, receiver.url, ["*"])
        await customer(near_world, "Acme")
        await recruited(near_world, "Ada Berg")
        await receiver.until(lambda: len(receiver.taken) == 3)
        await idle(near_world, made)
        reader = client_of(near_world.origin, token_headers(near_world.settings, "webhooks:read", "customers:read"))
        answer = await reader.get(f"/v1/webhooks/{made['id']}/deliveries")
        named = [each["subject"] for each in answer.json()["items"] if each["subject"] or each["type"]]
        assert len(answer.json()["items"]) == 3
        assert [subject.partition("/")[0] for subject in named] == ["customer"]


async def test_an_idle_concert_without_webhooks_does_nothing_for_them(embedded_world: World) -> None:
    dispatcher, metrics = dispatcher_of(embedded_world), embedded_world.services["metrics"]
    await relayed(embedded_world)
    asked = 0
    read = metrics.runtime.store.read

    async def counted(query: Any) -> Any:
        nonlocal asked
        asked += query.__module__.startswith("services.metrics.webhooks")
        return await read(query)

    metrics.runtime.store.read = counted  # type: ignore[method-assign]
    await asyncio.sleep(1)
    assert asked == 0
    assert dispatcher.means.tail.followers == 0
    assert dispatcher._rest() is None


async def test_readiness_names_the_dispatcher_when_it_is_dead(embedded_world: World) -> None:
    started = embedded_world.services["metrics"]
    ready: httpx.Response = await client_of(embedded_world.origin, {}).get("/readyz")
    assert (ready.status_code, ready.json()["parts"]["deliver_webhooks"]) == (200, "ok")

    async def dies() -> None:
        raise RuntimeError("the dispatcher fell over")

    started.tasks["deliver_webhooks"].cancel()
    started.tasks["deliver_webhooks"] = asyncio.create_task(dies())
    await asyncio.sleep(0)
    ready = await client_of(embedded_world.origin, {}).get("/readyz")
    assert ready.status_code == 503
    assert "fell over" in ready.json()["parts"]["deliver_webhooks"]
