"""A service whose database is older than what the log holds of it does not start, and says which event it lacks."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared.bus import Record
from shared.instant import now
from shared.own_log import DatabaseBehindLog, OwnLog
from shared.store import Context, Job, Store, Tx
from shared.store.sql import Raw
from shared.store.tables import Journal, Verified
from tests.metrics.stream import relayed
from tests.world import Ground, World, world


async def met(concert: World, name: str) -> str:
    made = await concert.made("/v1/customers", {"name": name})
    return str(made["id"])


def restored(store: Path) -> None:
    """Bring the copy of a store back over what it has become."""
    for name in ("targets.db-wal", "targets.db-shm"):
        (store / name).unlink(missing_ok=True)
    shutil.copy(store / "copy.db", store / "targets.db")


async def test_a_database_restored_to_the_past_is_refused_and_the_newer_one_is_taken(tmp_path: Path) -> None:
    async with world(tmp_path) as concert:
        await met(concert, "Acme")
        await relayed(concert)
    shutil.copy(tmp_path / "targets.db", tmp_path / "copy.db")
    async with world(tmp_path) as concert:
        lost = await met(concert, "Betatech")
        await relayed(concert)
    shutil.copy(tmp_path / "targets.db", tmp_path / "newer.db")
    restored(tmp_path)
    with pytest.raises(DatabaseBehindLog) as refusal:
        async with world(tmp_path):
            pass
    assert f"customer/{lost} version 1" in str(refusal.value)
    assert "Bring back a database that is as new as the log" in str(refusal.value)
    shutil.move(tmp_path / "newer.db", tmp_path / "copy.db")
    restored(tmp_path)
    async with world(tmp_path) as concert:
        assert (await concert.admin.get(f"/v1/customers/{lost}")).status_code == 200


async def test_the_command_says_it_in_one_sentence(tmp_path: Path) -> None:
    async with world(tmp_path) as concert:
        await met(concert, "Acme")
        await relayed(concert)
    (tmp_path / "targets.db").unlink()
    environment = os.environ | {"CONCERT_DATA": str(tmp_path), "CONCERT_DEMO": "0", "CONCERT_PORT": "18431"}
    command = [sys.executable, "-c", "from concert.start import main; main()", "run"]
    run = await asyncio.to_thread(subprocess.run, command, env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    assert "concert.targets holds an event of targets that its database does not know" in run.stderr
    assert "Traceback" not in run.stderr


async def test_an_event_that_the_journal_lacks_is_found_on_either_engine(ground: Ground, tmp_path: Path) -> None:
    async with world(tmp_path, ground) as concert:
        known, lost = await met(concert, "Acme"), await met(concert, "Betatech")
        await relayed(concert)
        store = concert.services["targets"].runtime.store
        await own_log(concert).verify()
        await forget(store, f"customer/{lost}")
        # What has been compared once is not read again.
        await own_log(concert).verify()
        await forget_places(store)
        with pytest.raises(DatabaseBehindLog, match=f"customer/{lost} version 1"):
            await own_log(concert).verify()
        assert await store.read(lambda snapshot: snapshot.rows(sa.select(Verified))) == []
        assert known


async def test_what_others_write_to_the_topic_is_not_ours(ground: Ground, tmp_path: Path) -> None:
    async with world(tmp_path, ground) as concert:
        await ground.bus.publish([Record("concert.targets", "deal/deal_x", b"{}", (("ce_id", "x"),))])
        await own_log(concert).verify()


async def test_an_erased_person_is_known_still(tmp_path: Path) -> None:
    async with world(tmp_path) as concert:
        body = {"name": "Ada Berg", "department": "sales", "starts_on": "2026-01-01"}
        hired = await concert.made("/v1/members", body)
        erased = await concert.admin.delete(f"/v1/members/{hired['id']}/personal-data")
        assert erased.status_code == 204, erased.text
        await relayed(concert)
        teams = own_log(concert, "teams")
        assert "concert.people" in teams.topics
        await forget_places(teams.store)
        await teams.verify()


def own_log(concert: World, name: str = "targets") -> OwnLog:
    running = concert.services[name]
    return OwnLog(running.runtime.store, concert.bus, name, running.service.topics)


async def forget(store: Store, subject: str) -> None:
    """As if the database had been restored to before there was this subject."""

    async def work(tx: Tx) -> None:
        for row in await tx.all(Journal, sa.select(Journal).where(Journal.subject == subject)):  # type: ignore[arg-type]
            tx.remove(row)

    await store.write(Job(work, Context(now())))


async def forget_places(store: Store) -> None:
    async def work(tx: Tx) -> None:
        await tx.execute(Raw("DELETE FROM verified"), [()])

    await store.write(Job(work, Context(now())))
