"""Whether a plan speaks of nothing that it has not made before."""

from __future__ import annotations

import re
from typing import Any

from concert.imports.plan import Plan

KINDS = {"members": "member", "teams": "team", "customers": "customer", "products": "product", "deals": "deal",
         "departments": "department", "targets": "target"}  # fmt: skip
ASKED_AS = {"leader": "member", "owner": "member", "manager": "member", "ref": "member"}


def unknown(plan: Plan) -> list[tuple[str, str]]:
    """References to things that no earlier row makes, and things that are made twice; by the field."""
    made: set[tuple[str, str]] = set()
    faults = []
    for step in plan.steps.values():
        kind = KINDS[step.collection]
        for row in step.rows():
            faults += [said for said in _references(row) if said not in made]
            if "external" in row:
                name = (kind, plan.ref(row["external"]["id"]))
                if name in made and "on" not in row:
                    faults.append(name)
                made.add(name)
    return faults


def _references(value: Any, field: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [found for name, part in value.items() for found in _references(part, name)]
    if isinstance(value, list):
        return [found for part in value for found in _references(part, field)]
    if isinstance(value, str) and re.match("ext:", value):
        return [(ASKED_AS.get(field, field), value)]
    return []
