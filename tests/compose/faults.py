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
from tests.compose.probes import EVERY_SECONDS, Probes
from tests.compose.stack import SERVICES, Failed, Stack

HELD_SECONDS = 20
SECONDS_TO_TAKE_OVER = 10
RESTARTED = (*SERVICES, "gateway", "kafka", "postgres")
DOCTORED = "teams"
"""In whose container the doctor is asked."""
LEASES = {"targets": "relay", "metrics": "applier"}
"""Of services with two copies the lease that matters: who tells, and who applies."""
WORKS = {"targets": r'^concert_http_answers_total\{method="POST",.*status="20[01]"\} [1-9]',
         "metrics": r'^concert_http_answers_total\{method="GET",route="read_view.*status="200"\} [1-9]'}  # fmt: skip
"""What a copy of them says once it has taken a write, or answered a read."""
Harm = Callable[["Drill", Load], Awaitable[None]]


@dataclass(slots=True)
class Line:
    """A row of the table."""

    fault: str
    verdict: Verdict
    turned_away: int
    untrue: list[str]
    """What the probes, figures or the doctor should have said and did not, and whatever else was not as it must be."""
    within: float
    """In how many seconds all had to be consistent."""
    took: float = 0.0
    """Seconds of the run that it took in all."""
    fresh: list[float] = field(default_factory=list)
    """Seconds from the answers to writes until the views showed them, meanwhile."""

    @property
    def late(self) -> bool:
        """Whether it took longer than it may."""
        return self.verdict.seconds > self.within

    @property
    def bad(self) -> bool:
        """Whether anything was lost, doubled, wrong, untrue or late."""
        return bool(self.verdict.lost or self.verdict.doubled or self.verdict.wrong or self.untrue or self.late)


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
    probes: Probes = field(init=False)
    """What readiness says while harm is done."""

    async def suffer(self, fault: Fault) -> None:
        """Do harm under load, and see what becomes of it."""
        self.untrue, began = [], time.monotonic()
        async with Probes(self.stack.address, fault.probed_every) as self.probes:
            load = Load(self.stack, self.notes, f"{len(self.lines)}")
            await asyncio.sleep(1)
            self.healed = 0.0
            await fault.harm(self, load)
            self.healed = self.healed or time.monotonic()
            # Writes go on for a moment: what comes back must also work.
            await asyncio.sleep(1)
            await load.stop()
            found = await judged(self.stack, self.notes, self.staff, bearing=fault.bearing)
        seconds = time.monotonic() - self.healed
        if fault.tells and not self.probes.told(fault.tells):
            self.untrue.append(f"readiness never said {fault.tells!r}, but: {self.probes.red or 'ready'}")
        if self.notes.refused or self.notes.unknown:
            self.untrue.append(f"refused {self.notes.refused[:2]}, not taken {list(self.notes.unknown)[:2]}")
            self.notes.refused.clear()
            self.notes.unknown.clear()
        verdict = Verdict(seconds, found.lost, found.doubled, found.wrong)
        took = time.monotonic() - began
        self.lines.append(Line(fault.name, verdict, load.turned_away, self.untrue, fault.within, took,
                               load.fresh.seconds))  # fmt: skip

    async def must_say(self, service: str, pattern: str, *, container: str = "") -> None:
        """What a service, or this container of it, must tell Prometheus now."""
        try:
            said = await self.stack.figures(container or await self.stack.container(service))
        except Failed as fault:
            self.untrue.append(f"{service} gave no figures: {fault}")
            return
        if not re.search(pattern, said, re.MULTILINE):
            name = pattern.partition("{")[0].lstrip("^")
            shown = [line for line in said.splitlines() if line.startswith(name)]
            self.untrue.append(f"{service} did not say {pattern}, but {shown}")

    async def doctor_must_say(self, pattern: str) -> None:
        """What `concert doctor` must name now, asked in a container of ours as Ops do."""
        began = time.monotonic()
        try:
            said = await self.stack.doctor(DOCTORED)
        except Failed as fault:
            self.untrue.append(f"the doctor could not be asked: {fault}")
            return
        if not re.search(pattern, said, re.MULTILINE):
            shown = [line for line in said.splitlines() if not line.startswith("ok")]
            self.untrue.append(f"the doctor did not say {pattern} within {time.monotonic() - began:.0f} s, but {shown}")


def crash(service: str) -> Harm:
    """Its main process is killed; the engine starts it again."""

    async def harm(drill: Drill, load: Load) -> None:
        await drill.stack.crash(await drill.stack.container(service))
        drill.healed = time.monotonic()

    return harm


def stand_still(service: str, says: Says) -> Harm:
    """It stands still for twenty seconds."""

    async def harm(drill: Drill, load: Load) -> None:
        await drill.stack.pause(service)
        await _held(drill, says)
        await drill.stack.resume(service)

    return harm


def cut_off(service: str, says: Says) -> Harm:
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
    """A second copy of a service that writes and of the one that applies; all work, then those that hold the leases are
    killed, and others must hold them soon."""
    stack = drill.stack
    await stack.scale(2, *LEASES)
    copies = {service: await stack.containers(service) for service in LEASES}
    await _all_work(drill, copies)
    before = {service: await _holder(stack, service) for service in LEASES}
    named = {service: [each for each in copies[service] if before[service].startswith(each)] for service in LEASES}
    if any(len(each) != 1 or len(copies[service]) != 2 for service, each in named.items()):
        drill.untrue.append(f"of {copies} the leases are held by {before}")
        return
    await stack.crash(*(each[0] for each in named.values()))
    killed = time.monotonic()
    (left,) = (each for each in copies["targets"] if each not in named["targets"])
    await asyncio.sleep(3)
    await drill.must_say(*TARGETS_HOLD_BACK, container=left)
    after = before
    while any(after[service] in ("", before[service]) for service in LEASES):
        if time.monotonic() > killed + SECONDS_TO_TAKE_OVER:
            drill.untrue.append(f"after {SECONDS_TO_TAKE_OVER} s {after} hold the leases that {before} held")
            break
        await asyncio.sleep(0.2)
        after = {service: await _holder(stack, service) for service in LEASES}
    await _back(drill)
    await stack.scale(1, *LEASES)


async def _all_work(drill: Drill, copies: dict[str, list[str]]) -> None:
    """Wait until every copy of the one has taken writes, and every copy of the other has answered reads."""
    idle, until = [""], time.monotonic() + HELD_SECONDS
    while idle and time.monotonic() < until:
        await asyncio.sleep(0.5)
        idle = [f"{service} {each}" for service in copies for each in copies[service]
                if not re.search(WORKS[service], await drill.stack.figures(each), re.MULTILINE)]  # fmt: skip
    if idle:
        drill.untrue.append(f"in {HELD_SECONDS} s nothing was asked of {idle}")


async def _holder(stack: Stack, service: str) -> str:
    """Who holds the lease that matters of a service: the container, and which of its lives; nobody perhaps."""
    held = f"SELECT holder FROM lease WHERE job = '{LEASES[service]}' AND until > extract(epoch from clock_timestamp())"
    return await stack.asked(service, held)


async def fill_the_disk(drill: Drill, load: Load) -> None:
    """The database's volume is full, until clients have been turned away for a while and readiness has said it; then
    there is room again."""
    before = load.turned_away
    full = "cat /dev/zero >/volume/ballast 2>/dev/null; test $(df --output=avail /volume | tail -1) -lt 64"
    await drill.stack.inside("ballast", "sh", "-c", full)
    until = time.monotonic() + HELD_SECONDS
    while time.monotonic() < until and not (load.turned_away >= before + 10 and drill.probes.told(NO_ROOM)):
        await asyncio.sleep(0.25)
    if load.turned_away == before:
        drill.untrue.append("nobody was turned away: the disk was not full")
    await drill.doctor_must_say(r"^wrong +database room +\S+ takes no more: .*No space left on device")
    await drill.stack.inside("ballast", "rm", "/volume/ballast")


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
    await stack.inside("teams", "python", "-", fed=BROKEN.encode())
    async with stack.client(seconds=20) as client:
        until = time.monotonic() + 20
        while not (held := (await client.get("/v1/parked")).json()["items"]) and time.monotonic() < until:
            await asyncio.sleep(0.25)
        await asyncio.sleep(1)
        held = (await client.get("/v1/parked")).json()["items"]
        if "metrics" not in {each["service"] for each in held}:
            drill.untrue.append(f"the broken event is not shown as parked by metrics: {held}")
        await drill.must_say("metrics", r'^concert_parked_events\{service="metrics"\} 1.0')
        await drill.doctor_must_say(r"^wrong +events +\d+ could not be applied by \w+, the first of deal/deal_broken@1")
        certificate = (await client.get("/v1/consistency", params={"fresh": "true"})).json()
        if certificate["verdict"] != "inconsistent" or "deal_broken" not in str(certificate["reasons"]):
            drill.untrue.append(f"the certificate said {certificate['verdict']}: {certificate['reasons']}")
        for each in held:
            path = f"/v1/parked/{each['subject']}/discard"
            answer = await client.post(path, params={"service": each["service"]})
            if answer.status_code != 204:
                drill.untrue.append(f"{each['service']} did not give it up: {answer.text}")


async def _held(drill: Drill, says: Says) -> None:
    """Wait so long, and in that time read what is told; the doctor is asked early: what is silent takes patience."""
    begin = time.monotonic()
    await asyncio.sleep(3)
    doctor = asyncio.create_task(drill.doctor_must_say(says.doctor))
    await asyncio.sleep(HELD_SECONDS - 9)
    await drill.must_say(*says.figures)
    await doctor
    await asyncio.sleep(max(0.0, begin + HELD_SECONDS - time.monotonic()))


async def _back(drill: Drill) -> None:
    """Wait until all is ready again."""
    await agreed(drill.stack, "")


@dataclass(frozen=True, slots=True)
class Says:
    """What is told while an engine is away: by the figures of a service, and by the doctor."""

    figures: tuple[str, str]
    doctor: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done to it, what readiness must say meanwhile, and within how many seconds all must be consistent."""

    name: str
    harm: Harm
    tells: str
    within: float
    probed_every: float = EVERY_SECONDS
    bearing: str = ""
    """What the certificate may go on to doubt."""


TARGETS_HOLD_BACK = ("targets", r'^concert_outbox_events\{service="targets"\} [1-9]')
NO_KAFKA = Says(TARGETS_HOLD_BACK, r"^wrong +broker +no broker answers at kafka:9092")
NO_STORE = Says(("teams", r'^concert_store_answers\{service="teams"\} 0'),
                r"^wrong +store teams +postgres:5432/teams does not answer")  # fmt: skip
AT_ONCE = 0.05
"""What is back within half a second is to be seen away all the same."""
SILENT = "store: the database"
NO_ROOM = "store: .*database has no room for more"
# About three times what was seen, and no less than a quarter of a minute.
FAULTS = (
    *(Fault(f"{service} killed", crash(service), f"{service}:? does not answer|gateway: .*{service}", 25)
      for service in SERVICES),
    Fault("gateway killed", crash("gateway"), "no answer", 15, probed_every=AT_ONCE),
    Fault("kafka killed", crash("kafka"), "[Kk]afka", 50),
    Fault("postgres killed", crash("postgres"), "(?i)the database", 15, probed_every=AT_ONCE),
    Fault("kafka stands still for 20 s", stand_still("kafka", NO_KAFKA), "silent for", 15),
    Fault("kafka cut off for 20 s", cut_off("kafka", NO_KAFKA), "[Kk]afka", 15),
    Fault("postgres stands still for 20 s", stand_still("postgres", NO_STORE), SILENT, 15),
    Fault("postgres cut off for 20 s", cut_off("postgres", NO_STORE), SILENT, 15),
    Fault("rolling restart of everything", restart_all, "does not answer", 15),
    Fault("one of two copies of targets and metrics killed", kill_one_of_two, "", 15),
    Fault("disk of postgres full", fill_the_disk, NO_ROOM, 15),
)  # fmt: skip
BROKEN_MESSAGE = Fault("broken message on a topic", break_a_message, "", 15, bearing="discarded by hand")
