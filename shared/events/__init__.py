"""The published language: what the services tell one another, declared once.

An event is a value: no id and no clock inside, so two events are the same when they say the same. Its postage
(id, subject, version, time) is the `Envelope`. Wire names are written by hand and never change.

A field that may be left out can be added to an event; what else readers could not bear makes a new version. The class
keeps its name and gets the wire name with `.v2`; what it was stays beside it as `...V1` under `.v1`, for its records
stay on the log; `@lifts(DealWonV1, DealWon)` says how the one is read as the other. Whoever applies meets the latest
version only, live and in a rebuild alike. `docs/contracts.md` says in which order this reaches running services.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, dataclass_transform

from pydantic import TypeAdapter

from shared import traces

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


Old = TypeVar("Old", bound=Event)
New = TypeVar("New", bound=Event)
_lifts: dict[type[Event], tuple[type[Event], Callable[[Any], Event]]] = {}


def lifts(old: type[Old], new: type[New]) -> Callable[[Callable[[Old], New]], Callable[[Old], New]]:
    """Say how an event of a version is read as one of the next, by what the event itself says and nothing else.

    Whatever the old version did not say must be optional in the new one, or follow from what it said.
    """

    def register(lift: Callable[[Old], New]) -> Callable[[Old], New]:
        if _next_version(old.type) != new.type or old.topic != new.topic:
            raise ValueError(
                f"{old.type} on {old.topic} cannot be read as {new.type} on {new.topic}: not its next version"
            )
        if old in _lifts:
            raise ValueError(f"{old.type} is lifted twice")
        _lifts[old] = (new, lift)
        return lift

    return register


def read_as(name: str) -> type[Event] | None:
    """As what an event of this wire name is read: the latest version that it is lifted to; none for an unknown one."""
    declared = REGISTRY.get(name)
    while declared in _lifts:
        declared = _lifts[declared][0]
    return declared


def _next_version(name: str) -> str:
    stem, _, number = name.rpartition(".v")
    return f"{stem}.v{int(number) + 1}"


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

    def log_context(self) -> dict[str, str]:
        """What a log line about the event names, so that its line and those of its request are found together."""
        trace = traces.known(self.trace)
        named = {"event_id": self.id, "subject": self.subject}
        return named if trace is None else named | {"trace_id": traces.id_of(trace)}

    def open(self) -> Event:
        """The event inside, as its latest version says it; raises ValueError when it is unknown here or malformed."""
        declared = REGISTRY.get(self.type)
        if declared is None:
            raise ValueError(f"no event of type {self.type} is known")
        if self.data is None:
            raise ValueError(f"an event of type {self.type} came without data")
        opened: Event = _adapter(declared).validate_json(self.data)
        while (lift := _lifts.get(type(opened))) is not None:
            opened = lift[1](opened)
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
