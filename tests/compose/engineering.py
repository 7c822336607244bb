"""What Ops do on purpose: import, upgrade, save and restore; and what has been published about the imported data."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from concert.imports.crm import plan_crm
from concert.imports.report import Report
from concert.imports.send import carry_out
from tests.chaos.kills import prepare
from tests.compose.faults import Drill, Line
from tests.compose.judge import agreed, judged
from tests.compose.load import Load
from tests.compose.probes import Probes
from tests.compose.stack import SERVICES, Failed
from tests.compose.table import shown
from tests.imports.data_sets import place_of
from tests.journeys.published import CRM_SPAN, crm_differences

Say = Callable[[str], None]
CRM = "maven_crm"


async def import_without_metrics(drill: Drill, say: Say) -> None:
    """The CRM's export comes in while metrics is away; then it catches up. Leaves a seller, who owns what follows."""
    stack, start = drill.stack, time.monotonic()
    began = start
    if not place_of(CRM).exists():
        say(f"skipped: the import; the data set {CRM} is not there (CONCERT_DATA_SETS names the folder it lies in)")
        await prepare(stack)  # type: ignore[arg-type]
        return
    away = await stack.container("metrics")
    await stack.docker("stop", away)
    report = Report()
    async with stack.client(seconds=120) as client:
        answer = await client.get("/v1/views")
        drill.untrue = [] if answer.status_code == 503 else [f"without metrics /v1/views answered {answer.status_code}"]
        doctor = asyncio.create_task(drill.doctor_must_say(r"^wrong +at metrics +http://metrics:8000 does not answer"))
        outcome = await carry_out(plan_crm(place_of(CRM), report), client, report, lambda name, rows: None)
        await doctor
        say(f"{outcome.events} facts imported in {time.monotonic() - began:.0f} s, {outcome.refused} refused")
        began = time.monotonic()
        await stack.docker("start", away)
        # Sent once more while metrics catches up: that changes nothing.
        report = Report()
        repeated = carry_out(plan_crm(place_of(CRM), report), client, report, lambda name, rows: None)
        again, _ = await asyncio.gather(repeated, agreed(stack))
        assert again.events == 0, "a second import of the same changed something"
        hr = (await client.get("/v1/views/hr", params={"period": "2026-02"})).json()
        drill.staff = hr["figures"]["headcount"]
    await prepare(stack)  # type: ignore[arg-type]
    verdict = await judged(stack, drill.notes, drill.staff)
    took = time.monotonic() - start
    drill.lines.append(Line("metrics stopped during an import", _since(verdict, began), 0, drill.untrue, 60, took))
    say(shown(drill.lines[-1:], head=False))


async def published(drill: Drill) -> str:
    """Compares every published figure with what the views show. Raises AssertionError."""
    if not place_of(CRM).exists():
        return "skipped: the published figures, for want of the data"
    async with drill.stack.client(seconds=60) as client:

        async def view(**query: Any) -> Any:
            answer = await client.get("/v1/views/sales", params={**CRM_SPAN, **query})
            assert answer.status_code == 200, answer.text
            return answer.json()

        finance = (await client.get("/v1/views/finance", params=CRM_SPAN)).json()
        wrong = crm_differences(await view(), finance, await view(breakdown="member"), await view(breakdown="team"))
    assert not wrong, wrong
    return "every published figure of the CRM data is what the views show"


async def upgrade_and_restore(drill: Drill, say: Say) -> None:
    """An upgrade under load; then older databases are put on the newer log, and refused; then what was there before is
    put back, as it was said."""
    with tempfile.TemporaryDirectory(prefix="concert-backup-") as folder:
        saved, kept = Path(folder) / "saved", Path(folder) / "kept"
        await _upgrade(drill, saved, say)
        later = Load(drill.stack, drill.notes, "after-the-backup")
        await asyncio.sleep(3)
        await later.stop()
        await agreed(drill.stack)
        start = began = time.monotonic()
        try:
            await drill.stack.ran("deploy/restore.sh", str(saved), "--databases-only", KEEP=str(kept))
            untrue = ["older databases on a newer log were not refused"]
        except Failed as refusal:
            said = ("that its database does not know", "Restore all of one backup", f"deploy/restore.sh {kept}")
            untrue = _unsaid(refusal, *said)
        say(f"older databases refused after {time.monotonic() - began:.0f} s, what was there before is kept")
        began = time.monotonic()
        await drill.stack.ran("deploy/restore.sh", str(kept), KEEP="no")
        verdict = await judged(drill.stack, drill.notes, drill.staff)
        drill.lines.append(Line("restored from a backup, after older databases were refused", _since(verdict, began), 0,
                                untrue, 80, time.monotonic() - start))  # fmt: skip
        say(shown(drill.lines[-1:], head=False))


async def _upgrade(drill: Drill, saved: Path, say: Say) -> None:
    stack, drill.untrue, start = drill.stack, [], time.monotonic()
    gateway = await stack.begun("gateway")
    async with Probes(stack.address) as probes:
        # More slowly than else: it is the longest of all, and everything that was written is read at its end.
        load = Load(stack, drill.notes, "upgrade", pace=0.5)
        # Another image, and other settings: every container of ours would be made anew, but none of these can start.
        stack.environment |= {"CONCERT_LOG_LEVEL": "nonsense", "CONCERT_TESTED_AS": "after"}
        await _upgrade_in_vain(drill, saved)
        say(f"an upgrade to what cannot start has failed after {time.monotonic() - start:.0f} s, with the backup")
        stack.environment["CONCERT_LOG_LEVEL"] = "warning"
        began = time.monotonic()
        await stack.ran("deploy/upgrade.sh", str(saved))
        took = time.monotonic() - began
        await load.stop()
    if await stack.begun("gateway") != gateway or load.unanswered or probes.told("no answer: (?!ReadTimeout)"):
        drill.untrue.append(f"the gateway was away: {load.unanswered} writes unanswered; {probes.red}")
    say(f"upgraded in {took:.0f} s; of {load.asked} requests meanwhile {load.turned_away} were turned away,"
        f" {load.unanswered} not answered")  # fmt: skip
    verdict = await judged(stack, drill.notes, drill.staff)
    name, spent = "upgrade under load, after one that failed", time.monotonic() - start
    drill.lines.append(Line(name, _since(verdict, began), load.turned_away, drill.untrue, 100, spent,
                            load.fresh.seconds))  # fmt: skip
    say(shown(drill.lines[-1:], head=False))


async def _upgrade_in_vain(drill: Drill, saved: Path) -> None:
    """It fails and says what to do; the containers that were there serve all the while, and there are no others."""
    before, written = await drill.stack.begun(*SERVICES), len(drill.notes.acknowledged)
    try:
        await drill.stack.ran("deploy/upgrade.sh", str(saved))
        drill.untrue.append("a version that cannot start was taken for one that runs")
    except Failed as refusal:
        said = ("CONCERT_LOG_LEVEL should be", "the new version did not come up", "the one before goes on",
                f"deploy/upgrade.sh {saved}", f"deploy/restore.sh {saved}")  # fmt: skip
        drill.untrue += _unsaid(refusal, *said)
    if (after := await drill.stack.begun(*SERVICES)) != before:
        drill.untrue.append(f"instead of {before} there were {after} after an upgrade that failed")
    if len(drill.notes.acknowledged) == written:
        drill.untrue.append("nothing was taken while an upgrade failed")


def _unsaid(refusal: Failed, *words: str) -> list[str]:
    """What should have been said, and was not."""
    missing = [each for each in words if each not in str(refusal)]
    return [f"it was not said {missing}, but {refusal}"] if missing else []


def _since(verdict: Any, began: float) -> Any:
    return type(verdict)(time.monotonic() - began, verdict.lost, verdict.doubled, verdict.wrong)
