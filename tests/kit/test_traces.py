"""A line about an event, and what is done about it, belong to the trace of the event; a trace that is none, to none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
import structlog

from services.metrics.stream.tail import Tail
from services.targets.domain.customers import Customer
from shared import traces
from shared.bus import Bus
from shared.bus.embedded import EmbeddedBus
from shared.consumer import Consumer, Subscriptions
from shared.events import Envelope
from shared.events.targets import CustomerMet
from shared.http.edge import Edge
from shared.known import members
from shared.rebuild import Rebuild
from shared.rounds import GivenUp
from shared.store import Store, Tx
from shared.store.tables import Journal
from tests.kit.conftest import Stores, at_work, until
from tests.kit.told import Log, applied, applier, feed, life, opened, told, won
from tests.logged import logged

DEAL = "deal/deal_1"
SEEN = {"event_parked": "error", "event_waits": "debug", "event_given_up": "warning"}


async def lines_about(store: Store, records: list[Any], *, discard: bool = False) -> list[dict[str, Any]]:
    """What is written down of events that come."""
    consumer = applier(store)
    with logged() as lines:
        await feed(consumer, Log(), records)
        if discard:
            await consumer.discard(DEAL, GivenUp("ops", "nobody needs it"))
    found = [each for each in lines.all if each["event"] in SEEN]
    assert all(each["level"] == SEEN[each["event"]] for each in found)
    return found


@pytest.fixture
async def store(stores: Stores) -> Store:
    return await stores.open("metrics")


async def test_what_is_parked_and_what_is_given_up_is_written_down_with_its_trace(store: Store) -> None:
    trace = traces.begun()
    broken = replace(told(DEAL, 1, opened(), traceparent=trace), value=b"{}")
    parked, given_up = await lines_about(store, [broken], discard=True)
    for line, event in ((parked, "event_parked"), (given_up, "event_given_up")):
        assert (line["event"], line["trace_id"], line["subject"]) == (event, trace[3:35], DEAL)
        assert line["event_id"] == dict(broken.headers)["ce_id"]
    assert parked["reason"].startswith("it is not as it is declared")


async def test_a_fork_is_written_down_as_what_cannot_be_read_is(store: Store) -> None:
    trace = traces.begun()
    records = [*life(DEAL, opened()), told(DEAL, 1, opened(), again="restored", traceparent=trace)]
    (parked,) = await lines_about(store, records)
    assert (parked["event"], parked["trace_id"]) == ("event_parked", trace[3:35])
    assert parked["reason"].startswith("fork: version 1")


async def test_what_waits_for_its_predecessor_says_so_once_to_who_looks_closely(store: Store) -> None:
    trace = traces.begun()
    late = told(DEAL, 2, won(), traceparent=trace)
    (waits,) = await lines_about(store, [late, late])
    assert (waits["event"], waits["trace_id"], waits["subject"]) == ("event_waits", trace[3:35], DEAL)
    # What its predecessor comes with in the same batch has not waited.
    assert await lines_about(store, [told("deal/deal_2", 2, won()), told("deal/deal_2", 1, opened())]) == []


@pytest.mark.parametrize("trace", ["none", "", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "a@example.org\r\nX: y"])
async def test_what_is_no_trace_is_not_passed_on(stores: Stores, trace: str) -> None:
    store = await stores.open("targets")
    broken = replace(told(DEAL, 1, opened(), traceparent=trace), value=b"{}")
    envelope = Envelope(id="1", type="x", subject=DEAL, version=1, time="", source="", data=b"", trace=trace)
    assert envelope.log_context() == {"event_id": "1", "subject": DEAL}
    consumer = Consumer(store, None, reacting())  # type: ignore[arg-type]
    await feed(consumer, Log(), [told("customer/cust_x", 1, CustomerMet(name="Acme"), traceparent=trace), broken])
    assert await carried(store) == [None]


def reacting() -> Subscriptions:
    """For each customer that is met elsewhere, one is met here."""
    wishes = Subscriptions("concert.targets")
    wishes.keep(members)

    @wishes.on(CustomerMet)
    async def meet(tx: Tx, event: CustomerMet, envelope: Envelope) -> None:
        structlog.get_logger("shared.tests").info("met")
        tx.save(*Customer.meet(id="cust_ours", externals={}, name=event.name, region=None))

    return wishes


async def carried(store: Store) -> list[str | None]:
    """The traces of what a service has told."""
    column = Journal.__table__.c.trace  # type: ignore[attr-defined]
    return [trace for (trace,) in await store.read(lambda snapshot: snapshot.rows(sa.select(column)))]


async def test_what_an_event_obliges_to_belongs_to_its_trace_and_to_no_other(stores: Stores) -> None:
    store, trace = await stores.open("targets"), traces.begun()
    consumer = Consumer(store, None, reacting())  # type: ignore[arg-type]
    with logged() as lines, traces.carrying(traces.begun(), request_id="another"):
        await feed(consumer, Log(), [told("customer/cust_x", 1, CustomerMet(name="Acme"), traceparent=trace)])
    (met,) = lines.of("met")
    assert met["trace_id"] == trace[3:35]
    assert met["event_id"]
    assert await carried(store) == [trace]


async def test_what_a_rebuild_could_apply_in_the_end_belongs_to_its_trace_too(stores: Stores, bus: Bus) -> None:
    store, trace, wishes = await stores.open("targets"), traces.begun(), reacting()
    meet, met = wishes.reactions[CustomerMet][0], False

    async def troubled(tx: Tx, event: CustomerMet, envelope: Envelope) -> None:
        if not met:
            raise ValueError("not now")
        await meet(tx, event, envelope)

    wishes.reactions[CustomerMet] = [troubled]
    await bus.publish([told("customer/cust_x", 1, CustomerMet(name="Acme"), traceparent=trace)])
    async with at_work(store, bus, wishes) as consumer:
        assert await carried(store) == []
        met = True
        await Rebuild(store, bus, wishes, consumer).run()
    assert await applied(store, "customer/cust_x") == 1
    assert await carried(store) == [trace]


async def test_a_fault_after_the_answer_has_begun_is_written_down_with_its_trace() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("broken off")

    async def nothing(message: Any = None) -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    trace = traces.begun()
    scope = {"type": "http", "method": "GET", "path": "/v1/deals", "query_string": b"",
             "headers": [(b"traceparent", trace.encode())]}  # fmt: skip
    with logged() as lines, pytest.raises(RuntimeError):
        await Edge(app, "targets", 1024)(scope, nothing, nothing)  # type: ignore[arg-type]
    (fault,) = lines.of("fault")
    assert (fault["trace_id"], fault["path"]) == (trace[3:35], "/v1/deals")
    assert traces.names() == {}


async def test_what_is_read_for_all_is_no_part_of_the_request_of_who_came_first(bus: EmbeddedBus) -> None:
    async def stops(topics: Any, start: Any) -> AsyncIterator[list[Any]]:
        yield []
        if asyncio.current_task().get_name() == "tail of the log":  # type: ignore[union-attr]
            raise RuntimeError("gone")

    bus.messages = stops  # type: ignore[method-assign]
    with logged() as lines, traces.carrying(traces.begun(), request_id="first"):
        following = Tail(bus).follow({})
        await anext(following)
        task = asyncio.ensure_future(anext(following))
        await until(lambda: bool(lines.of("tail_stopped")))
        task.cancel()
        await asyncio.wait([task])
    assert lines.of("tail_stopped")[0].keys().isdisjoint({"request_id", "trace_id"})
