"""One trace leads from a request to all that comes of it: lines of the log, events, whoever is told, what follows."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
import sqlalchemy as sa

from shared import traces
from shared.store.tables import Journal
from tests.journeys.test_training_cost import a_training, expenses
from tests.kit.test_bad_input import problem
from tests.logged import logged
from tests.meetings.test_packs import BOTH, knows_departments, opened
from tests.metrics.receiver import hook, receiving
from tests.metrics.stream import page, relayed
from tests.world import World, client_of

_journal = Journal.__table__.c  # type: ignore[attr-defined]


async def written(world: World, service: str, **where: str) -> list[Journal]:
    """What a service has told, of a subject or of a type."""
    query = sa.select(Journal).where(*(_journal[name] == value for name, value in where.items())).order_by(_journal.seq)
    return await world.services[service].runtime.store.read(lambda snapshot: snapshot.all(Journal, query))


async def on_the_log(world: World, topic: str, subject: str) -> list[dict[str, str]]:
    """The headers of what the log holds of a subject."""
    await relayed(world)
    batches: Any = world.bus.messages([topic], {})
    found: list[dict[str, str]] = []
    async with aclosing(batches):
        async for batch in batches:
            if not batch:
                return found
            found += [dict(each.record.headers) for each in batch if each.record.key == subject]
    return found


async def test_it_goes_from_the_request_into_lines_events_and_deliveries(standing: World) -> None:
    trace = traces.begun()
    with logged() as lines:
        async with receiving() as receiver:
            made = await hook(standing, receiver.url)
            answer = await standing.post(
                "/v1/customers", {"name": "Acme"}, **{"traceparent": trace, "X-Request-ID": "order-7"}
            )
            subject = f"customer/{answer.json()['id']}"
            await receiver.until(lambda: receiver.of(subject) == ["1"])
        await standing.admin.delete(f"/v1/webhooks/{made['id']}", headers={"If-Match": "*"})
    (line,) = lines.of("answered", request_id="order-7")
    assert (line["trace_id"], line["path"]) == (trace[3:35], "/v1/customers")
    assert [row.trace for row in await written(standing, "targets", subject=subject)] == [trace]
    assert [each["ce_traceparent"] for each in await on_the_log(standing, "concert.targets", subject)] == [trace]
    (received,) = receiver.came
    assert (received.headers["traceparent"], received.event["traceparent"]) == (trace, trace)
    told, _, _ = await page(standing.admin, types="concert.targets.customer-*", limit=1000)
    assert [each["traceparent"] for each in told if each["subject"] == subject] == [trace]


async def test_what_is_done_about_an_event_carries_it_on(standing: World) -> None:
    training, trace = await a_training(standing), traces.begun()
    done = await standing.post(f"/v1/trainings/{training}/complete", {"on": "2026-02-10"}, traceparent=trace)
    (expense,) = [each for each in await expenses(standing, done) if each["cause"] == f"training/{training}"]
    subject = f"expense/{expense['id']}"
    assert [row.trace for row in await written(standing, "targets", subject=subject)] == [trace]
    assert [each["ce_traceparent"] for each in await on_the_log(standing, "concert.targets", subject)] == [trace]


async def test_it_is_carried_on_also_where_it_is_done_later(standing: World) -> None:
    await knows_departments(standing)
    trace, at = traces.begun(), "2026-02-20T09:00:00Z"
    called = {"name": "All of us", "kind": "joint", "departments": BOTH, "starts_at": at}
    meeting = (await standing.made("/v1/meetings", called))["id"]
    started = await standing.post(f"/v1/meetings/{meeting}/start", {"at": at}, traceparent=trace)
    assert started.status_code == 200, started.text
    await opened(standing, meeting)
    frozen = await written(standing, "metrics", type="concert.metrics.pack-frozen.v1")
    assert [row.trace for row in frozen if row.data is not None and meeting in row.data] == [trace]


async def test_a_service_that_is_asked_meanwhile_is_part_of_it(standing: World) -> None:
    trace = traces.begun()
    member = {"name": "Ada", "department": "sales", "starts_on": "2026-01-01"}
    ada, ben = [(await standing.made("/v1/members", member))["id"] for _ in range(2)]
    thanks = {"to": [ada], "by": ben, "about": {"kind": "deal", "ref": "deal_nobody"}}
    with logged() as lines:
        await standing.post("/v1/recognitions", thanks, **{"traceparent": trace, "X-Request-ID": "order-8"})
    asked = lines.of("answered", path="/v1/deals/deal_nobody")
    assert [each["trace_id"] for each in asked] == [trace[3:35]]
    (line,) = lines.of("answered", path="/v1/recognitions")
    assert (line["request_id"], line["trace_id"]) == ("order-8", trace[3:35]), "and what is said afterwards is its own"


async def test_a_fault_is_found_by_the_trace_that_its_answer_names(
    standing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(query: Any) -> Any:
        raise RuntimeError("broken")

    with logged() as lines, monkeypatch.context() as patched:
        patched.setattr(standing.services["targets"].runtime.store, "read", broken)
        answer = await standing.admin.get("/v1/customers")
    named = problem(answer, 500)["trace_id"]
    assert answer.headers["traceparent"][3:35] == named
    (fault,) = lines.of("fault", trace_id=named)
    assert fault["request_id"] == named
    assert "RuntimeError: broken" in fault["exception"]


async def test_a_fault_of_a_row_is_found_by_the_trace_of_its_bulk(
    standing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(self: Any, *given: Any) -> Any:
        raise RuntimeError("broken")

    with logged() as lines, monkeypatch.context() as patched:
        patched.setattr("shared.http.collection.Collection.made", broken)
        answer = await standing.admin.post("/v1/customers/bulk", json=[{"name": "Acme"}])
    assert b'"row":1,"status":500' in answer.content
    (fault,) = lines.of("fault", row=1)
    assert fault["trace_id"] == answer.headers["traceparent"][3:35]


async def test_two_requests_at_once_keep_theirs(standing: World) -> None:
    names = {f"order-{number}": traces.begun() for number in range(20)}

    async def ask(name: str, trace: str) -> None:
        async with client_of(standing.origin, standing.admin.headers) as client:
            await client.get("/v1/deals", headers={"traceparent": trace, "X-Request-ID": name})

    with logged() as lines:
        await asyncio.gather(*(ask(*each) for each in names.items()))
    said = {each["request_id"]: each["trace_id"] for each in lines.of("answered")}
    assert said.items() >= {name: trace[3:35] for name, trace in names.items()}.items()
