"""How few are too few: from what few people aim at or answer together, one could tell what each of them does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

FEWEST: Final = 5
WITHHELD: Final = (
    f"what members aim at is added up for who may see each of them, or over the organisation that of {FEWEST} others"
)


def may_be_told(members: Iterable[str], sees: Iterable[str]) -> bool:
    """Whether what members add up to tells nothing of one of them to somebody who sees some of them anyway."""
    others = set(members) - set(sees)
    return not others or len(others) >= FEWEST
