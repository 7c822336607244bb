"""`/v1/templates`: agendas to begin meetings with, by section."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from services.meetings.api.items import Kind, Planned, Position
from services.meetings.domain.templates import Template
from shared.http.bodies import Body, Name, Named, Text
from shared.http.collection import Collection, fresh
from shared.instant import Day
from shared.known import today
from shared.store import Tx

templates = Collection(Template, "templates")
MOST_ITEMS = 200


class TemplateItem(Body):
    """Something that every meeting begins with."""

    kind: Kind
    title: Name = Field(examples=["Figures of the week"])
    minutes: Planned | None = None
    position: Position | None = Field(default=None, description="its place in the section; those without come after")
    about: Text | None = None


class Section(Body):
    """A part of the agenda."""

    name: Name = Field(examples=["Figures"])
    items: list[TemplateItem] = Field(default_factory=list, max_length=50)

    def stored(self) -> dict[str, Any]:
        """The section with its items in their order."""
        items = sorted(self.items, key=lambda each: each.position or 1001)
        return {"name": self.name, "items": [each.model_dump(exclude={"position"}) for each in items]}


class DrawUpTemplate(Named):
    """An agenda to begin meetings with."""

    name: Name = Field(examples=["Sales weekly"])
    sections: list[Section] = Field(min_length=1, max_length=20)

    @field_validator("sections")
    @classmethod
    def _not_endless(cls, sections: list[Section]) -> list[Section]:
        items = sum(len(each.items) for each in sections)
        if items > MOST_ITEMS:
            raise ValueError(f"an agenda has at most {MOST_ITEMS} items; this one has {items}")
        return sections


class ChangeTemplate(DrawUpTemplate):
    """What to change about an agenda, for meetings that are called from now on; what is not sent stays."""

    name: Name = ""
    sections: list[Section] = Field(default_factory=list, min_length=1, max_length=20)


class RetireTemplate(Body):
    """The day from which nothing new names it."""

    on: Day | None = None


class ReinstateTemplate(Body):
    """The day from which it may be named again."""

    on: Day | None = None


@templates.create
async def draw_up_template(tx: Tx, body: DrawUpTemplate) -> Template:
    """Draw up an agenda to begin meetings with."""
    sections = [each.stored() for each in body.sections]
    return tx.save(*Template.draw_up(name=body.name, sections=sections, **fresh(Template, body)))


@templates.amend
async def change_template(tx: Tx, template: Template, body: ChangeTemplate) -> Template:
    """Begin meetings that are called from now on differently."""
    sent = body.sent()
    if "sections" in sent:
        sent["sections"] = [each.stored() for each in body.sections]
    return tx.save(template, template.change(**sent))


@templates.verb("retire", undoes=True)
async def retire_template(tx: Tx, template: Template, body: RetireTemplate) -> Template:
    """Let no new series or meeting begin with it; series that do go on with it."""
    return tx.save(template, template.retire(body.on or await today(tx)))


@templates.verb("reinstate", undoes=True)
async def reinstate_template(tx: Tx, template: Template, body: ReinstateTemplate) -> Template:
    """Let a template be named again."""
    return tx.save(template, template.reinstate(body.on or await today(tx)))
