"""In what departments differ: figures that mean the same and are not, and what the certificate finds wrong or pending.

Of what must hold between all views nothing is here as long as it holds; so at most moments there is no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from services.metrics.consistency.effects import compare_effects
from services.metrics.consistency.invariants import INVARIANTS, check
from shared.store import Snapshot

Figures = Mapping[str, Mapping[str, Any]]
"""By department the figures of its view."""
SAME: Final = (
    ("requests from sales to it", "sales", "requests_to_it", "it", "requests_from_sales"),
    ("selling expense", "finance", "selling_expense", "accounting", "sales_expense"),
)
"""Figures of two views that have two names and mean one thing."""
_DEPARTMENTS: Final = ("sales", "finance", "accounting", "hr", "it")


async def differences_of(snapshot: Snapshot, figures: Figures) -> list[dict[str, Any]]:
    """Every difference of a moment, by name."""
    found = list(_between(figures))
    found += [_of_certificate(line) for line in await check(INVARIANTS, snapshot) if not line["holds"]]
    compared = await compare_effects(snapshot)
    found += [_of_certificate(each.line()) for each in compared if each.pending or each.difference]
    return sorted(found, key=lambda each: str(each["name"]))


def _between(figures: Figures) -> Iterator[dict[str, Any]]:
    """Figures that two views show and that are not equal; what one of them does not know is no difference."""
    pairs = [*_of_one_name(figures), *SAME]
    for name, one, left, other, right in pairs:
        ours, theirs = figures[one].get(left), figures[other].get(right)
        if ours is not None and theirs is not None and ours != theirs:
            yield {
                "name": name, "departments": [one, other], "left": left, "right": right, "left_value": ours,
                "right_value": theirs, "pending": [],
            }  # fmt: skip


def _of_one_name(figures: Figures) -> Iterator[tuple[str, str, str, str, str]]:
    """Each figure that several views show under one name, of the first and of each other."""
    shown: dict[str, str] = {}
    for department, view in figures.items():
        for key in view:
            first = shown.setdefault(key, department)
            if first != department:
                yield key.replace("_", " "), first, key, department, key


def _of_certificate(line: Mapping[str, Any]) -> dict[str, Any]:
    """What must hold and does not, or is pending; of the departments that its name speaks of."""
    named = [each for each in _DEPARTMENTS if each in line["name"].split()]
    return {
        "name": line["name"], "departments": named, "left": line["left"], "right": line["right"],
        "left_value": line["left_value"], "right_value": line["right_value"], "pending": line.get("pending", []),
    }  # fmt: skip
