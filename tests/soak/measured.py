"""What is measured while it soaks, and the rule by which memory is flat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression
from typing import Final

MIB: Final = 1024 * 1024
MOST_SLOPE: Final = 50.0
"""MiB of memory that a million events may cost: half of what losing a hundred bytes with each would."""
ENOUGH: Final = 60_000
"""Events that a process must apply once it is warm, or nothing is said: the bound is three MiB by then."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look."""

    at: float
    """Seconds since the beginning."""
    life: int
    """How often the process has been started."""
    told: int
    applied: int
    resident: int
    """Bytes of memory of the process."""
    store: int
    """Bytes of the views' store."""
    log: int
    """Bytes of the log."""

    def shown(self, before: Sample) -> str:
        """A line of the table: what happened since another look."""
        events, told, seconds = self.applied - before.applied, self.told - before.told, self.at - before.at
        store = (self.store - before.store) / events if events else 0.0
        log = (self.log - before.log) / told if told else 0.0
        return (f"| {self.at:.0f} | {self.applied:,} | {events / seconds if seconds else 0:,.0f} |"
                f" {self.told - self.applied:,} | {self.resident / MIB:.0f} | {store:,.0f} | {log:,.0f} |")  # fmt: skip


HEAD = (
    "| seconds | events applied | a second | not yet | MiB resident | bytes of the store per event | of the log |\n"
    "|---|---|---|---|---|---|---|"
)


def slope(samples: Sequence[Sample], warm_after: int) -> float | None:
    """MiB that a million events cost the process that lived last, once warm; none where too few followed.

    The events of that life only: a process that is killed gives all its memory back. Warm it is after a third of them,
    and not before so many.
    """
    last = [each for each in samples if each.life == samples[-1].life and each.resident]
    if not last:
        return None
    first, end = last[0].applied, last[-1].applied
    warm = first + max(warm_after, (end - first) // 3)
    counted = [each for each in last if each.applied >= warm]
    if end - warm < ENOUGH or len(counted) < 10:
        return None
    fitted = linear_regression([each.applied / 1e6 for each in counted], [each.resident / MIB for each in counted])
    return float(fitted.slope)


def resident(process: int) -> int:
    """Bytes of memory that a process holds now; none where there is none."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(found[0]) * 1024 if found else 0


def size_of(*places: Path) -> int:
    """Bytes that files and folders take on the disk."""
    files = [file for place in places for file in ([place, *place.rglob("*")] if place.exists() else [])]
    total = 0
    for file in files:
        try:
            total += file.stat().st_blocks * 512
        except OSError:
            # It has gone meanwhile, as segments and write-ahead logs do.
            continue
    return total
