"""Peer rounds as the views see them: when they were closed, and what team mates together say of somebody."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from shared.events.peers import PeerRoundClosed, PeerRoundOpened, PeersRated
from shared.facts import Fact, Facts


class PeerRoundFact(Fact, table=True):
    """A round: which team it asked, and how many of it."""

    __tablename__ = "peer_round_fact"
    __table_args__ = (sa.Index("peer_round_fact_closed", "team", "closed_on"),)
    kind: ClassVar[str] = "peer_round"

    team: str = ""
    closed_on: date | None = None
    asked: int = 0
    rated: int = 0


class PeerScoreFact(Fact, table=True):
    """What was said of somebody in a round; whose it is, is known here by a token only."""

    __tablename__ = "peer_score_fact"
    kind: ClassVar[str] = "peer_score"

    round: str = Field(default="", index=True)
    person: str = ""
    raters: int = 0
    points: int = 0
    """The sum of all answers."""
    squares: int = 0
    """The sum of the squares of each rater's sum."""


# Neither is summed: a score is for whom it is about and who leads them, and stands in no view.
peer_rounds = Facts(PeerRoundFact)
peer_scores = Facts(PeerScoreFact)


@peer_rounds.on(PeerRoundOpened)
def open_round(found: PeerRoundFact, event: PeerRoundOpened) -> None:
    found.team = event.team


@peer_rounds.on(PeerRoundClosed)
def close_round(found: PeerRoundFact, event: PeerRoundClosed) -> None:
    found.closed_on, found.asked, found.rated = event.on, event.asked, event.rated


@peer_scores.on(PeersRated)
def rate(score: PeerScoreFact, event: PeersRated) -> None:
    score.round, score.person = event.round, event.person
    score.raters, score.points, score.squares = event.n, event.total, event.squares
