"""What happens when a receiver does not take an event: its subject waits, the others go on, and nothing is left out."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from services.metrics.webhooks import courier, ledger
from services.metrics.webhooks.hooks import JITTER, SCHEDULE, OwedEvent, Webhook
from services.metrics.webhooks.sending import Sender
from shared import traces
from shared.events import Envelope
from shared.postage import record_of
from shared.store.tables import Journal
from tests.kit.conftest import until
from tests.logged import logged
from tests.metrics.receiver import Clock, Received, dispatcher_of, hook, idle, items, receiving, shown
from tests.metrics.stream import customer, page, recruited, relayed
from tests.metrics.test_webhooks import changed
from tests.world import World

pytestmark = pytest.mark.embedded_by_day


@pytest.fixture
def clock(near_world: World) -> Clock:
    """The dispatcher's clock, and no spread of its waits."""
    clock = Clock()
    means = dispatcher_of(near_world).means
    means.clock, means.spread = clock, lambda: 0.0
    return clock


async def backlog(world: World, made: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    return await items(world, f"/v1/webhooks/{made['id']}/backlog", **query)


async def test_a_failing_subject_holds_up_itself_and_no_other(near_world: World, clock: Clock) -> None:
    broken = ""
    async with receiving(lambda received: 500 if received.event["subject"] == broken else 200) as receiver:
        made = await hook(near_world, receiver.url)
        acme, beta = await customer(near_world, "Acme"), await customer(near_world, "Betatech")
        await receiver.until(lambda: len(receiver.taken) == 2)
        broken = f"customer/{acme['id']}"
        for region in ("EMEA", "APAC", "AMER"):
            await changed(near_world, acme, region)
            await changed(near_world, beta, region)
        await receiver.until(lambda: receiver.of(f"customer/{beta['id']}") == ["1", "2", "3", "4"])
        await receiver.until(lambda: receiver.of(broken) == ["1", "2"])
        await idle(near_world, made, waiting=3)
        waiting = await backlog(near_world, made)
        assert {(each["subject"], each["sequence"]) for each in waiting} == {(broken, 2), (broken, 3), (broken, 4)}
        was, broken = broken, ""
        clock.turn(dispatcher_of(near_world), seconds=6)
        await receiver.until(lambda: receiver.of(was) == ["1", "2", "2", "3", "4"])
        await idle(near_world, made)
        assert await backlog(near_world, made) == []


async def test_waits_follow_the_schedule_until_the_event_is_given_up(near_world: World, clock: Clock) -> None:
    status = 503
    async with receiving(lambda received: status) as receiver:
        made = await hook(near_world, receiver.url)
        dispatcher = dispatcher_of(near_world)
        acme = await customer(near_world, "Acme")
        for attempt, wait in enumerate(SCHEDULE, 1):
            await receiver.until(lambda so_far=attempt: len(receiver.came) == so_far)  # type: ignore[misc]
            async with asyncio.timeout(10):
                while not (held := await backlog(near_world, made)) or held[0]["attempts"] < attempt:
                    await asyncio.sleep(0.02)
            assert held[0]["attempts"] == attempt
            assert held[0]["error"] == "answered 503"
            due = datetime.fromisoformat(held[0]["next_attempt_at"])
            assert due - clock.moment == wait
            clock.turn(dispatcher, seconds=wait.total_seconds() - 1)
            await asyncio.sleep(0.1)
            assert len(receiver.came) == attempt
            clock.turn(dispatcher, seconds=1)
        final = await idle(near_world, made)
        assert len(receiver.came) == len(SCHEDULE) + 1
        assert final["given_up"] == 1
        (dead,) = await backlog(near_world, made, state="given_up")
        assert (dead["subject"], dead["next_attempt_at"]) == (f"customer/{acme['id']}", None)
        attempts = await items(near_world, f"/v1/webhooks/{made['id']}/deliveries", event=dead["event"])
        assert [each["attempt"] for each in attempts] == list(range(10, 0, -1))
        assert [each["outcome"] for each in attempts] == ["given_up"] + ["failed"] * 9
        # What follows on the subject goes on; what was given up comes again when somebody asks for it.
        status = 200
        await changed(near_world, acme, "EMEA")
        await receiver.until(lambda: len(receiver.taken) == 1)
        redelivered = await near_world.post(f"/v1/webhooks/{made['id']}/redeliver", {"event": dead["event"]})
        assert redelivered.json() == {"events": 1}
        await receiver.until(lambda: len(receiver.taken) == 2)
        assert receiver.taken[-1].headers["webhook-id"] == dead["event"]
        await idle(near_world, made)
        none = await near_world.post(f"/v1/webhooks/{made['id']}/redeliver", {})
        assert (none.status_code, none.json()["rule"]) == (409, "nothing-given-up")


def test_waits_are_spread_and_grow_to_days() -> None:
    at = datetime(2026, 7, 31, tzinfo=UTC)
    webhook = Webhook.make(id="hook_1", url="", owner="", secret="", created_at=at, cursor="")
    envelope = Envelope("e", "t", "deal/1", 1, "", "/targets", b"{}")
    for spread in (-1.0, 0.5, 1.0):
        owed = OwedEvent.of(webhook, envelope, at)
        for wait in SCHEDULE:
            owed.fail("answered 500", at, spread)
            assert owed.due - at == timedelta(seconds=wait.total_seconds() * (1 + JITTER * spread))
        assert not owed.dead
        owed.fail("answered 500", at, spread)
        assert owed.dead
    assert timedelta(days=3) < sum(SCHEDULE, timedelta()) < timedelta(days=4)
    assert list(SCHEDULE) == sorted(SCHEDULE)


async def test_a_receiver_may_ask_for_more_time(near_world: World, clock: Clock) -> None:
    async with receiving(lambda received: 429) as receiver:
        receiver.more_headers = "Retry-After: 120\r\n"
        made = await hook(near_world, receiver.url)
        await customer(near_world, "Acme")
        async with asyncio.timeout(10):
            while not (held := await backlog(near_world, made)) or not held[0]["attempts"]:
                await asyncio.sleep(0.02)
        assert datetime.fromisoformat(held[0]["next_attempt_at"]) - clock.moment == timedelta(seconds=120)


async def test_a_receiver_that_is_gone_is_not_asked_again(near_world: World, clock: Clock) -> None:
    status = 410
    async with receiving(lambda received: status) as receiver:
        made = await hook(near_world, receiver.url)
        await customer(near_world, "Acme")
        async with asyncio.timeout(10):
            while (found := await shown(near_world, made))["enabled"]:
                await asyncio.sleep(0.02)
        assert found["disabled_because"] == "the receiver answered 410 Gone"
        await customer(near_world, "Betatech")
        await relayed(near_world)
        clock.turn(dispatcher_of(near_world), hours=1)
        await asyncio.sleep(0.2)
        assert len(receiver.came) == 1
        status = 200
        await near_world.post(f"/v1/webhooks/{made['id']}/enable", {})
        await receiver.until(lambda: len(receiver.taken) == 2)


async def test_no_answer_in_time_is_a_failure(near_world: World, clock: Clock) -> None:
    dispatcher_of(near_world).means.sender = partial(Sender, private=True, seconds=0.2)
    async with receiving(lambda received: None) as receiver:
        made = await hook(near_world, receiver.url)
        await customer(near_world, "Acme")
        async with asyncio.timeout(10):
            while not (found := await items(near_world, f"/v1/webhooks/{made['id']}/deliveries")):
                await asyncio.sleep(0.02)
        assert (found[0]["outcome"], found[0]["status"]) == ("failed", None)
        assert found[0]["error"] == "no answer within 0.2 s"
        receiver.decide = lambda received: 200
        clock.turn(dispatcher_of(near_world), seconds=6)
        await receiver.until(lambda: len(receiver.taken) == 1)


async def test_a_receiver_that_is_down_gets_everything_later(near_world: World, clock: Clock) -> None:
    async with receiving() as receiver:
        url = receiver.url
    made = await hook(near_world, url)
    await customer(near_world, "Acme")
    async with asyncio.timeout(10):
        while not (found := await items(near_world, f"/v1/webhooks/{made['id']}/deliveries")):
            await asyncio.sleep(0.02)
    assert "ConnectError" in found[0]["error"]
    async with receiving() as receiver:
        answer = await near_world.admin.patch(
            f"/v1/webhooks/{made['id']}", json={"url": receiver.url}, headers={"If-Match": "*"}
        )
        assert answer.status_code == 200
        clock.turn(dispatcher_of(near_world), seconds=6)
        await receiver.until(lambda: len(receiver.taken) == 1)


async def test_who_is_called_off_while_closing_closes_every_connection() -> None:
    async with receiving() as receiver:
        sender = Sender(private=True)
        await asyncio.gather(*(sender.send(receiver.url, {}, b"{}") for _ in range(3)))
        assert receiver.connected == 3
        closing = asyncio.create_task(sender.close())
        await asyncio.sleep(0)
        closing.cancel()
        await receiver.until(lambda: receiver.connected == 0, seconds=5)


async def test_what_stands_twice_on_the_log_is_delivered_once(near_world: World, clock: Clock) -> None:
    async with receiving() as receiver:
        made = await hook(near_world, receiver.url)
        await customer(near_world, "Acme")
        await receiver.until(lambda: len(receiver.taken) == 1)
        await idle(near_world, made)
        store = near_world.services["targets"].runtime.store
        rows = await store.read(lambda snapshot: snapshot.all(Journal, sa.select(Journal).order_by(sa.column("seq"))))
        await near_world.bus.publish([record_of(row, "/targets") for row in rows] * 2)
        await customer(near_world, "Betatech")
        await receiver.until(lambda: len(receiver.taken) == 2)
        await idle(near_world, made)
        assert len(receiver.came) == 2


async def test_a_receiver_that_takes_nothing_does_not_fill_the_store(
    near_world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "MOST_WAITING", 3)
    status = 500
    async with receiving(lambda received: status) as receiver:
        made = await hook(near_world, receiver.url)
        for number in range(12):
            await customer(near_world, f"Customer {number}")
            await relayed(near_world)
        found = await shown(near_world, made)
        assert found["waiting"] < 12
        _, end, _ = await page(near_world.admin)
        assert found["cursor"] != end
        status = 200
        clock.turn(dispatcher_of(near_world), seconds=6)
        await receiver.until(lambda: len({each.headers["webhook-id"] for each in receiver.taken}) == 12)


async def test_too_many_events_given_up_disable_the_webhook(
    near_world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "MOST_DEAD", 2)
    monkeypatch.setattr("services.metrics.webhooks.hooks.SCHEDULE", ())
    async with receiving(lambda received: 500) as receiver:
        made = await hook(near_world, receiver.url)
        await customer(near_world, "Acme")
        await customer(near_world, "Betatech")
        async with asyncio.timeout(10):
            while (found := await shown(near_world, made))["enabled"]:
                await asyncio.sleep(0.02)
        assert found["given_up"] == 2
        assert found["disabled_because"].startswith("2 events had to be given up")


async def test_who_was_erased_is_not_delivered_any_more(near_world: World, clock: Clock) -> None:
    refuse = True

    def decide(received: Received) -> int:
        return 500 if refuse and received.event["subject"].startswith("person/") else 200

    async with receiving(decide) as receiver:
        made = await hook(near_world, receiver.url, ["*"])
        ada = await recruited(near_world, "Ada Berg")
        await receiver.until(lambda: len(receiver.came) == 2)
        await idle(near_world, made, waiting=1)
        (held,) = await backlog(near_world, made)
        assert held["subject"] == f"person/{ada['id']}"
        refuse, receiver.came = False, []
        assert (await near_world.admin.delete(f"/v1/members/{ada['id']}/personal-data")).status_code == 204
        await relayed(near_world)
        clock.turn(dispatcher_of(near_world), hours=1)
        await receiver.until(lambda: len(receiver.taken) == 2)
        await idle(near_world, made)
        assert not any(b"Ada" in each.body for each in receiver.came)
        types = {each.event["type"] for each in receiver.came}
        assert types == {"concert.people.person-forgotten.v1", "concert.teams.member-erased.v1"}
        # Nor does a replay, or a webhook made later, tell who it was.
        await near_world.post(f"/v1/webhooks/{made['id']}/replay", {"after": "beginning"})
        await hook(near_world, receiver.url, ["concert.people.*"], **{"from": "beginning"})
        await receiver.until(lambda: sum(each.event["subject"].startswith("person/") for each in receiver.taken) == 3)
        assert not any(b"Ada" in each.body for each in receiver.came)


async def test_what_was_owed_of_a_person_goes_when_the_person_does(near_world: World, clock: Clock) -> None:
    async with receiving(lambda received: 500) as receiver:
        made = await hook(near_world, receiver.url, ["concert.people.*"])
        ada = await recruited(near_world, "Ada Berg")
        await receiver.until(lambda: len(receiver.came) == 1)
        await near_world.post(f"/v1/webhooks/{made['id']}/disable", {})
        assert [each["subject"] for each in await backlog(near_world, made)] == [f"person/{ada['id']}"]
        await near_world.admin.delete(f"/v1/members/{ada['id']}/personal-data")
        await relayed(near_world)
        assert await backlog(near_world, made) == []


async def test_of_the_deliveries_the_last_ones_are_kept(
    near_world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "TRIM_EVERY", 5)
    monkeypatch.setattr(ledger, "KEPT_DELIVERIES", 3)
    async with receiving() as receiver:
        made = await hook(near_world, receiver.url)
        acme = await customer(near_world, "Acme")
        for region in ("EMEA", "APAC", "AMER", "LATAM"):
            await changed(near_world, acme, region)
        await receiver.until(lambda: len(receiver.taken) == 5)
        await idle(near_world, made)
        async with asyncio.timeout(10):
            while len(found := await items(near_world, f"/v1/webhooks/{made['id']}/deliveries")) != 3:
                await asyncio.sleep(0.02)
        assert [each["sequence"] for each in found] == [5, 4, 3]


async def test_lines_about_an_event_that_is_not_taken_carry_its_trace(near_world: World, clock: Clock) -> None:
    trace = traces.begun()
    with logged() as lines:
        async with receiving(lambda received: 500) as receiver:
            made = await hook(near_world, receiver.url)
            acme = (await near_world.post("/v1/customers", {"name": "Acme"}, traceparent=trace)).json()
            for attempt, wait in enumerate(SCHEDULE, 1):
                await until(lambda so_far=attempt: len(lines.of("webhook_failed")) == so_far)  # type: ignore[misc]
                clock.turn(dispatcher_of(near_world), seconds=wait.total_seconds())
            await until(lambda: bool(lines.of("webhook_gave_up")))
    about = {"webhook": made["id"], "subject": f"customer/{acme['id']}", "trace_id": trace[3:35]}
    (gave_up,) = lines.of("webhook_gave_up", **about)
    assert (gave_up["reason"], gave_up["level"]) == ("answered 500", "error")
    assert len(lines.of("webhook_failed", **about)) == len(SCHEDULE)
    assert {received.headers["traceparent"] for received in receiver.came} == {trace}
