"""`make chaos`: so many kills on the embedded engines and on PostgreSQL and Kafka, and what was found afterwards.

    python -m tests.chaos [embedded|servers …]

`KILLS` says how many on the embedded engines (200) and `KILLS_ON_SERVERS` on the others (50); `MUTANT` switches a
protection off, and the run must then fail.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.kills import run
from tests.chaos.victims import OnOneMachine, Victim, on_servers

MUTANT = os.environ.get("MUTANT")


def survive(victim: Victim, kills: int) -> None:
    """Kill so often, and say what was found."""
    begin = time.monotonic()
    notes, found = run(victim, kills)
    ordered = sorted(notes.recoveries)
    p50, p95 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    counted = ", ".join(f"{count} {name}" for name, count in found.items())
    sys.stdout.write(
        f"{victim.engines}: {notes.kills} kills survived in {time.monotonic() - begin:.0f} s, {notes.at_points} of them"
        f" at named points; {len(notes.acknowledged)} writes acknowledged, 0 lost, 0 doubled, 0 cents of difference"
        f" ({counted}); {len(notes.unknown)} without an answer at the end; the views equal a rebuild; answering again"
        f" after {p50:.1f} s (p50), {p95:.1f} s (p95)\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    chosen = sys.argv[1:] or ["embedded", "servers"]
    if "embedded" in chosen:
        with tempfile.TemporaryDirectory() as folder:
            survive(OnOneMachine(Path(folder), MUTANT), int(os.environ.get("KILLS", "200")))
    if "servers" in chosen:
        with tempfile.TemporaryDirectory() as folder, on_servers(Path(folder), MUTANT) as victim:
            survive(victim, int(os.environ.get("KILLS_ON_SERVERS", "50")))
