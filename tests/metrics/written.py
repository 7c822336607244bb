"""A house in which things are written under names, and a view that is asked once it holds all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.targets.conftest import House


@dataclass
class Written:
    """What was written in a house, by the names it was given."""

    house: House
    ids: dict[str, str] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    view: ClassVar[str]
    """The view that is asked unless another is named."""

    def __getattr__(self, name: str) -> str:
        """What was written under a name."""
        return self.ids[name]

    async def write(self, path: str, body: Any, name: str = "") -> str:
        """A write that must succeed, which every later question waits for: the id of what it made."""
        answer = await self.house.post(path, body)
        assert answer.status_code in (200, 201), answer.text
        self.tokens.append(answer.headers["concert-version"])
        found: str = answer.json()["id"]
        if name:
            self.ids[name] = found
        return found

    async def seen(self, path: str = "", **query: str) -> dict[str, Any]:
        """The view, or what lies below it, once it holds all that was written."""
        asked: dict[str, Any] = {"after": self.tokens, **query}
        where = path if path and not path.startswith("/") else f"{self.view}{path}"
        answer = await self.house.world.admin.get(f"/v1/views/{where}", params=asked, headers={"Prefer": "wait=20"})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def rows(self, figure: str, period: str, **query: str) -> set[str]:
        """What a figure is made of."""
        return {row["ref"] for row in (await self.seen("/rows", figure=figure, period=period, **query))["items"]}
