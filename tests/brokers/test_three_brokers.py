"""Three brokers of which one dies, hands over, or is one of two that die: nothing is lost, doubled or out of order."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from concert.checks import Finding, checks_of
from concert.doctor import begin
from shared.bus import TOPICS
from shared.bus.kafka import create_topics, look_at_topics
from shared.instant import now
from shared.settings import Settings
from tests import world as worlds
from tests.brokers.load import Load, loaded, order_on
from tests.chaos.kills import Clients, Notes, judge, prepare
from tests.chaos.victims import OnServers, servers_of
from tests.engines import KafkaCluster, Postgres
from tests.metrics.test_certificate import settled_verdict
from tests.world import World

pytestmark = pytest.mark.nightly

TARGETS = "concert.targets"


async def leader_of(cluster: KafkaCluster, topic: str) -> int:
    """The number of the broker that leads the first partition of a topic."""
    administrator = AIOKafkaAdminClient(bootstrap_servers=cluster.address)
    await administrator.start()
    try:
        (found,) = await administrator.describe_topics([topic])
    finally:
        await administrator.close()
    return int(next(each["leader"] for each in found["partitions"] if each["partition"] == 0))


async def is_in_the_views(concert: World, load: Load) -> float:
    """Wait until the views have what is written from now on; how many seconds that took."""
    begun = time.monotonic()
    written = await load.next()
    query = {"after": written.headers["concert-version"], "period": str(now().year)}
    async with asyncio.timeout(60):
        while (
            await concert.admin.get("/v1/views/sales", params=query, headers={"Prefer": "wait=5"})
        ).status_code != 200:
            pass
    return time.monotonic() - begun


async def is_told(concert: World) -> dict[str, str]:
    """Wait until readiness says that something is wrong; which parts."""
    async with asyncio.timeout(60):
        while True:
            answer = await concert.admin.get("/readyz")
            if answer.status_code == 503:
                return {name: said for name, said in answer.json()["parts"].items() if said != "ok"}
            await asyncio.sleep(0.1)


async def doctor_says(cluster: KafkaCluster) -> dict[str, Finding]:
    """What the doctor finds of the brokers, each under its address, and of all together."""
    settings = Settings(bus="kafka", kafka_bootstrap_servers=cluster.address)
    begun = [(name, begin(check)) for name, check in checks_of(settings) if name in ("broker", "cluster")]
    names = [*cluster.address.split(","), "cluster"]
    return {name: await asyncio.to_thread(found) for name, (_, found) in zip(names, begun, strict=True)}


async def doctor_names(cluster: KafkaCluster, *gone: int) -> None:
    """See that the doctor says which brokers are gone, and what follows from that."""
    found = await doctor_says(cluster)
    missing = [address for number, address in enumerate(cluster.address.split(","), 1) if number in gone]
    assert [name for name, each in found.items() if each.verdict == "wrong" and name != "cluster"] == missing
    assert found["cluster"].said.startswith(f"{3 - len(gone)} of 3 brokers answer")
    assert found["cluster"].remedy == (f"start {', '.join(missing)}" if missing else "")
    assert found["cluster"].verdict == ("ok", "warning", "wrong")[len(gone)]


@pytest.mark.timeout(600)
async def test_writes_go_on_while_one_broker_is_dead_and_are_taken_and_wait_while_two_are(
    cluster: KafkaCluster, postgres_server: Postgres, tmp_path: Path
) -> None:
    async with worlds.real(postgres_server, cluster) as ground, worlds.world(tmp_path, ground) as concert:
        async with loaded(concert) as load:
            await is_in_the_views(concert, load)
            await doctor_names(cluster)
            first = await leader_of(cluster, f"{ground.bus._cluster.prefix}{TARGETS}")  # type: ignore[attr-defined]
            await asyncio.to_thread(cluster.kill_broker, first)
            after_one = await is_in_the_views(concert, load)
            await doctor_names(cluster, first)
            second = first % 3 + 1
            await asyncio.to_thread(cluster.kill_broker, second)
            parts = await is_told(concert)
            assert any("Kafka at" in said for said in parts.values()), parts
            await doctor_names(cluster, first, second)
            taken = len(load.ids)
            await load.next()
            waiting, _ = await concert.services["targets"].runtime.relay.backlog()  # type: ignore[union-attr]
            assert waiting > 0
            await asyncio.to_thread(cluster.start_broker, first, second)
            after_two = await is_in_the_views(concert, load)
            assert len(load.ids) > taken
        await settled_verdict(concert, "consistent")
        order = await order_on(ground.bus)
        assert {f"customer/{key}" for key in load.ids} <= order.keys()
        whole = {subject: list(range(1, len(versions) + 1)) for subject, versions in order.items()}
        assert order == whole
    print(f"{len(load.ids)} customers; in the views {after_one:.1f} s after one died, {after_two:.1f} s after two")  # noqa: T201


async def test_topics_are_kept_three_times_and_take_events_with_two_copies(cluster: KafkaCluster) -> None:
    await create_topics(cluster.address, prefix="kept.")
    try:
        for each in await look_at_topics(cluster.address, prefix="kept."):
            assert (each.kept, each.wanted, each.needed, each.led) == (3, 3, 2, True), each
    finally:
        await cluster.delete_topics(*(f"kept.{topic}" for topic in TOPICS))


@pytest.mark.timeout(900)
def test_nothing_is_lost_or_doubled_while_brokers_die_hand_over_and_come_back_under_load(
    cluster: KafkaCluster, postgres_server: Postgres, tmp_path: Path
) -> None:
    with servers_of(tmp_path, postgres_server, cluster) as victim:
        notes = asyncio.run(_troubled(victim, cluster))
        found = asyncio.run(judge(victim, notes))
    print(f"{notes.kills} disturbances; {found}")  # noqa: T201
    assert found["deals"] > 50


async def _troubled(victim: OnServers, cluster: KafkaCluster) -> Notes:
    notes = Notes()
    await asyncio.to_thread(victim.start)
    await prepare(victim)
    for number in range(9):
        working = asyncio.create_task(Clients(victim, notes).work(number, 8))
        await asyncio.sleep(1)
        one = random.randint(1, 3)
        match number % 3:
            case 0:
                await asyncio.to_thread(cluster.kill_broker, one)
            case 1:
                await asyncio.to_thread(cluster.stop_broker, one)
            case 2:
                await asyncio.to_thread(cluster.kill_broker, one, one % 3 + 1)
        notes.kills += 1
        await working
        assert not notes.unknown, "a write was not taken"
        await asyncio.to_thread(cluster.start_broker, 1, 2, 3)
    return notes
