"""What Prometheus is told: the outbox, the applier, what is held, the verdict, the time of each route, as they are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from prometheus_client.parser import text_string_to_metric_families

from shared.http import gauges
from tests.world import World

MEMBER = {"name": "Ada", "department": "sales", "starts_on": "2026-01-01"}


async def told(world: World) -> Callable[..., float | None]:
    """The figures as Prometheus reads them now, by name and labels."""
    gauges._read_at.clear()
    answer = await world.admin.get("/metrics")
    assert answer.status_code == 200
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    return lambda name, **labels: samples.get((name, *sorted(labels.items())))


async def test_an_event_that_cannot_leave_is_counted_with_its_age_until_it_is_on_the_log(world: World) -> None:
    relay = world.services["teams"].runtime.relay
    assert relay is not None
    relay.pause(True)
    answer = await world.post("/v1/members", MEMBER)
    before = time.monotonic()
    figure = await told(world)
    assert figure("concert_outbox_events", service="teams") == 2, "the member, and apart from it the person"
    assert figure("concert_relay_moving", service="teams") == 0
    age = figure("concert_outbox_oldest_seconds", service="teams")
    assert age is not None
    assert 0 <= age < 30 + time.monotonic() - before
    relay.pause(False)
    await world.settled("/v1/views/hr", answer, period="2026-01")
    while (figure := await told(world))("concert_outbox_events", service="teams"):
        await asyncio.sleep(0.01)
    assert figure("concert_outbox_oldest_seconds", service="teams") == 0
    assert figure("concert_relay_moving", service="teams") == 1


async def test_the_verdict_and_how_far_the_views_are_behind_are_those_of_the_certificate(world: World) -> None:
    relay = world.services["teams"].runtime.relay
    assert relay is not None
    relay.pause(True)
    await world.post("/v1/members", MEMBER)
    certificate = (await world.admin.get("/v1/consistency", params={"fresh": "true"})).json()
    figure = await told(world)
    assert certificate["verdict"] == "catching_up"
    assert figure("concert_certificate_verdict", verdict="catching_up") == 1
    assert figure("concert_certificate_verdict", verdict="consistent") == 0
    owner = certificate["owners"]["teams"]
    assert figure("concert_views_lag_events", owner="teams") == owner["known"] - owner["applied"] > 0
    relay.pause(False)


async def test_every_part_and_every_database_says_whether_it_works(world: World) -> None:
    await world.admin.get("/v1/consistency", params={"fresh": "true"})
    figure = await told(world)
    for service in ("teams", "targets", "meetings", "metrics"):
        assert figure("concert_store_answers", service=service) == 1
        assert figure("concert_part_ready", service=service, part="relay") == 1
        assert figure("concert_parked_events", service=service) == 0
        assert figure("concert_waiting_events", service=service) == 0
        assert figure("concert_applier_behind_seconds", service=service) is not None
    assert figure("concert_part_ready", service="metrics", part="keep_certificate") == 1


async def test_a_part_that_has_died_is_told(world: World) -> None:
    teams = world.services["teams"]
    teams.tasks["housekeeping"].cancel()
    teams.tasks["housekeeping"] = asyncio.create_task(_fail())
    await asyncio.wait([teams.tasks["housekeeping"]])
    figure = await told(world)
    assert figure("concert_part_ready", service="teams", part="housekeeping") == 0


async def test_the_time_of_each_route_and_the_size_of_each_commit_are_counted(world: World) -> None:
    def counted(figure: Callable[..., float | None]) -> list[float]:
        route = {"service": "teams", "method": "GET", "route": "list_members"}
        names = ("concert_http_request_seconds_count", "concert_http_answers_total")
        found = [figure(names[0], **route), figure(names[1], **route, status="200")]
        return [each or 0 for each in [*found, figure("concert_commit_group_writes_sum", service="teams")]]

    before = counted(await told(world))
    assert (await world.admin.get("/v1/members")).status_code == 200
    bulk = b"\n".join(b'{"name": "Seller %d", "department": "sales", "starts_on": "2026-01-01"}' % n for n in range(5))
    answer = await world.admin.post("/v1/members/bulk", content=bulk, headers={"Content-Type": "application/x-ndjson"})
    assert answer.status_code == 200
    times, answers, writes = (now - then for now, then in zip(counted(await told(world)), before, strict=True))
    assert (times, answers) == (1, 1)
    assert writes >= 5


async def _fail() -> None:
    raise RuntimeError("it has died")
