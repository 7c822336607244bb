"""What is done to a composed Concert, one after the other, and what its probes and figures must say meanwhile."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.chaos.kills import Notes
from tests.compose.judge import Verdict, agreed, judged
from tests.compose.load import Load
from tests.compose.probes import Probes
from tests.compose.stack import SERVICES, Failed, Stack

HELD_SECONDS = 20
RESTARTED = (*SERVICES, "gateway", "kafka", "postgres")
Harm = Callable[["Drill", Load], Awaitable[None]]


@dataclass(slots=True)
class Line:
    """A row of the table."""

    fault: str
    verdict: Verdict
    turned_away: int
    untrue: list[str]
    """What the probes or figures should have said and did not."""
    took: float = 0.0
    """Seconds of the run that it took in all."""
    fresh: list[float] = field(default_factory=list)
    """Seconds from the answers to writes until the views showed them, meanwhile."""

    @property
    def bad(self) -> bool:
        """Whether anything was lost, doubled, wrong or untrue."""
        return bool(self.verdict.lost or self.verdict.doubled or self.verdict.wrong or self.untrue)


@dataclass(slots=True)
class Drill:
    """One Concert, what its clients know, and what has been done to it so far."""

    stack: Stack
    staff: int = 0
    """Members who were there before."""
    notes: Notes = field(default_factory=Notes)
    lines: list[Line] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)
    healed: float = 0.0
    """When the latest fault was taken away, or when nothing was left of what was killed."""

    async def suffer(self, name: str, harm: Harm, *, tells: str, bearing: str = "") -> None:
        """Do harm under load, and see what becomes of it."""
        self.untrue, began = [], time.monotonic()
        async with Probes(self.stack.address) as probes:
            load = Load(self.stack, self.notes, f"{len(self.lines)}")
            await asyncio.sleep(1)
            self.healed = 0.0
            await harm(self, load)
            self.healed = self.healed or time.monotonic()
            # Writes go on for a moment: what comes back must also work.
            await asyncio.sleep(1)
            await load.stop()
            found = await judged(self.stack, self.notes, self.staff, bearing=bearing)
        seconds = time.monotonic() - self.healed
        if tells and not probes.told(tells):
            self.untrue.append(f"readiness never said {tells!r}, but: {probes.red or 'ready'}")
        if self.notes.refused or self.notes.unknown:
            self.untrue.append(f"refused {self.notes.refused[:2]}, not taken {list(self.notes.unknown)[:2]}")
            self.notes.refused.clear()
            self.notes.unknown.clear()
        verdict = Verdict(seconds, found.lost, found.doubled, found.wrong)
        took = time.monotonic() - began
        self.lines.append(Line(name, verdict, load.turned_away, self.untrue, took, load.fresh.seconds))

    async def must_say(self, service: str, pattern: str) -> None:
        """What a service must tell Prometheus now."""
        try:
            said = await self.stack.figures(service)
        except Failed as fault:
            self.untrue.append(f"{service} gave no figures: {fault}")
            return
        if not re.search(pattern, said, re.MULTILINE):
            name = pattern.partition("{")[0].lstrip("^")
            shown = [line for line in said.splitlines() if line.startswith(name)]
            self.untrue.append(f"{service} did not say {pattern}, but {shown}")


def crash(service: str) -> Harm:
    """Its main process is killed; the engine starts it again."""

    async def harm(drill: Drill, load: Load) -> None:
        await drill.stack.crash(service)
        drill.healed = time.monotonic()

    return harm


def stand_still(service: str, says: tuple[str, str]) -> Harm:
    """It stands still for twenty seconds."""

    async def harm(drill: Drill, load: Load) -> None:
        await drill.stack.pause(service)
        await _held(drill, says)
        await drill.stack.resume(service)

    return harm


def cut_off(service: str, says: tuple[str, str]) -> Harm:
    """Nobody reaches it for twenty seconds."""

    async def harm(drill: Drill, load: Load) -> None:
        await drill.stack.cut_off(service)
        await _held(drill, says)
        await drill.stack.join(service)

    return harm


async def restart_all(drill: Drill, load: Load) -> None:
    """Everything is restarted, one after the other."""
    for service in RESTARTED:
        await drill.stack.compose("restart", service)
        await _back(drill)


async def kill_one_of_two(drill: Drill, load: Load) -> None:
    """A second copy of a service that writes and of the one that applies; those that hold the leases are killed."""
    await drill.stack.scale(2, "targets", "metrics")
    await asyncio.sleep(3)
    for service in ("targets", "metrics"):
        await drill.stack.crash(service)
    await asyncio.sleep(3)
    await _back(drill)
    await drill.stack.scale(1, "targets", "metrics")


async def fill_the_disk(drill: Drill, load: Load) -> None:
    """The database's volume is full, until clients have been turned away for a while; then there is room again."""
    before = load.turned_away
    full = "cat /dev/zero >/volume/ballast 2>/dev/null; test $(df --output=avail /volume | tail -1) -lt 64"
    await drill.stack.compose("exec", "-T", "ballast", "sh", "-c", full)
    until = time.monotonic() + HELD_SECONDS
    while time.monotonic() < until and load.turned_away < before + 10:
        await asyncio.sleep(0.25)
    if load.turned_away == before:
        drill.untrue.append("nobody was turned away: the disk was not full")
    await drill.stack.compose("exec", "-T", "ballast", "rm", "/volume/ballast")


BROKEN = """
import asyncio
from shared.bus import Record
from shared.bus.kafka import KafkaBus
head = (("ce_id", "broken"), ("ce_type", "concert.targets.deal-opened.v1"), ("ce_source", "/stranger"),
        ("ce_subject", "deal/deal_broken"), ("ce_sequence", "1"), ("ce_time", "2026-01-01T00:00:00Z"))
async def main():
    bus = KafkaBus("kafka:9092", "stranger")
    await bus.start()
    await bus.publish([Record("concert.targets", "deal/deal_broken", b"{}", head)])
    await bus.close()
asyncio.run(main())
"""


async def break_a_message(drill: Drill, load: Load) -> None:
    """Somebody puts an event on a topic that cannot be read: it is parked where it is heard, shown, and given up."""
    stack = drill.stack
    await stack.compose("exec", "-T", "teams", "python", "-", fed=BROKEN.encode())
    async with stack.client(seconds=20) as client:
        until = time.monotonic() + 20
        while not (held := (await client.get("/v1/parked")).json()["items"]) and time.monotonic() < until:
            await asyncio.sleep(0.25)
        await asyncio.sleep(1)
        held = (await client.get("/v1/parked")).json()["items"]
        if "metrics" not in {each["service"] for each in held}:
            drill.untrue.append(f"the broken event is not shown as parked by metrics: {held}")
        await drill.must_say("metrics", r'^concert_parked_events\{service="metrics"\} 1.0')
        certificate = (await client.get("/v1/consistency", params={"fresh": "true"})).json()
        if certificate["verdict"] != "inconsistent" or "deal_broken" not in str(certificate["reasons"]):
            drill.untrue.append(f"the certificate said {certificate['verdict']}: {certificate['reasons']}")
        for each in held:
            path = f"/v1/parked/{each['subject']}/discard"
            answer = await client.post(path, params={"service": each["service"]})
            if answer.status_code != 204:
                drill.untrue.append(f"{each['service']} did not give it up: {answer.text}")


async def _held(drill: Drill, says: tuple[str, str]) -> None:
    """Wait so long, and late in that time read what is told."""
    begin = time.monotonic()
    await asyncio.sleep(HELD_SECONDS - 6)
    await drill.must_say(*says)
    await asyncio.sleep(max(0.0, begin + HELD_SECONDS - time.monotonic()))


async def _back(drill: Drill) -> None:
    """Wait until all is ready again."""
    await agreed(drill.stack, "")


TARGETS_HOLD_BACK = ("targets", r'^concert_outbox_events\{service="targets"\} [1-9]')
NO_STORE = ("teams", r'^concert_store_answers\{service="teams"\} 0')
FAULTS: tuple[tuple[str, Harm, str], ...] = (
    *((f"{service} killed", crash(service), f"{service}:? does not answer|gateway: .*{service}")
      for service in SERVICES),
    ("gateway killed", crash("gateway"), "no answer"),
    ("kafka killed", crash("kafka"), "[Kk]afka"),
    ("postgres killed", crash("postgres"), ""),
    ("kafka stands still for 20 s", stand_still("kafka", TARGETS_HOLD_BACK), "silent for"),
    ("kafka cut off for 20 s", cut_off("kafka", TARGETS_HOLD_BACK), "[Kk]afka"),
    ("postgres stands still for 20 s", stand_still("postgres", NO_STORE), "store: the database"),
    ("postgres cut off for 20 s", cut_off("postgres", NO_STORE), "store: the database"),
    ("rolling restart of everything", restart_all, ""),
    ("one of two copies of targets and metrics killed", kill_one_of_two, ""),
    ("disk of postgres full", fill_the_disk, ""),
)  # fmt: skip
