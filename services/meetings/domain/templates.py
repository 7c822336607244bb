"""Templates: agendas to begin meetings with. A meeting takes what the template says when it is called, and keeps it."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Self

from sqlmodel import Field

from services.meetings.domain.items import Item
from shared.errors import Refused
from shared.events.items import ItemRaised
from shared.events.series import TemplateChanged, TemplateDrawnUp, TemplateReinstated, TemplateRetired
from shared.ids import derived_id
from shared.store import Entity
from shared.store.types import Json


class TemplateIsRetired(Refused):
    """This template was retired on {on}; name another one, or reinstate it."""

    at = "/template"


class NotRetired(Refused):
    """This template is not retired."""


class Template(Entity, table=True):
    """Sections with items, in order, that are on the table of every meeting called by it."""

    kind: ClassVar[str] = "template"
    prefix: ClassVar[str] = "tpl"

    name: str
    sections: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """`{"name", "items"}`; an item is `{"kind", "title", "minutes", "about"}`."""
    retired_on: date | None = None
    """Since when nothing new names it."""

    @classmethod
    def draw_up(cls, **fields: Any) -> tuple[Self, TemplateDrawnUp]:
        """Say what meetings are to begin with."""
        template = cls.make(**fields)
        return template, TemplateDrawnUp(**template._told(), externals=template.externals)

    def change(self, **fields: Any) -> TemplateChanged | None:
        """Say it differently, for meetings that are called from now on."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        self.refuse_if_retired("")
        for name, value in new.items():
            setattr(self, name, value)
        return TemplateChanged(**self._told())

    def retire(self, on: date) -> TemplateRetired:
        """Let nothing new name it; series that do go on with it."""
        self.refuse_if_retired("")
        self.retired_on = on
        return TemplateRetired(on=on)

    def reinstate(self, on: date) -> TemplateReinstated:
        """Let it be named again."""
        if self.retired_on is None:
            raise NotRetired
        self.retired_on = None
        return TemplateReinstated(on=on)

    def refuse_if_retired(self, pointer: str = "/template") -> None:
        """Refuse what is not done with a template that is retired."""
        if self.retired_on is not None:
            raise TemplateIsRetired(on=self.retired_on, pointer=pointer)

    def laid_out(self, meeting: str, on: date) -> tuple[list[dict[str, Any]], list[tuple[Item, ItemRaised]]]:
        """Its items for the table of a meeting, and in which sections they stand there; however often, the same."""
        sections: list[dict[str, Any]] = []
        table: list[tuple[Item, ItemRaised]] = []
        for section in self.sections:
            ids = []
            for each in section["items"]:
                said = {name: each[name] for name in ("title", "minutes", "about")}
                identity = derived_id(Item.kind, f"{meeting} {len(table)}")
                place = {"meeting": meeting, "position": len(table) + 1}
                said |= {"id": identity, "externals": {}, "sort": each["kind"]}
                table.append(Item.bring_up(raised_on=on, **said, **place))
                ids.append(identity)
            sections.append({"name": section["name"], "items": ids})
        return sections, table

    def _told(self) -> dict[str, int]:
        items = [each for section in self.sections for each in section["items"]]
        return {"items": len(items), "minutes": sum(each["minutes"] or 0 for each in items)}
