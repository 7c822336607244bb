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
from tests.compose.stack import Failed
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
    await stack.compose("stop", "metrics")
    report = Report()
    async with stack.client(seconds=120) as client:
        away = await client.get("/v1/views")
        drill.untrue = [] if away.status_code == 503 else [f"without metrics /v1/views answered {away.status_code}"]
        outcome = await carry_out(plan_crm(place_of(CRM), report), client, report, lambda name, rows: None)
        say(f"{outcome.events} facts imported in {time.monotonic() - began:.0f} s, {outcome.refused} refused")
        began = time.monotonic()
        await stack.compose("start", "metrics")
        await agreed(stack)
        hr = (await client.get("/v1/views/hr", params={"period": "2026-02"})).json()
        drill.staff = hr["figures"]["headcount"]
        again = await carry_out(plan_crm(place_of(CRM), Report()), client, Report(), lambda name, rows: None)
        assert again.events == 0, "a second import of the same changed something"
    await prepare(stack)  # type: ignore[arg-type]
    verdict = await judged(stack, drill.notes, drill.staff)
    took = time.monotonic() - start
    drill.lines.append(Line("metrics stopped during an import", _since(verdict, began), 0, drill.untrue, took))
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
    """An upgrade under load; then older databases are put on the newer log, and refused; then all is put back."""
    with tempfile.TemporaryDirectory(prefix="concert-backup-") as folder:
        saved = Path(folder) / "saved"
        await _upgrade(drill, saved, say)
        later = Load(drill.stack, drill.notes, "after-the-backup")
        await asyncio.sleep(3)
        await later.stop()
        await agreed(drill.stack)
        began = time.monotonic()
        latest = Path(folder) / "latest"
        await drill.stack.ran("deploy/backup.sh", str(latest), STAY_DOWN="1")
        try:
            await drill.stack.ran("deploy/restore.sh", str(saved), "--databases-only", KEEP="no")
            untrue = ["older databases on a newer log were not refused"]
        except Failed as refusal:
            told = "that its database does not know" in str(refusal) and "Restore all of one backup" in str(refusal)
            untrue = [] if told else [f"it was not said what is wrong and what to do: {refusal}"]
        say(f"older databases refused after {time.monotonic() - began:.0f} s")
        began = time.monotonic()
        await drill.stack.ran("deploy/restore.sh", str(latest), KEEP="no")
        verdict = await judged(drill.stack, drill.notes, drill.staff)
        restored = _since(verdict, began)
        drill.lines.append(Line("restored from a backup, after older databases were refused", restored, 0, untrue,
                                restored.seconds))  # fmt: skip
        say(shown(drill.lines[-1:], head=False))


async def _upgrade(drill: Drill, saved: Path, say: Say) -> None:
    drill.untrue = []
    # Another image, and other settings: every container of ours is made anew.
    drill.stack.environment |= {"CONCERT_LOG_LEVEL": "warning", "CONCERT_TESTED_AS": "after"}
    gateway = await drill.stack.begun("gateway")
    async with Probes(drill.stack.address) as probes:
        # More slowly than else: it is the longest of all, and everything that was written is read at its end.
        load = Load(drill.stack, drill.notes, "upgrade", pace=0.5)
        began = time.monotonic()
        await drill.stack.ran("deploy/upgrade.sh", str(saved))
        took = time.monotonic() - began
        await load.stop()
    if await drill.stack.begun("gateway") != gateway or load.unanswered or probes.told("no answer: (?!ReadTimeout)"):
        drill.untrue.append(f"the gateway was away: {load.unanswered} writes unanswered; {probes.red}")
    say(f"upgraded in {took:.0f} s; of {load.asked} requests meanwhile {load.turned_away} were turned away,"
        f" {load.unanswered} not answered")  # fmt: skip
    verdict = await judged(drill.stack, drill.notes, drill.staff)
    upgraded = _since(verdict, began)
    drill.lines.append(Line("upgrade with a backup, under load", upgraded, load.turned_away, drill.untrue,
                            upgraded.seconds, load.fresh.seconds))  # fmt: skip
    say(shown(drill.lines[-1:], head=False))


def _since(verdict: Any, began: float) -> Any:
    return type(verdict)(time.monotonic() - began, verdict.lost, verdict.doubled, verdict.wrong)
