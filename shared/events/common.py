"""What may happen to a thing of any service: another system names it, or it is joined with a duplicate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.events import Event, event

if TYPE_CHECKING:
    from shared.store.entity import Entity


@event("concert.teams.external-linked.v1")
class TeamsExternalLinked(Event):
    """Another system's id now leads to a thing of teams; ids of people are told on the people topic only."""

    source: str
    id: str | None = None


@event("concert.targets.external-linked.v1")
class TargetsExternalLinked(Event):
    """Another system's id now leads to a thing of targets."""

    source: str
    id: str | None = None


@event("concert.meetings.external-linked.v1")
class MeetingsExternalLinked(Event):
    """Another system's id now leads to a thing of meetings."""

    source: str
    id: str | None = None


LINKED: dict[str, type[TeamsExternalLinked | TargetsExternalLinked | MeetingsExternalLinked]] = {
    "teams": TeamsExternalLinked,
    "targets": TargetsExternalLinked,
    "meetings": MeetingsExternalLinked,
}


def linked_event(thing: Entity, source: str, name: str) -> Event:
    """The event that tells of another system's id, in the words of the service the thing belongs to."""
    return LINKED[type(thing).__module__.split(".")[1]](source=source, id=name)
