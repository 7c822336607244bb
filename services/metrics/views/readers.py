"""Whose figures a reader may see: a member those of themself and of whom they lead; of all others only what they add up
to."""

from __future__ import annotations

from dataclasses import replace

from services.metrics.facts.teams import MemberFact, TeamFact
from services.metrics.views.question import Question
from shared.errors import Fault, NotFound
from shared.identity.permissions import Principal
from shared.identity.scopes import ADMIN
from shared.led import people_of
from shared.store import Snapshot


async def people(snapshot: Snapshot, question: Question, reader: Principal) -> set[str] | None:
    """The members whose figures are for a reader; none for a tool, which sees all that its scopes allow."""
    if reader.member is None or reader.may(ADMIN):
        return None
    return await people_of(snapshot, reader.member, question.today, teams=TeamFact, members=MemberFact)


async def for_reader(snapshot: Snapshot, question: Question, reader: Principal) -> Question:
    """The question of this reader. Figures of one member are as if they were not there for who may not see them; raises
    NotFound."""
    asked, theirs = question.filters.get("member"), await people(snapshot, question, reader)
    if theirs is None:
        return question
    if asked is not None and asked not in theirs:
        raise NotFound(f"There is no member {asked} here (yet).", [Fault("/member", "not known")])
    return replace(question, sees=frozenset(theirs))
