"""A database that hangs is asked one question, and all who want to know are told within seconds that it is silent."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import asyncpg

from tests.engines import Kafka, Postgres
from tests.world import real, world


async def test_readiness_and_figures_say_soon_that_a_database_hangs_and_that_it_is_back(
    postgres_server: Postgres, kafka_broker: Kafka, tmp_path: Path
) -> None:
    async with real(postgres_server, kafka_broker) as ground, world(tmp_path, ground) as concert:
        teams = concert.services["teams"].runtime
        blocker = await asyncpg.connect(ground.store_url.replace("{service}", "teams"))
        try:
            async with blocker.transaction():
                await blocker.execute("LOCK TABLE held_event IN ACCESS EXCLUSIVE MODE")
                begin = time.monotonic()
                answers = await asyncio.gather(*(concert.admin.get("/readyz") for _ in range(5)))
                assert time.monotonic() - begin < 10
                assert {each.status_code for each in answers} == {503}
                assert "has not answered for" in answers[0].json()["parts"]["teams store"]
                said = (await concert.admin.get("/metrics")).text
                assert 'concert_store_answers{service="teams"} 0.0' in said
                assert 'concert_outbox_events{service="teams"}' not in said, "nothing old is told for new"
                assert 'concert_store_answers{service="targets"} 1.0' in said
                waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1"
                asked = await blocker.fetchval(waiting, "%FROM held_event%")
                assert asked == 1, "one question, however many want to know"
        finally:
            await blocker.close()
        async with asyncio.timeout(10):
            while (await concert.admin.get("/readyz")).status_code != 200:
                await asyncio.sleep(0.05)
        assert teams.pulse is not None
        assert teams.pulse.trouble is None


async def test_a_service_has_no_more_connections_than_it_was_given(
    postgres_server: Postgres, kafka_broker: Kafka, tmp_path: Path
) -> None:
    async with (
        real(postgres_server, kafka_broker) as ground,
        world(tmp_path, ground, store_connections=3) as concert,
    ):
        await asyncio.gather(*(concert.admin.get("/v1/members") for _ in range(30)))
        watcher = await asyncpg.connect(ground.store_url.replace("{service}", "teams"))
        try:
            counted = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> $1"
            assert 1 <= await watcher.fetchval(counted, watcher.get_server_pid()) <= 3
        finally:
            await watcher.close()
