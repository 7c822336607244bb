"""Several writes as one statement of PostgreSQL's, which saves a round trip for each of them."""

from __future__ import annotations

import re
from typing import Any

from shared.store.sql import Statement, Values

MAX_COMBINED = 12


def can_be_combined(writes: list[tuple[list[Values], Statement]]) -> bool:
    """Whether each of these may run in any order beside the others."""
    # The parts of one statement run in no promised order and do not see one another: each needs a table of its own.
    tables = {statement.table for _, statement in writes}
    return len(tables) == len(writes) <= MAX_COMBINED and all(len(rows) == 1 for rows, _ in writes)


_NUMBER = re.compile(r"\$(\d+)")
_known: dict[tuple[str, ...], str] = {}


def combined(writes: list[tuple[list[Values], Statement]]) -> tuple[str, list[Any]]:
    """Several writes as one statement with common table expressions: one round trip, atomic by itself."""
    key = tuple(statement.text for _, statement in writes)
    values = [value for rows, _ in writes for value in rows[0]]
    text = _known.get(key)
    if text is None:
        parts: list[str] = []
        shift = 0
        for rows, statement in writes:
            parts.append(_shifted(statement.text, shift))
            shift += len(rows[0])
        *first, last = parts
        named = ", ".join(f"w{number} AS ({part})" for number, part in enumerate(first))
        text = _known[key] = f"WITH {named} {last}" if first else last
    return text, values


def _shifted(text: str, shift: int) -> str:
    return _NUMBER.sub(lambda found: f"${int(found[1]) + shift}", text)
