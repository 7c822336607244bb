"""What bodies have in common: unknown fields are refused, and things may be called what other systems call them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model, model_validator

from shared.store.entity import INTERNAL, Entity

Source = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,39}$")]
ExternalId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=r"^[^\x00]*$")]
Text = Annotated[str, StringConstraints(max_length=10_000, pattern=r"^[^\x00]*$")]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
"""A kind, a role or a stage, as an organisation calls it."""
Ref = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f]+$")]
"""An id of ours, or `ext:<source>:<id>`."""


class Body(BaseModel):
    """Something that is sent to us."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def sent(self) -> dict[str, Any]:
        """The fields that were sent, names apart: what an update changes."""
        skip = ("external", "externals")
        return {name: getattr(self, name) for name in self.model_fields_set if name not in skip}


class ExternalName(Body):
    """What another system calls a thing."""

    source: Source = Field(examples=["hubspot"])
    id: ExternalId = Field(examples=["9087"])


class Named(Body):
    """A body that makes or changes something other systems may have names for."""

    external: ExternalName | None = None
    externals: list[ExternalName] = Field(default_factory=list, max_length=20)

    @model_validator(mode="after")
    def _one_per_source(self) -> Named:
        sources = [each.source for each in self.names()]
        if len(sources) != len(set(sources)):
            raise ValueError(f"a thing has at most one name per source; {sources} names one twice")
        return self

    def names(self) -> list[ExternalName]:
        """All names in the body."""
        return [*([self.external] if self.external else []), *self.externals]

    def externals_by_source(self) -> dict[str, str]:
        """The names as they are stored."""
        return {each.source: each.id for each in self.names()}


@cache
def read_model(entity: type[Entity], extra: type[BaseModel] | None = None) -> type[BaseModel]:
    """The form in which a kind of thing is shown: its fields, but for those that only the books need."""
    fields: dict[str, Any] = {}
    for name, field in entity.model_fields.items():
        if name in INTERNAL or name in entity.hidden or name == "externals":
            continue
        told = entity.shown_as.get(name, name)
        fields[told] = (field.annotation, ... if field.is_required() else field.default)
    fields["externals"] = (list[ExternalName], [])
    if extra is not None:
        fields |= {name: (field.annotation, field) for name, field in extra.model_fields.items()}
    return create_model(entity.__name__, __doc__=entity.__doc__, **fields)


def shown(entity: Entity) -> dict[str, Any]:
    """A thing's fields as they are shown."""
    alias, unseen = entity.shown_as, INTERNAL | entity.hidden
    fields = {alias.get(name, name): value for name, value in entity.content().items() if name not in unseen}
    fields["externals"] = [{"source": source, "id": name} for source, name in sorted(entity.externals.items())]
    return fields


Filter = sa.ColumnElement[Any]
OnDay = Callable[[Entity, date], dict[str, Any] | None]
