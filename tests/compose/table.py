"""The table that Ops read."""

from __future__ import annotations

from collections.abc import Sequence

from tests.compose.faults import Line

HEAD = (
    "| fault | seconds to consistent | lost | doubled | turned away meanwhile | probes |",
    "|---|---|---|---|---|---|",
)


def shown(lines: Sequence[Line], *, head: bool = True) -> str:
    """A row for each fault, and below it what was wrong."""
    rows = list(HEAD) if head else []
    for line in lines:
        verdict = line.verdict
        rows.append(f"| {line.fault} | {verdict.seconds:.1f} | {len(verdict.lost)} | {len(verdict.doubled)} |"
                    f" {line.turned_away} | {'untrue' if line.untrue else 'true'} |")  # fmt: skip
        if not head:
            rows += [f"    {each}" for each in [*verdict.lost[:3], *verdict.doubled[:3], *verdict.wrong, *line.untrue]]
    return "\n".join(rows)
