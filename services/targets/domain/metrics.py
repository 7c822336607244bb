"""Metrics: what can be aimed at, in which unit, and whether more of it is better."""

from __future__ import annotations

from typing import Any, ClassVar, Final, Self

from shared.errors import Refused
from shared.events.goals import MetricChanged, MetricDefined
from shared.store import Entity

UNITS: Final = ("money", "number")
DIRECTIONS: Final = ("higher", "lower")
AGGREGATIONS: Final = ("sum", "mean", "last")


class MetricIsFixed(Refused):
    """The {field} of {metric} stays {value}: targets and readings are in it. Define another metric."""


class Metric(Entity, table=True):
    """Something that is measured: what it means is data, so that an organisation can add its own."""

    kind: ClassVar[str] = "metric"

    name: str
    unit: str
    direction: str = "higher"
    """Whether more is better, `higher`, or less, `lower`."""
    aggregation: str = "sum"
    """How readings of several days become one: their `sum`, their `mean`, or the `last` of them."""
    date_field: str | None = None
    """The day by which something counts."""
    basis: str | None = None
    """What exactly is counted."""
    built_in: bool = False
    """Whether it is computed from what is known already; of others somebody takes readings."""

    @property
    def money(self) -> bool:
        """Whether it is measured in money."""
        return self.unit == "money"

    @property
    def lower(self) -> bool:
        """Whether less of it is better."""
        return self.direction == "lower"

    @classmethod
    def define(cls, *, name: str, unit: str, **fields: Any) -> tuple[Self, MetricDefined]:
        """Say what is measured."""
        metric = cls.make(name=name, unit=unit, **fields)
        return metric, MetricDefined(
            name=name, unit=unit, direction=metric.direction, aggregation=metric.aggregation,
            date_field=metric.date_field, basis=metric.basis, externals=metric.externals,
        )  # fmt: skip

    def change(self, **fields: Any) -> MetricChanged | None:
        """Describe it differently; its unit, direction and aggregation stay."""
        for name in ("unit", "direction", "aggregation"):
            if fields.get(name) not in (None, getattr(self, name)):
                raise MetricIsFixed(field=name, metric=self.id, value=getattr(self, name))
        described = {each: fields[each] for each in ("name", "date_field", "basis") if each in fields}
        if all(getattr(self, each) == value for each, value in described.items()):
            return None
        for each, value in described.items():
            setattr(self, each, value)
        return MetricChanged(name=self.name, date_field=self.date_field, basis=self.basis)


BUILT_IN: Final[dict[str, dict[str, Any]]] = {
    "revenue": {"name": "Revenue", "unit": "money", "date_field": "closed_on",
                "basis": "value of won deals, net of tax and freight, by the day they were won"},
    "margin": {"name": "Gross margin", "unit": "money", "date_field": "closed_on",
               "basis": "revenue - cost of sales as of the day of the sale"},
    "deals_won": {"name": "Deals won", "unit": "number", "date_field": "closed_on",
                  "basis": "a shared deal counts once"},
    "customers_won": {"name": "Customers won", "unit": "number", "date_field": "closed_on",
                      "basis": "customers whose first won deal lies in the period"},
    "csat": {"name": "Customer satisfaction", "unit": "number", "aggregation": "mean", "date_field": "on",
             "basis": "answers of 4 or 5 of 5 ÷ answers, between 0 and 1"},
}  # fmt: skip
"""What Concert computes from the facts it has."""
FROM_READINGS: Final[dict[str, dict[str, Any]]] = {
    "activities": {"name": "Activities", "unit": "number", "date_field": "on",
                   "basis": "calls, visits and mails as they are recorded"},
}  # fmt: skip
"""What is there from the beginning, and is measured by readings."""
