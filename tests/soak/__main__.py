"""`make soak`: events without end, twice and in disorder, while parts die and stand still; on both kinds of engines.

    SECONDS=300 python -m tests.soak [embedded|servers …]

`SECONDS` says for how long on each (300), `EVENTS` how many events at most (ten million an hour unless told), `SEED`
which ones. `LEAK` lets the process lose so many bytes with each event, `MUTANT` switches a protection off, and the run
must then fail.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import tempfile
from pathlib import Path

from tests.engines import Unavailable
from tests.soak.measured import MIB, MOST_SLOPE
from tests.soak.soaking import GROUNDS, Found, Plan, soak

A_HOUR = 10_000_000


def say(words: str) -> None:
    """A line, at once."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def planned() -> Plan:
    """What the environment asks for."""
    seconds = float(os.environ.get("SECONDS", "300"))
    events = int(os.environ.get("EVENTS", "0")) or round(A_HOUR * seconds / 3600)
    seed, leak = (int(os.environ.get(name, default)) for name, default in (("SEED", "1"), ("LEAK", "0")))
    return Plan(seconds, events, seed, leak, os.environ.get("MUTANT"))


def summed_up(kind: str, found: Found, plan: Plan) -> list[str]:
    """What Ops want to know in the end."""
    last = found.samples[-1]
    did = ", ".join(f"{count:,} {name}" for name, count in sorted(found.did.items()))
    grown = "too few events to say" if found.slope is None else f"{found.slope:+.1f} MiB per million events"
    return [
        f"{kind}: {last.applied:,} events of {plan.events:,} applied in {last.at:.0f} s, each once; {found.seen:,} came"
        f" again and were passed over; seed {plan.seed}",
        f"  done to it: {did}",
        f"  memory of the last process: {last.resident / MIB:.0f} MiB, {grown} once warm (at most {MOST_SLOPE:.0f})",
        f"  store {last.store / last.applied:,.0f} and log {last.log / last.told:,.0f} bytes per event;"
        f" the certificate took {found.certificate_seconds:.1f} s",
        f"  the views differ: {found.wrong}" if found.wrong else "  every figure of the views is what was told",
    ]


def main() -> int:
    """Soak; 1 if anything was wrong."""
    # Its client says of each attempt that the broker is away, many times a second.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    plan, bad = planned(), 0
    for kind in sys.argv[1:] or list(GROUNDS):
        with tempfile.TemporaryDirectory(prefix="concert-soak-") as folder:
            try:
                found = asyncio.run(soak(kind, Path(folder), plan, say))
            except Unavailable as reason:
                say(f"{kind}: skipped: {reason}")
                continue
        for line in summed_up(kind, found, plan):
            say(line)
        bad += bool(found.wrong or found.leaks)
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
