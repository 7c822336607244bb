"""`concert doctor` where the engines are well, and what the services have written is not as it must be."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa

from concert.checks import room
from shared.bus import TOPICS
from shared.bus.kafka import create_topics
from shared.instant import now
from shared.postage import record_of
from shared.settings import Settings
from shared.store import Context, Job, Tx
from shared.store.sql import Raw
from shared.store.tables import Journal
from tests.engines import Kafka, Postgres
from tests.kit.test_own_log import met, restored
from tests.metrics.stream import relayed
from tests.serving import serving
from tests.tools.test_doctor_command import _its_own, change, on_kafka, prefix, run, wrong  # noqa: F401
from tests.tools.test_parked_command import held, tell
from tests.world import Ground, World, empty_databases, world

_journal = Journal.__table__.c  # type: ignore[attr-defined]
LONG_AGO = "2026-01-01T00:00:00.000000Z"


async def test_a_database_restored_to_the_past_is_named_with_the_event_that_it_lacks(tmp_path: Path) -> None:
    async with world(tmp_path) as concert:
        await met(concert, "Acme")
        await relayed(concert)
    shutil.copy(tmp_path / "targets.db", tmp_path / "copy.db")
    async with world(tmp_path) as concert:
        lost = await met(concert, "Betatech")
        await relayed(concert)
    restored(tmp_path)
    (found,) = await wrong()
    assert found[1] == "own log"
    assert f"an event of targets that its database does not know: customer/{lost} version 1" in found[2]
    assert found[2].endswith(" -> restore all of one backup, or what was there before")


async def test_a_database_behind_a_log_in_kafka_is_named(
    on_kafka: Kafka,  # noqa: F811
    postgres_server: Postgres,
    prefix: str,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from shared.bus.kafka import KafkaBus

    await create_topics(on_kafka.address, prefix=prefix)
    bus = KafkaBus(on_kafka.address, "tests", prefix)
    await bus.start()
    try:
        async with empty_databases(postgres_server) as url:
            monkeypatch.setenv("CONCERT_STORE_URL", url)
            assert (await run())[0] == 0
            told = Journal.make(seq=1, subject="customer/cust_x", version=3, id="0" * 32, topic="concert.targets",
                                type="concert.targets.customer-met.v1", time=LONG_AGO, data="{}")  # fmt: skip
            await bus.publish([record_of(told, "/targets")])
            (found,) = await wrong()
            assert (found[1], "customer/cust_x version 3" in found[2]) == ("own log", True)
    finally:
        await bus.close()
        await on_kafka.delete_topics(*(prefix + topic for topic in TOPICS))


async def test_an_event_that_could_not_be_applied_is_named_with_why(tmp_path: Path) -> None:
    async with world(tmp_path) as concert:
        await tell(concert, 1)
        await held(concert, 1)
        found = {check: words for _, check, words in await wrong()}
    assert found.keys() == {"own log", "events"}, "and targets has not told it"
    assert found["events"].startswith(
        "1 could not be applied by metrics, the first of deal/deal_x@1: it is not as it is decl"
    )
    assert found["events"].endswith(" -> `concert parked list`")


async def test_one_that_waits_for_long_is_named(tmp_path: Path) -> None:
    async with world(tmp_path) as concert:
        await tell(concert, 2)
        await held(concert, 1)
    assert "events" not in {check for _, check, _ in await wrong()}, "it has come a moment ago"
    change(tmp_path / "metrics.db", f"UPDATE held_event SET since = '{LONG_AGO}'")
    found = {check: words for _, check, words in await wrong()}
    assert found["events"].startswith(
        "deal/deal_x@2 has waited in metrics since 2026-01-01T00:00:00Z for the one before it"
    )


async def test_what_has_not_been_sent_for_long_is_named(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONCERT_STORE_URL", ground.store_url)
    async with world(tmp_path, ground) as concert:
        relay = concert.services["targets"].runtime.relay
        assert relay is not None
        await relayed(concert)
        relay.pause(True)
        await met(concert, "Acme")
        await concert.services["targets"].runtime.store.write(Job(_age, Context(now())))
        found = {check: words for verdict, check, words in await wrong() if verdict == "wrong"}
    assert found["events"].startswith("1 of targets have not been sent, the oldest since 2026-01-01T00:00:00Z -> see ")


async def _age(tx: Tx) -> None:
    statement = sa.update(Journal).where(sa.not_(_journal.sent)).values(time=sa.literal_column(f"'{LONG_AGO}'"))
    await tx.execute(Raw(str(statement.compile(dialect=tx.session.dialect))), [()])


async def test_a_service_that_does_not_answer_or_is_not_ready_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONCERT_STORE_URL", world.settings.store)
    async with serving(world.origin) as url:
        monkeypatch.setenv("CONCERT_METRICS_URL", url)
        monkeypatch.setenv("CONCERT_TEAMS_URL", "http://127.0.0.1:1")
        said = {check: words for _, check, words in (await run())[1]}
        assert said["at metrics"] == f"{url} answers and is ready"
        assert said["at teams"].startswith("http://127.0.0.1:1 does not answer -> see whether its container runs")
        consumer = world.services["metrics"].runtime.consumer
        assert consumer is not None
        # For good: the applier itself forgets it with the next event.
        failure = property(lambda _: "events cannot be applied: nobody knows why", lambda _, forgotten: None)
        monkeypatch.setattr(type(consumer), "failure", failure, raising=False)
        said = {check: words for _, check, words in (await run())[1]}
    assert said["at metrics"].startswith(f"{url} answers, but is not ready: applier: events cannot be applied")


def test_a_database_that_has_no_room_even_for_a_connection_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(url: str, **_: object) -> None:
        raise asyncpg.DiskFullError("could not write init file: No space left on device")

    monkeypatch.setattr(asyncpg, "connect", refuse)
    found = room.database(Settings(store_url="postgresql://concert:secret@db/{service}"))
    assert (found.verdict, found.said) == ("wrong", "db/teams takes no more")
    assert found.remedy.startswith("make room on its disk")


@pytest.mark.parametrize(
    ("setting", "verdict", "words"),
    [
        ("default_transaction_read_only = off", "ok", "takes what is written"),
        ("default_transaction_read_only = on", "wrong", "takes no more: cannot execute CREATE TABLE AS"),
    ],
)
async def test_a_database_that_takes_nothing_is_named(
    postgres_server: Postgres, setting: str, verdict: str, words: str
) -> None:
    address = await postgres_server.create_database()
    name = address.rpartition("/")[2]
    await postgres_server._execute(f'ALTER DATABASE "{name}" SET {setting}')
    try:
        found = await asyncio.to_thread(room.database, Settings(store_url=address))
        assert found.verdict == verdict
        assert words in f"{found.said}: {found.why}"
    finally:
        await postgres_server.drop_database(name)
