"""The table that Ops read."""

from __future__ import annotations

from collections.abc import Sequence

from tests.compose.faults import Line

HEAD = (
    "| fault | seconds to consistent | of the run | lost | doubled | turned away meanwhile | probes |",
    "|---|---|---|---|---|---|---|",
)


def shown(lines: Sequence[Line], *, head: bool = True) -> str:
    """A row for each fault, and below it what was wrong."""
    rows = list(HEAD) if head else []
    for line in lines:
        verdict = line.verdict
        told = "untrue" if line.untrue else "true"
        rows.append(f"| {line.fault} | {verdict.seconds:.1f} | {line.took:.0f} | {len(verdict.lost)} |"
                    f" {len(verdict.doubled)} | {line.turned_away} | {told} |")  # fmt: skip
        if not head:
            rows += [f"    {each}" for each in [*verdict.lost[:3], *verdict.doubled[:3], *verdict.wrong, *line.untrue]]
    return "\n".join(rows)
