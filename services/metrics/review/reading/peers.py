"""What team mates said of each other, from the round of the period that was closed last.

Whose a score is, is known by a token that can be forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import sqlalchemy as sa

from services.metrics.facts.peers import PeerRoundFact, PeerScoreFact
from services.metrics.facts.teams import PersonFact
from services.metrics.review.measure import Survey
from services.metrics.review.reading.belonging import Belonging
from services.metrics.review.reading.surveys import last_closed
from shared.store import Snapshot
from shared.store.sql import OneOf

QUESTIONS: Final = 3
"""A score adds up the answers to so many."""
_score = PeerScoreFact.__table__.c  # type: ignore[attr-defined]
_person = PersonFact.__table__.c  # type: ignore[attr-defined]
_LAST = last_closed(PeerRoundFact)
_SCORES = sa.select(PeerScoreFact).where(_score.round == sa.bindparam("round"))
_TOKENS = sa.select(_person.id, _person.token).where(OneOf(_person.id, "ids"), _person.token.is_not(None))


async def peers_of(snapshot: Snapshot, team: Belonging, end: date) -> Mapping[str, Survey]:
    """By member what at least four team mates said of them."""
    rounds = await snapshot.all(PeerRoundFact, _LAST, team=team.team.id, start=team.period.start, end=end)
    if not rounds:
        return {}
    scores = {each.person: each for each in await snapshot.all(PeerScoreFact, _SCORES, round=rounds[0].id)}
    whose = await snapshot.rows(_TOKENS, ids=team.ids)
    return {member: of_score(scores[token], rounds[0].asked) for member, token in whose if token in scores}


def of_score(score: PeerScoreFact, asked: int) -> Survey:
    """Mean and deviation between 1 and 5, each rater's three answers taken as one; nobody is asked about themselves."""
    return Survey.summed(score.raters, score.points, score.squares, items=QUESTIONS, asked=max(score.raters, asked - 1),
                         source=f"peer_round/{score.round}")  # fmt: skip
