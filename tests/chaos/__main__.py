"""`make chaos`: so many kills on the embedded engines and on PostgreSQL and Kafka, and what was found afterwards.

    python -m tests.chaos [embedded|servers …]

`KILLS` says how many processes are killed on the embedded engines (200) and `KILLS_ON_SERVERS` on the others (50);
`MUTANT` switches a protection off, and the run must then fail. After some hundred kills the books are compared, and
Concert begins anew on empty engines: so a long run says early what it finds, and is not slowed by all it has written.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.chaos.kills import run
from tests.chaos.victims import OnOneMachine, Victim, on_servers

MUTANT = os.environ.get("MUTANT")
KILLS_OF_A_LIFE = 250
Victims = Callable[[Path, str | None], AbstractContextManager[Victim]]


@contextmanager
def on_one_machine(folder: Path, mutant: str | None) -> Iterator[Victim]:
    """A victim on the embedded engines."""
    yield OnOneMachine(folder, mutant)


def survive(victims: Victims, kills: int) -> None:
    """Kill so often, and say after each life what was found in all lives so far."""
    begin, survived, at_points, acknowledged, unknown = time.monotonic(), 0, 0, 0, 0
    found, recoveries = Counter[str](), list[float]()
    while survived < kills:
        with tempfile.TemporaryDirectory() as folder, victims(Path(folder), MUTANT) as victim:
            notes, counts = run(victim, min(KILLS_OF_A_LIFE, kills - survived))
            engines = victim.engines
        survived, at_points = survived + notes.kills, at_points + notes.at_points
        acknowledged, unknown = acknowledged + len(notes.acknowledged), unknown + len(notes.unknown)
        found.update(counts)
        recoveries = sorted([*recoveries, *notes.recoveries])
        p50, p95 = recoveries[len(recoveries) // 2], recoveries[int(len(recoveries) * 0.95)]
        counted = ", ".join(f"{count:,} {name}" for name, count in found.items())
        sys.stdout.write(
            f"{engines}: {survived:,} kills survived in {time.monotonic() - begin:.0f} s, {at_points:,} of them at"
            f" named points; {acknowledged:,} writes acknowledged, 0 lost, 0 doubled, 0 cents of difference"
            f" ({counted}); {unknown} without an answer at the end; the views equal a rebuild; answering again"
            f" after {p50:.1f} s (p50), {p95:.1f} s (p95)\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    chosen = sys.argv[1:] or ["embedded", "servers"]
    if "embedded" in chosen:
        survive(on_one_machine, int(os.environ.get("KILLS", "200")))
    if "servers" in chosen:
        survive(on_servers, int(os.environ.get("KILLS_ON_SERVERS", "50")))
