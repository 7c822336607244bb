"""Packs: the figures of one moment that a joint meeting begins with."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Self

from sqlmodel import Field

from shared.events.packs import PackFrozen
from shared.ids import derived_id
from shared.store import Entity


class Pack(Entity, table=True):
    """That figures were frozen for a meeting; what they are is in the event, and kept by meetings."""

    kind: ClassVar[str] = "pack"

    meeting: str = Field(index=True)
    on: date
    period: str

    @staticmethod
    def id_of(cause: str) -> str:
        """The id of the pack that the event of this id leads to."""
        return derived_id("pack", cause)

    @classmethod
    def freeze(
        cls, cause: str, *, meeting: str, on: date, period: dict[str, str], **content: Any
    ) -> tuple[Self, PackFrozen]:
        """Keep the figures of a moment as they are."""
        pack = cls.make(id=cls.id_of(cause), externals={}, meeting=meeting, on=on, period=period["label"])
        return pack, PackFrozen(meeting=meeting, on=on, period=period, **content)
