"""The tables that Ops read."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from tests.compose.faults import Line

HEAD = (
    "| fault | seconds to consistent | at most | of the run | lost | doubled | turned away meanwhile |"
    " a write in the views after: p50, at most | probes |",
    "|---|---|---|---|---|---|---|---|---|",
)
REPEATED = (
    "| fault | times | seconds to consistent: p50 | p95 | turned away: p50 | p95 |"
    " a write in the views after: p50 | p95 |",
    "|---|---|---|---|---|---|---|---|",
)


def shown(lines: Sequence[Line], *, head: bool = True) -> str:
    """A row for each fault, and below it what was wrong."""
    rows = list(HEAD) if head else []
    for line in lines:
        verdict = line.verdict
        told = "untrue" if line.untrue else "true"
        rows.append(f"| {line.fault} | {verdict.seconds:.1f} | {line.within:.0f} | {line.took:.0f} |"
                    f" {len(verdict.lost)} | {len(verdict.doubled)} | {line.turned_away} |"
                    f" {_fresh(line.fresh)} | {told} |")  # fmt: skip
        if not head:
            late = [f"it may take {line.within:.0f} s"] if line.late else []
            rows += [
                f"    {each}" for each in [*late, *verdict.lost[:3], *verdict.doubled[:3], *verdict.wrong, *line.untrue]
            ]
    return "\n".join(rows)


def repeated(lines: Sequence[Line]) -> str:
    """A row for each fault that was done more than once: how long it takes, and how long it may take."""
    rows = []
    for fault, several in groupby(lines, lambda line: line.fault):
        same = list(several)
        if len(same) > 1:
            figures = [[each.verdict.seconds for each in same], [float(each.turned_away) for each in same],
                       [seconds for each in same for seconds in each.fresh]]  # fmt: skip
            told = " | ".join(f"{part(each, 0.5):.1f} | {part(each, 0.95):.1f}" for each in figures)
            rows.append(f"| {fault} | {len(same)} | {told} |")
    return "\n".join([*REPEATED, *rows]) if rows else ""


def part(values: Sequence[float], share: float) -> float:
    """What so large a part of the values does not exceed."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)] if values else 0.0


def _fresh(seconds: Sequence[float]) -> str:
    return f"{part(seconds, 0.5):.1f}, {max(seconds):.1f}" if seconds else ""
