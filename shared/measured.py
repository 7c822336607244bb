"""What an organisation's own metrics are measured by: by readings, or by what is known anyway.

A metric whose basis names one of these, with its date field, is computed from the facts by that day; of all others, and
of those whose basis is described in other words, somebody takes readings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol


@dataclass(frozen=True, slots=True)
class Basis:
    """Something that is known anyway: its unit, and the day by which it counts."""

    unit: str
    date_field: str


BASES: Final[Mapping[str, Basis]] = {
    "deals_opened": Basis("number", "opened_on"),
    "deals_lost": Basis("number", "closed_on"),
    "invoiced": Basis("money", "issued_on"),
    "received": Basis("money", "received_on"),
}


class Described(Protocol):
    """A metric as far as it says what is counted, and how."""

    @property
    def unit(self) -> str: ...
    @property
    def aggregation(self) -> str: ...
    @property
    def date_field(self) -> str | None: ...
    @property
    def basis(self) -> str | None: ...


def computed_from(metric: Described) -> str | None:
    """Which of these a metric is computed from; none if it is measured by readings."""
    basis = BASES.get(metric.basis or "")
    said = (metric.unit, metric.date_field, metric.aggregation)
    return metric.basis if basis is not None and said == (basis.unit, basis.date_field, "sum") else None
