"""What team mates said of each other, from the round of the period that was closed last.

Whose a score is, is known by a token that can be forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from math import sqrt
from typing import Final

import sqlalchemy as sa

from services.metrics.facts.peers import PeerRoundFact, PeerScoreFact
from services.metrics.facts.teams import PersonFact
from services.metrics.review.measure import Survey
from services.metrics.review.reading.belonging import Belonging
from shared.store import Snapshot
from shared.store.sql import OneOf

QUESTIONS: Final = 3
"""A score adds up the answers to so many."""
_round, _score = PeerRoundFact.__table__.c, PeerScoreFact.__table__.c  # type: ignore[attr-defined]
_person = PersonFact.__table__.c  # type: ignore[attr-defined]
_LAST = (
    sa.select(PeerRoundFact)
    .where(
        _round.team == sa.bindparam("team"),
        _round.closed_on >= sa.bindparam("start", type_=sa.Date()),
        _round.closed_on < sa.bindparam("end", type_=sa.Date()),
    )
    .order_by(_round.closed_on.desc(), _round.id)
    .limit(1)
)
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
    n, total = score.raters, score.points
    spread = (score.squares - total * total / n) / (n - 1) if n > 1 else 0.0
    mean = total / n / QUESTIONS
    return Survey(mean, sqrt(max(0.0, spread)) / QUESTIONS, n, max(n, asked - 1), (f"peer_round/{score.round}",))
