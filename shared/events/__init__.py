"""The published language: what the services tell one another, declared once.

An event is a value: no id and no clock inside, so two events are the same when they say the same. Its postage
(id, subject, version, time) is the `Envelope`. Wire names are written by hand and never change; a breaking change
is a new class with `.v2`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, dataclass_transform

from pydantic import TypeAdapter

REGISTRY: dict[str, type[Event]] = {}
PEOPLE = "concert.people"


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened and will not unhappen."""

    type: ClassVar[str] = ""
    topic: ClassVar[str] = ""
    tombstone: ClassVar[bool] = False
    erases: ClassVar[str] = ""
    """The kind of which what has the same id is forgotten for good, if that is what happened."""

    def to_json(self) -> bytes | None:
        """The event's data as it travels; a tombstone has none."""
        if self.tombstone:
            return None
        return _adapter(type(self)).dump_json(self)


E = TypeVar("E", bound=Event)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def event(name: str, topic: str | None = None, *, tombstone: bool = False, erases: str = "") -> Any:
    """Declare an event under its wire name, `concert.<service>.<subject>-<past verb>.v<n>`."""

    def declare(cls: type[E]) -> type[E]:
        declared = dataclass(frozen=True, kw_only=True)(cls)
        declared.type = name
        declared.tombstone = tombstone
        declared.erases = erases
        declared.topic = topic or ".".join(name.split(".")[:2])
        if REGISTRY.setdefault(name, declared) is not declared:
            raise ValueError(f"the event name {name} is declared twice")
        return declared

    return declare


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event with its postage, as the log carries it (CloudEvents 1.0)."""

    id: str
    type: str
    subject: str
    version: int
    time: str
    source: str
    data: bytes | None
    batch: str | None = None
    trace: str | None = None

    @property
    def kind(self) -> str:
        """The kind of thing the event is about, `deal` of `deal/deal_1`."""
        return self.subject.partition("/")[0]

    @property
    def key(self) -> str:
        """The id of the thing the event is about."""
        return self.subject.partition("/")[2]

    def open(self) -> Event:
        """The event inside; raises ValueError when it is unknown here or malformed."""
        declared = REGISTRY.get(self.type)
        if declared is None:
            raise ValueError(f"no event of type {self.type} is known")
        if self.data is None:
            raise ValueError(f"an event of type {self.type} came without data")
        opened: Event = _adapter(declared).validate_json(self.data)
        return opened


_adapters: dict[type[Event], TypeAdapter[Any]] = {}


def _adapter(declared: type[Event]) -> TypeAdapter[Any]:
    found = _adapters.get(declared)
    if found is None:
        found = _adapters[declared] = TypeAdapter(declared)
    return found


def schema_of(declared: type[Event]) -> dict[str, Any]:
    """The JSON Schema of an event's data."""
    return _adapter(declared).json_schema(mode="serialization")
