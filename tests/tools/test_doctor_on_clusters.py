"""What `concert doctor` says of a cluster of which some brokers are gone; real ones die in `tests/brokers`."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from concert.checks import engines
from shared.bus import BusError, kafka
from shared.bus.kafka import Copies

BROKERS = ("one:9092", "two:9092", "three:9092")


@pytest.mark.parametrize(
    ("gone", "verdict", "said", "remedy"),
    [
        ((), "ok", "3 of 3 brokers answer", ""),
        (BROKERS[1:2], "warning", "2 of 3 brokers answer: events are still taken, with one copy fewer",
         "start two:9092"),
        (BROKERS[1:], "wrong", "1 of 3 brokers answer: no events are taken, and what is written waits in the journals",
         "start two:9092, three:9092"),
    ],
)  # fmt: skip
def test_the_brokers_that_are_gone_are_named_and_what_follows_from_that(
    monkeypatch: pytest.MonkeyPatch, gone: Sequence[str], verdict: str, said: str, remedy: str
) -> None:
    async def advertised(address: str, *, patience: float) -> list[str]:
        if address in gone:
            raise BusError(f"{address} cannot be reached")
        return list(BROKERS)

    monkeypatch.setattr(kafka, "advertised", advertised)
    found = engines.cluster(BROKERS)
    assert (found.verdict, found.said, found.remedy) == (verdict, said, remedy)


def kept(place: int, *, times: int = 3, wanted: int = 3, in_sync: int = 3, needed: int = 2, led: bool = True) -> Copies:
    """How a partition is kept; well, but for what is said."""
    return Copies(f"concert.targets partition {place}", times, wanted, in_sync, needed, led)


def test_copies_that_are_as_they_must_be_are_nothing_to_speak_of() -> None:
    assert engines._copies([kept(0), kept(1)]) is None


@pytest.mark.parametrize(
    ("one", "another", "verdict", "said"),
    [
        (kept(0, in_sync=2), kept(1), "warning", "partition 0 has 2 of 3 copies up to date"),
        (kept(0, in_sync=2), kept(1, times=1, in_sync=1, needed=1), "wrong",
         "partition 1 is kept 1 times, and should be 3 times"),
        (kept(0, needed=1), kept(1), "wrong",
         "partition 0 takes events with 1 of 3 copies up to date: they could be lost"),
        (kept(0, needed=1), kept(1, in_sync=1), "wrong",
         "partition 1 has 1 of 3 copies up to date and takes events with 2: they wait in the journals"),
        (kept(0, in_sync=1, led=False), kept(1), "wrong", "partition 0 has no leader: it takes and gives nothing"),
    ],
)  # fmt: skip
def test_of_copies_the_worst_is_told(one: Copies, another: Copies, verdict: str, said: str) -> None:
    found = engines._copies([one, another])
    assert found is not None
    assert (found.verdict, found.said) == (verdict, f"concert.targets {said}")
