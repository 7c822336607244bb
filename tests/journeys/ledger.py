"""The books that a story keeps beside Concert: what every figure must be, written down by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import httpx

from tests.metrics.test_certificate import settled_verdict
from tests.world import World

OBSERVED = {"source_age", "view_age", "imports", "parked", "lag"}
"""Figures that speak of the moment of asking."""


@dataclass
class Story:
    """A house, what things in it are called, and what its figures must be; the same in whichever view they stand."""

    world: World
    period: str
    ledger: dict[str, Any]
    ids: dict[str, str] = field(default_factory=dict)

    async def does(self, path: str, body: Mapping[str, Any], name: str | None = None) -> Any:
        """A write that must succeed; what it makes is called by a name from then on."""
        made = await self.world.made(f"/v1/{path}", dict(body))
        if name is not None:
            self.ids[name] = made["id"]
        return made

    async def reads(self, path: str, **query: Any) -> Any:
        """What a path shows."""
        answer = await self.world.admin.get(f"/v1/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def hears(self, *paths: str) -> None:
        """Wait until every service has heard of some things."""
        answers = [await self.world.admin.get(f"/v1/{path}") for path in paths]
        for answer in answers:
            for collection in ("openings", "targets", "series"):
                await self._waits(f"/v1/{collection}", answer)

    async def shows(self, **changes: Any) -> Any:
        """All five views and the certificate after a step: these figures have changed, and no other."""
        assert changes.keys() <= self.ledger.keys(), changes.keys() - self.ledger.keys()
        self.ledger |= changes
        found = await settled_verdict(self.world, "consistent")
        assert all(each["holds"] for each in found["invariants"])
        assert {each["class"] for each in found["invariants"]} == {"A", "B", "C"}
        views = (await self.reads("views", period=self.period))["views"]
        assert set(views) == {"sales", "finance", "accounting", "hr", "it"}
        differences = self.differences(views)
        assert not differences, "\n".join(differences)
        return views

    def differences(self, views: Mapping[str, Any]) -> list[str]:
        """Where views, these or those of a pack, say something else than the ledger, or nothing of what it knows."""
        shown = {
            (department, key): plain(value)
            for department, view in views.items()
            for key, value in view["figures"].items()
            if key not in OBSERVED
        }
        missing = sorted(self.ledger.keys() - {key for _, key in shown})
        return [f"{key} is in no view" for key in missing] + [
            f"{department}: {key} is {value!r}, not {self.ledger.get(key)!r}"
            for (department, key), value in shown.items()
            if key not in self.ledger or value != self.ledger[key]
        ]

    async def _waits(self, path: str, answer: httpx.Response) -> None:
        await self.world.settled(path, answer)


def plain(figure: Any) -> Any:
    """A figure as one writes it down: euros by their amount, a share as `part/whole`, whose rate must be right."""
    if not isinstance(figure, dict):
        return figure
    if figure.keys() == {"amount", "currency"}:
        assert figure["currency"] == "EUR"
        return figure["amount"]
    if "rate" in figure:
        part, whole = plain(figure["numerator"]), plain(figure["denominator"])
        rate = (Decimal(part) / Decimal(whole)).quantize(Decimal("0.000001"), ROUND_HALF_EVEN)
        assert figure["rate"] == str(rate)
        return f"{part}/{whole}"
    return {key: plain(value) for key, value in figure.items()}


def euros(amount: str) -> dict[str, str]:
    """An amount of money."""
    return {"amount": amount, "currency": "EUR"}
