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


FULL = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
CREATE FUNCTION no_room_at_all() RETURNS event_trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON journal EXECUTE FUNCTION no_room();
CREATE EVENT TRIGGER full_disk ON ddl_command_start WHEN TAG IN ('CREATE TABLE AS') EXECUTE FUNCTION no_room_at_all();
"""
ROOM = "DROP EVENT TRIGGER full_disk; DROP TRIGGER full_disk ON journal"


async def test_readiness_says_that_a_database_has_no_room_from_the_first_failed_write_until_one_would_be_taken(
    postgres_server: Postgres, kafka_broker: Kafka, tmp_path: Path
) -> None:
    async with real(postgres_server, kafka_broker) as ground, world(tmp_path, ground) as concert:
        disk = await asyncpg.connect(ground.store_url.replace("{service}", "teams"))
        try:
            await disk.execute(FULL)
            answer = await concert.admin.post("/v1/teams", json={"name": "West"})
            assert answer.status_code == 503
            assert answer.json()["detail"] == "The database has no room for more; nothing was stored."
            for _ in range(2):
                said = await concert.admin.get("/readyz")
                assert said.status_code == 503
                reason = said.json()["parts"]["teams store"]
                assert reason == "the database has no room for more: could not extend file"
            assert (await concert.admin.get("/v1/teams")).status_code == 200, "what is there is shown"
            await disk.execute(ROOM)
            assert (await concert.admin.get("/readyz")).status_code == 200
            await concert.made("/v1/teams", {"name": "West"})
        finally:
            await disk.close()


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
