"""What only the embedded log has to prove: that its file survives, stays small and can be read by others."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.bus import LARGEST_BATCH, PARTITIONS, TOMBSTONE_DAYS, BusError, Message, embedded, partition_of
from shared.bus.embedded import EmbeddedBus
from shared.bus.logfile import LogFile
from tests.bus.logs import PEOPLE, TARGETS, EmbeddedLog, after, bodies, everything, following, opened, record
from tests.bus.publishing_process import PUBLISHERS

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def log(tmp_path: Path) -> EmbeddedLog:
    """An empty log."""
    return EmbeddedLog(tmp_path / "log.db")


@pytest.fixture
async def bus(log: EmbeddedLog) -> AsyncIterator[EmbeddedBus]:
    """A bus on an empty log."""
    async with opened(log) as bus:
        assert isinstance(bus, EmbeddedBus)
        yield bus


def rows_in(path: Path, query: str) -> list[tuple[object, ...]]:
    """What a reader of its own, as another process would be one, finds in the file."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def publish_until_killed(path: Path, first: list[int], seconds: float) -> list[int]:
    """Run a publishing process, kill -9 it, and say up to where each of its publishers was acknowledged."""
    command = [sys.executable, "-m", "tests.bus.publishing_process", str(path), *map(str, first)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    lines += process.communicate()[0].splitlines()
    acknowledged = list(first)
    for line in lines:
        who, number = line.split()
        acknowledged[int(who)] = int(number)
    return acknowledged


async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(log: EmbeddedLog) -> None:
    chance = random.Random(3)
    first = [0] * PUBLISHERS
    for _ in range(4):
        acknowledged = await asyncio.to_thread(publish_until_killed, log.path, first, chance.uniform(0.05, 0.4))
        assert acknowledged != first
        async with opened(log) as bus:
            found = await everything(bus)
        for who in range(PUBLISHERS):
            published = bodies(found, f"deal/{who}")
            assert published == [str(n) for n in range(len(published))]
            assert len(published) >= acknowledged[who]
            first[who] = len(published)


async def test_an_answer_is_given_only_after_the_commit(bus: EmbeddedBus) -> None:
    for n in range(1, 20):
        await bus.publish([record("deal/1", str(n))])
        assert rows_in(bus.path, "SELECT sum(records) FROM batches") == [(n,)]


async def test_publishers_that_meet_share_a_commit(bus: EmbeddedBus) -> None:
    await asyncio.gather(*(bus.publish([record("deal/1", str(n))]) for n in range(100)))
    assert rows_in(bus.path, "SELECT count(*), sum(records) FROM batches") == [(1, 100)]


async def test_a_full_disk_fails_every_publisher_of_the_commit_and_none_after_it(bus: EmbeddedBus) -> None:
    await bus.publish([record("deal/1", "before")])
    on_disk = bus._writer._file._log  # type: ignore[union-attr]
    assert on_disk is not None
    on_disk.execute("PRAGMA max_page_count = 20")
    large = "x" * 100_000
    outcomes = await asyncio.gather(
        bus.publish([record("deal/1", "small")]),
        *(bus.publish([record(f"deal/{n}", large)]) for n in range(5)),
        return_exceptions=True,
    )
    assert all(isinstance(each, BusError) and "full" in str(each) for each in outcomes)
    assert "full" in (bus.healthy or "")
    await bus.publish([record("deal/1", "after")])
    assert bus.healthy is None
    assert bodies(await everything(bus)) == ["before", "after"]


async def test_a_reader_misses_nothing_when_a_commit_fails(bus: EmbeddedBus) -> None:
    async with following(bus) as batches, asyncio.timeout(20):
        assert not await anext(batches)
        await bus.publish([record("deal/1", "before")])
        assert bodies(await anext(batches)) == ["before"]
        bus._writer._file._log.execute("PRAGMA max_page_count = 10")  # type: ignore[union-attr]
        with pytest.raises(BusError):
            await bus.publish([record("deal/1", "x" * 500_000)])
        await bus.publish([record("deal/1", "after")])
        while not (batch := await anext(batches)):
            pass
        assert bodies(batch) == ["after"]


async def test_a_commit_that_happened_although_it_seemed_to_fail_reaches_readers(
    bus: EmbeddedBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = LogFile.append

    def append_and_fail(file: LogFile, rows: list[object]) -> None:
        append(file, rows)  # type: ignore[arg-type]
        raise sqlite3.OperationalError("disk I/O error")

    async with following(bus) as batches, asyncio.timeout(20):
        assert not await anext(batches)
        with monkeypatch.context() as patch:
            patch.setattr(LogFile, "append", append_and_fail)
            with pytest.raises(BusError, match="disk I/O error"):
                await bus.publish([record("deal/1", "once")])
        assert bodies(await anext(batches)) == ["once"]
        await bus.publish([record("deal/1", "twice")])
        while not (batch := await anext(batches)):
            pass
        assert [(each.offset, each.record.value) for each in batch] == [(1, b"twice")]


async def test_nobody_waits_for_ever_for_a_file_that_does_not_answer(
    bus: EmbeddedBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "PATIENCE", 0.3)
    other = sqlite3.connect(bus.path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        first = asyncio.create_task(bus.publish([record("deal/1", "first")]))
        await asyncio.sleep(0.1)
        outcomes = await asyncio.gather(first, bus.publish([record("deal/2", "second")]), return_exceptions=True)
        assert all(isinstance(each, BusError) and "not answered" in str(each) for each in outcomes)
        assert "not answered" in (bus.healthy or "")
    finally:
        other.close()
    monkeypatch.setattr(embedded, "PATIENCE", 20)
    await bus.publish([record("deal/3", "third")])
    assert bus.healthy is None
    assert "third" in bodies(await everything(bus))


async def test_closing_does_not_wait_for_ever_either(log: EmbeddedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    bus = log.bus()
    await bus.start()
    other = sqlite3.connect(log.path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        publishing = asyncio.create_task(bus.publish([record("deal/1")]))
        await asyncio.sleep(0.1)
        monkeypatch.setattr(embedded, "PATIENCE", 0.3)
        async with asyncio.timeout(2 * embedded.CLOSE_SECONDS):
            await bus.close()
    finally:
        other.close()
    await asyncio.wait({publishing}, timeout=20)
    assert publishing.done()


async def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    path.write_bytes(b"this is not a database" * 1000)
    bus = EmbeddedBus(path)
    with pytest.raises(BusError, match="cannot be opened"):
        await bus.start()
    await bus.close()


async def test_compaction_leaves_the_latest_of_each_person_and_touches_nothing_else(bus: EmbeddedBus) -> None:
    for version in range(5):
        await bus.publish([record(f"person/{n}", f"{n} v{version}", PEOPLE) for n in range(20)])
        await bus.publish([record("deal/1", str(version))])
    before = await everything(bus)
    assert await bus.compact() > 0
    found = await everything(bus)
    assert set(found) <= set(before)
    assert sorted(bodies([each for each in found if each.record.topic == PEOPLE])) == sorted(
        f"{n} v4" for n in range(20)
    )
    assert bodies(found, "deal/1") == ["0", "1", "2", "3", "4"]
    assert await bus.compact() == 0


async def test_compaction_happens_by_itself(bus: EmbeddedBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "COMPACT_AFTER", 50)
    for version in range(60):
        await bus.publish([record("person/1", str(version), PEOPLE)])
    async with asyncio.timeout(5):
        while len(await everything(bus, [PEOPLE])) > 15:
            await asyncio.sleep(0.05)


async def test_compaction_happens_at_the_start(log: EmbeddedLog) -> None:
    async with opened(log) as bus:
        await bus.publish([record("person/1", str(version), PEOPLE) for version in range(10)])
    async with opened(log) as bus:
        assert bodies(await everything(bus)) == ["9"]


async def test_a_tombstone_is_told_for_long_and_then_goes(log: EmbeddedLog) -> None:
    async with opened(log) as bus:
        await bus.publish([record("person/1", "Ada", PEOPLE), record("person/1", None, PEOPLE)])
        same_partition = next(
            f"person/{n}" for n in range(2, 99) if partition_of(f"person/{n}") == partition_of("person/1")
        )
        await bus.publish([record(same_partition, "Grace", PEOPLE)])
        (appended_at,) = rows_in(log.path, "SELECT max(appended_at) FROM batches")[0]
    assert isinstance(appended_at, int)
    file = LogFile(log.path, [PEOPLE])
    file.open()
    try:
        file.compact(appended_at + TOMBSTONE_DAYS * 86_400 - 60)
        assert rows_in(log.path, "SELECT key, bodies FROM batches") == [("person/1", None), (same_partition, b"Grace")]
        file.compact(appended_at + TOMBSTONE_DAYS * 86_400 + 60)
        assert rows_in(log.path, "SELECT key, bodies FROM batches") == [(same_partition, b"Grace")]
    finally:
        file.close()


async def test_offsets_never_begin_anew_although_all_has_been_removed(log: EmbeddedLog) -> None:
    async with opened(log) as bus:
        await bus.publish([record("person/1", None, PEOPLE) for _ in range(4)])
        before = await everything(bus)
    file = LogFile(log.path, [PEOPLE])
    file.open()
    file.compact(2**40)
    file.close()
    async with opened(log) as bus:
        assert await everything(bus, start=after(before)) == []
        await bus.publish([record("person/1", "back", PEOPLE)])
        assert [each.offset for each in await everything(bus, start=after(before))] == [4]


async def test_what_has_been_erased_is_in_no_byte_of_the_file(log: EmbeddedLog) -> None:
    async with opened(log) as bus:
        assert isinstance(bus, EmbeddedBus)
        await bus.publish([record(f"person/{n}", "Ada Lovelace", PEOPLE) for n in range(50)])
        await bus.publish([record("deal/1", str(n)) for n in range(2000)])
        assert any(b"Ada Lovelace" in file.read_bytes() for file in log.path.parent.iterdir())
        await bus.publish([record(f"person/{n}", None, PEOPLE) for n in range(50)])
        await bus.compact()
        assert not any(b"Ada Lovelace" in file.read_bytes() for file in log.path.parent.iterdir())


async def test_a_slow_reader_falls_back_to_the_file(bus: EmbeddedBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "TAIL_BATCHES", 20)
    chance, number = random.Random(5), 0
    found: list[Message] = []
    async with following(bus) as batches, asyncio.timeout(60):
        assert not await anext(batches)
        while number < 3000:
            for _ in range(chance.choice([1, 3, 40])):
                several = chance.randrange(1, 6)
                await bus.publish([record("deal/1", str(number + i)) for i in range(several)])
                number += several
            found += await anext(batches)
        while len(found) < number:
            found += await anext(batches)
    assert [(each.offset, each.record.value) for each in found] == [(n, b"%d" % n) for n in range(number)]


async def test_memory_and_file_tell_the_same(bus: EmbeddedBus) -> None:
    async with following(bus) as batches, asyncio.timeout(20):
        assert not await anext(batches)
        await bus.publish([record(f"deal/{n}", None if n % 7 == 0 else "x" * n, ce_id=f"ä{n}") for n in range(700)])
        live = list(await anext(batches))
    assert live == await everything(bus)


async def test_a_large_backlog_of_large_records_comes_in_pieces(bus: EmbeddedBus) -> None:
    for _ in range(4):
        await bus.publish([record(f"deal/{n}", "x" * 500_000) for n in range(10)])
    sizes = []
    async with following(bus) as batches, asyncio.timeout(20):
        while batch := await anext(batches):
            sizes.append(sum(len(each.record.value or b"") for each in batch))
    assert sum(sizes) == 4 * 10 * 500_000
    assert max(sizes) < 8_000_000


async def test_one_publish_may_be_larger_than_a_batch(bus: EmbeddedBus) -> None:
    await bus.publish([record("deal/1", str(n)) for n in range(5 * LARGEST_BATCH)])
    sizes: list[int] = []
    found: list[Message] = []
    async with following(bus) as batches, asyncio.timeout(20):
        while batch := await anext(batches):
            sizes.append(len(batch))
            found += batch
    assert bodies(found) == [str(n) for n in range(5 * LARGEST_BATCH)]
    assert max(sizes) <= LARGEST_BATCH


async def test_another_process_can_read_the_log_while_it_is_in_use(bus: EmbeddedBus) -> None:
    await bus.publish([record("deal/1", str(n)) for n in range(10)])
    question = (
        f"import sqlite3; c = sqlite3.connect('{bus.path.as_uri()}?mode=ro', uri=True);"
        " assert c.execute('SELECT topic, sum(records) FROM batches GROUP BY topic').fetchall()"
        f" == [('{TARGETS}', 10)]"
    )
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", question], check=True)


async def test_the_four_partitions_count_for_themselves(bus: EmbeddedBus) -> None:
    for n in range(40):
        await bus.publish([record(f"deal/{n}", str(n))])
    counts = rows_in(bus.path, 'SELECT "partition", sum(records), max("offset") + 1 FROM batches GROUP BY "partition"')
    assert len(counts) == PARTITIONS
    assert all(records == end for _, records, end in counts)
