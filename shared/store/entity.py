"""What a service keeps: things with an identity, a version and the marks that the books are compared by."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar, Self

import sqlalchemy as sa
from sqlalchemy.orm import configure_mappers
from sqlmodel import Field, SQLModel

from shared.ids import mark_of, shard_of
from shared.money import Money
from shared.store.types import Json


class Row(SQLModel):
    """A stored row that is made, changed and loaded without validation and without an ORM's bookkeeping.

    Only verbs and stores make rows, and what changed is known by what is saved. Both together cost fifty times as much
    as the row itself (`docs/benchmarks.md`).
    """

    @classmethod
    def make(cls, **fields: Any) -> Self:
        """A new row with these fields, the others at their defaults."""
        plain, factories = _defaults(cls)
        row = object.__new__(cls)
        held = row.__dict__
        held.update(plain)
        for name, factory in factories:
            if name not in fields:
                held[name] = factory()
        held.update(fields)
        return row

    # A row is itself: comparing fields is left to those who mean fields.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__[name] = value

    def content(self) -> dict[str, Any]:
        """The stored fields by name."""
        return {name: self.__dict__[name] for name in type(self).model_fields}


class Referred(Row):
    """A row that a reference can name: a thing of ours, or what is known of another service's."""

    kind: ClassVar[str] = ""
    """The name of the kind in subjects and references."""


class Entity(Referred):
    """A thing with an identity whose every change is one version and one event."""

    prefix: ClassVar[str] = ""
    """What ids of the kind begin with, if not the kind."""
    word: ClassVar[str] = ""
    """What a person calls it, if not the kind."""
    hidden: ClassVar[frozenset[str]] = frozenset()
    """Columns that are not shown as they are, because a presentation says the same in the form of the bodies."""
    shown_as: ClassVar[dict[str, str]] = {}
    """Fields that are called otherwise in bodies."""

    id: str = Field(primary_key=True)
    version: int = Field(default=0)
    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    mark: int = Field(default=0, sa_type=sa.BigInteger)
    shard: int = Field(default=0)
    total: int = Field(default=0, sa_type=sa.BigInteger)
    total_currency: str = Field(default="")

    @property
    def subject(self) -> str:
        """The name under which events speak of this thing."""
        return f"{self.kind}/{self.id}"

    def worth(self) -> Money | None:
        """The amount this thing adds to the control totals of the books, if it is about money."""
        return None

    def advance(self) -> None:
        """Become the next version of oneself."""
        self.version += 1
        subject = self.subject
        self.mark = mark_of(subject, self.version)
        if self.version == 1:
            self.shard = shard_of(subject)
        worth = self.worth()
        self.total, self.total_currency = (worth.minor, worth.currency) if worth else (0, "")


INTERNAL = frozenset({"mark", "shard", "total", "total_currency"})


class _Column:
    """A mapped attribute that is met on the class only: on a row the field itself is found, without a call."""

    def __init__(self, name: str, attribute: Any) -> None:
        self.name = name
        self.attribute = attribute

    def __get__(self, row: Row | None, cls: type[Row]) -> Any:
        if row is not None:
            raise AttributeError(f"this {cls.__name__} was made without {self.name}")
        return self.attribute


@cache
def settled(cls: type[Row]) -> type[Row]:
    """A row class that is ready to be read from: SQLAlchemy has mapped it, and its rows are plain objects.

    SQLAlchemy answers for every field of every row by a function of its own, to know what has been loaded; nothing here
    asks it. That was a twentieth of an import (`docs/benchmarks.md`).
    """
    configure_mappers()
    table = getattr(cls, "__table__", None)
    for name in table.columns.keys() if table is not None else ():
        attribute = cls.__dict__.get(name)
        if attribute is not None:
            type.__setattr__(cls, name, _Column(name, attribute))
    return cls


@cache
def _defaults(cls: type[Row]) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    settled(cls)
    plain: dict[str, Any] = {}
    factories = []
    for name, field in cls.model_fields.items():
        if field.default_factory is not None:
            factories.append((name, field.default_factory))
        else:
            plain[name] = None if field.is_required() else field.default
    return plain, factories
