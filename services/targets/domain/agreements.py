"""What was agreed on with a won deal, from its winning through its amendments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from shared.money import Money


@dataclass(frozen=True, slots=True)
class Agreed:
    """What was agreed on, whose merit it was, and what was sold."""

    value: Money
    cost: Money | None
    credits: Sequence[dict[str, Any]]
    lines: Sequence[dict[str, Any]] = ()


def agreements(
    closed_on: date, last: Agreed, amendments: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[date, int, Agreed]]:
    """What was agreed on from the day of winning on, and on the day of each amendment what went and what came."""
    states = [_before(each) for each in amendments] + [last]
    yield closed_on, 1, states[0]
    for each, (gone, come) in zip(amendments, pairwise(states), strict=True):
        day = date.fromisoformat(each["on"])
        yield day, -1, gone
        yield day, 1, come


def _before(amendment: Mapping[str, Any]) -> Agreed:
    cost = amendment["cost"]
    return Agreed(
        Money(**amendment["value"]), Money(**cost) if cost is not None else None, amendment["credits"],
        amendment["lines"],
    )  # fmt: skip
