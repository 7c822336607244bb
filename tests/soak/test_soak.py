"""A quarter of a minute of what `make soak` does for an hour, on each kind of engines; and the rule by which it judges
memory."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.engines import Unavailable
from tests.soak.measured import ENOUGH, MIB, MOST_SLOPE, Sample, slope
from tests.soak.soaking import Plan, soak

SECONDS, EVENTS = 15, 20_000
WARM = 150_000


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["embedded", "servers"])
async def test_each_event_counts_once_whatever_comes_twice_late_or_poisoned_while_parts_die_and_stand_still(
    kind: str, tmp_path: Path
) -> None:
    try:
        found = await soak(kind, tmp_path, Plan(SECONDS, EVENTS), lambda words: None)
    except Unavailable as reason:
        pytest.skip(str(reason))
    assert found.wrong == []
    assert found.samples[-1].applied > 1_000
    # What never happened proved nothing.
    for what in ("killed", "kept back", "told twice", "given up"):
        assert found.did[what], found.did
    assert found.seen > 100


def run_of(lost: float, *, noise: float = 4.0, events: int = 600_000) -> list[Sample]:
    """What is seen of a process that loses so many bytes with each event, fills its caches first, and breathes."""
    chance = random.Random(1)
    samples = []
    for applied in range(0, events, 3_000):
        caches = min(applied / WARM, 1) * 200 * MIB
        taken = 150 * MIB + caches + applied * lost + chance.uniform(-noise, noise) * MIB
        samples.append(Sample(applied / 3_000, 1, applied, applied, int(taken), 0, 0))
    return samples


def test_memory_that_fills_its_caches_and_breathes_is_flat() -> None:
    found = slope(run_of(0), WARM)
    assert found is not None
    assert abs(found) < MOST_SLOPE / 2


def test_a_hundred_bytes_lost_with_each_event_are_noticed() -> None:
    found = slope(run_of(100), WARM)
    assert found is not None
    assert found > MOST_SLOPE


def test_of_too_few_events_nothing_is_said() -> None:
    assert slope(run_of(100, events=WARM + ENOUGH // 2), WARM) is None


def test_a_process_that_was_killed_says_nothing_about_the_one_after_it() -> None:
    before = [Sample(0.0, 1, 0, 0, 900 * MIB, 0, 0)]
    after = [Sample(each.at, 2, each.told, each.applied, each.resident, 0, 0) for each in run_of(0)]
    found = slope(before + after, WARM)
    assert found is not None
    assert abs(found) < MOST_SLOPE / 2
