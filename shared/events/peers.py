"""What teams tells of how team mates see each other's cooperation; who said what is told nowhere.

Whose a score is stands in no event: `person` is a token that is forgotten with the member's personal data.
"""

from __future__ import annotations

from dataclasses import field
from datetime import date

from shared.events import Event, event


@event("concert.teams.peer-round-opened.v1")
class PeerRoundOpened(Event):
    """The members of a team are asked about each other's cooperation, until a day."""

    team: str
    department: str
    opens_on: date
    closes_on: date
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.teams.peer-round-changed.v1")
class PeerRoundChanged(Event):
    """A round can be answered until another day, or has another title."""

    closes_on: date


@event("concert.teams.peer-round-closed.v1")
class PeerRoundClosed(Event):
    """A round can be answered no more: how many were asked, and of how many enough was said to be told."""

    on: date
    asked: int
    rated: int


@event("concert.teams.peers-rated.v1")
class PeersRated(Event):
    """What at least four team mates together say of somebody's cooperation: of each the sum of three answers."""

    round: str
    team: str
    person: str
    on: date
    n: int
    total: int
    squares: int
