"""The hostile bus is as hostile as it says, and no more: what it does to a log is what a log may do to us."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from pathlib import Path

from shared.bus import TOPICS, Bus, BusError, Message, Record
from tests.bus.hostile import HostileBus
from tests.bus.logs import EmbeddedLog, after, everything, opened, record

SUBJECTS = 12
VERSIONS = 25
KEPT = TOPICS[:-1]


async def resent_until_acknowledged(bus: Bus, records: list[Record]) -> None:
    """Publish as the relay does: all again, as often as it is not known whether it succeeded."""
    for _ in range(100):
        try:
            await bus.publish(records)
        except BusError:
            continue
        return
    raise AssertionError("the bus never took it")


async def told_in_trouble(path: Path, seed: int) -> tuple[HostileBus, dict[str, list[int]], list[Message]]:
    """What readers are told of each subject when its versions are published in windows, in trouble."""
    chance = random.Random(seed)
    async with opened(EmbeddedLog(path)) as inner:
        bus = HostileBus(inner, seed)
        left = {f"deal/{n}": iter(range(1, VERSIONS + 1)) for n in range(SUBJECTS)}
        while left:
            window = []
            for key in chance.sample(sorted(left), chance.randrange(1, len(left) + 1)):
                versions = list(itertools.islice(left[key], chance.randrange(1, 5)))
                window += [record(key, str(version), KEPT[len(key) % 4]) for version in versions]
                if not versions:
                    del left[key]
            await resent_until_acknowledged(bus, window)
        found = await everything(bus)
    told: dict[str, list[int]] = {}
    for each in found:
        told.setdefault(each.record.key, []).append(int(each.record.value or b""))
    return bus, told, found


def first_news(versions: list[int]) -> list[int]:
    """The versions that could be applied at last, as the version rule does it: the next one, once it is there."""
    seen: set[int] = set()
    applied = 0
    for version in versions:
        seen.add(version)
        while applied + 1 in seen:
            applied += 1
    return list(range(1, applied + 1))


async def test_everything_acknowledged_arrives_whatever_happens(tmp_path: Path) -> None:
    counts: Counter[str] = Counter()
    for seed in range(6):
        bus, told, _ = await told_in_trouble(tmp_path / f"{seed}.db", seed)
        counts += bus.counts
        assert set(told) == {f"deal/{n}" for n in range(SUBJECTS)}
        for versions in told.values():
            assert first_news(versions) == list(range(1, VERSIONS + 1))
    happened = {"nothing sent, raised", "late prefix", "partly sent, raised", "sent twice", "acknowledged but raised"}
    assert happened | {"overtaken", "cut"} == {what for what, count in counts.items() if count > 3}


async def test_each_kind_of_disorder_can_be_seen_on_the_log(tmp_path: Path) -> None:
    _, told, _ = await told_in_trouble(tmp_path / "log.db", 1)
    assert any(len(versions) > len(set(versions)) for versions in told.values()), "nothing came twice"
    gaps = [b - a for versions in told.values() for a, b in itertools.pairwise(versions)]
    assert max(gaps) > 1, "no prefix was late"
    assert min(gaps) < 0, "no prefix came after all"


async def test_the_same_seed_does_the_same(tmp_path: Path) -> None:
    _, first, _ = await told_in_trouble(tmp_path / "first.db", 9)
    _, second, _ = await told_in_trouble(tmp_path / "second.db", 9)
    _, other, _ = await told_in_trouble(tmp_path / "other.db", 10)
    assert first == second
    assert first != other


async def test_partitions_stay_in_order_and_a_reader_can_go_on(tmp_path: Path) -> None:
    _, _, found = await told_in_trouble(tmp_path / "log.db", 4)
    offsets: dict[object, list[int]] = {}
    for each in found:
        offsets.setdefault((each.record.topic, each.partition), []).append(each.offset)
    assert all(each == sorted(each) for each in offsets.values())
    async with opened(EmbeddedLog(tmp_path / "log.db")) as inner:
        bus = HostileBus(inner, 5)
        rest = await everything(bus, start=after(found[:100]))
        assert set(rest) == set(found[100:])


async def test_without_trouble_it_is_the_bus_it_wraps(tmp_path: Path) -> None:
    async with opened(EmbeddedLog(tmp_path / "log.db")) as inner:
        bus = HostileBus(inner, 1, trouble=0)
        await bus.publish([record(f"deal/{n % 5}", str(n)) for n in range(100)])
        assert await everything(bus) == await everything(inner)
        assert bus.healthy is None
    assert not any(bus.counts.values())


async def test_it_can_be_told_never_to_raise(tmp_path: Path) -> None:
    async with opened(EmbeddedLog(tmp_path / "log.db")) as inner:
        bus = HostileBus(inner, 2, trouble=0.9, raises=False)
        for n in range(50):
            await bus.publish([record("deal/1", str(n))])
        assert {each.record.value for each in await everything(bus)} == {b"%d" % n for n in range(50)}
