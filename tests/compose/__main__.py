"""`make compose-test`: Concert in containers, started, broken in every way, upgraded, saved and restored.

It needs a Docker engine, or Debian and root to start one. What it starts has a name and a port of its own and is
removed at the end; `KEEP=1` leaves it running, `ONLY=<words>` does only the faults whose names hold one of them, and
`REPEAT=5` does each so often, for how long they take and may take.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

from tests.compose.engineering import import_without_metrics, published, upgrade_and_restore
from tests.compose.faults import BROKEN_MESSAGE, FAULTS, Drill, Fault
from tests.compose.judge import agreed, summed
from tests.compose.stack import SERVICES, Failed, Stack, engine
from tests.compose.table import repeated, shown

ONLY = os.environ.get("ONLY", "").split()
REPEAT = int(os.environ.get("REPEAT", "1"))


def say(words: str) -> None:
    """A line, at once."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


async def run(stack: Stack) -> Drill:
    """Everything that is done to it."""
    drill = Drill(stack)
    begin = time.monotonic()
    await stack.build()
    built = time.monotonic()
    await stack.up()
    say(f"the image is built after {built - begin:.0f} s; up and healthy after another {time.monotonic() - built:.0f} s"
        f" on {stack.address}")  # fmt: skip
    await agreed(stack)
    await import_without_metrics(drill, say)
    say(await published(drill))
    say(f"after the import: {await stack.measured()}; load {loads()}")
    for fault in FAULTS:
        for _ in range(REPEAT if wanted(fault.name) else 0):
            await suffered(drill, fault)
    if wanted("upgrade restore"):
        await upgrade_and_restore(drill, say)
    if wanted(BROKEN_MESSAGE.name):
        await suffered(drill, BROKEN_MESSAGE)
    say(await published(drill))
    return drill


async def suffered(drill: Drill, fault: Fault) -> None:
    """Do it, and say what became of it."""
    await drill.suffer(fault)
    say(shown(drill.lines[-1:], head=False))


def loads() -> str:
    """How busy the machine is, over one, five and fifteen minutes."""
    return " ".join(f"{each:.1f}" for each in os.getloadavg())


def wanted(name: str) -> bool:
    """Whether it is to be done this time."""
    return not ONLY or any(word in name for word in ONLY)


async def main() -> int:
    """Run, and give 1 if anything was lost, doubled, wrong, untrue or late."""
    begin = time.monotonic()
    try:
        stack = Stack(engine())
    except Failed as reason:
        say(f"skipped: {reason}")
        return 0
    say(f"the engine and the base images are there after {time.monotonic() - begin:.0f} s")
    try:
        drill = await run(stack)
    except (AssertionError, Failed) as fault:
        say(await stack.compose("logs", "--no-color", "--tail", "8", *SERVICES) + f"\nbroken off: {fault}")
        return 1
    finally:
        if not os.environ.get("KEEP"):
            await stack.remove()
    totals = summed([each.verdict for each in drill.lines])
    untrue = sum(len(each.untrue) for each in drill.lines)
    say("\n" + shown(drill.lines))
    if REPEAT > 1:
        say("\n" + repeated(drill.lines))
    counted = ", ".join(f"{totals[name]} {name}" for name in ("lost", "doubled", "wrong"))
    say(f"{len(drill.notes.acknowledged)} writes acknowledged: {counted}; {untrue} probes untrue;"
        f" {time.monotonic() - begin:.0f} s in all; load {loads()}")  # fmt: skip
    spent = ", ".join(f"{name} {ms / 1000:.0f} s" for name, ms in stack.spent.most_common(8))
    say(f"of that in commands: {spent}")
    bad = sum(each.bad for each in drill.lines)
    say(f"{len(drill.lines) - bad} passed, {bad} failed")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
