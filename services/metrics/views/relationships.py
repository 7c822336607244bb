"""How do clients, employees and the public stand to each other? What customers say of who looks after them, and why
members leave.

Both are told only where enough answers or people are behind it.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.feedback import CONTENT, FeedbackFact
from services.metrics.facts.leavers import LeaversFact
from services.metrics.views.frame import Figure, Reading
from services.metrics.views.values import shown_rate
from shared.few import FEWEST

CLIENTS: Final = ("csat", "csat_by_relationship", "nps", "customers_without_owner", "handovers_open")
EMPLOYER: Final = ("leavers", "leavers_by_reason", "enps")
PUBLIC: Final = ("reputation",)
_answer = FeedbackFact.__table__.c  # type: ignore[attr-defined]
_BY_RELATIONSHIP = (
    sa.select(_answer.customer, _answer.member, _answer.team, _answer.score, sa.func.count())
    .where(_answer.on >= sa.bindparam("start", type_=sa.Date()), _answer.on < sa.bindparam("end", type_=sa.Date()),
           sa.not_(_answer.withdrawn), _answer.member.is_not(None))
    .group_by(_answer.customer, _answer.member, _answer.team, _answer.score)
)  # fmt: skip
_DIMENSIONS: Final = ("customer", "member", "team")


async def csat_by_relationship(reading: Reading) -> Any:
    """Content answers of each customer about each member."""
    key, span = "csat_by_relationship", reading.question.span
    if set(reading.filters) - set(_DIMENSIONS):
        reading.note(key, f"it is known by {', '.join(_DIMENSIONS)}")
        return None

    async def read() -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await reading.snapshot.rows(_BY_RELATIONSHIP, start=span.start, end=span.end)]

    answers: Counter[tuple[str, str]] = Counter()
    content: Counter[tuple[str, str]] = Counter()
    for *whose, score, count in await reading.shared("answers by relationship", read):
        found = dict(zip(_DIMENSIONS, whose, strict=True))
        if all(found[dim] == wanted for dim, wanted in reading.filters.items()):
            place = (found["customer"], found["member"])
            answers[place] += count
            content[place] += count * (score >= CONTENT)
    told = sorted(place for place, count in answers.items() if count >= FEWEST)
    if len(told) < len(answers):
        few = len(answers) - len(told)
        reading.note(key, f"{few} relationships with fewer than {FEWEST} answers are not shown")
    if not answers:
        reading.note(key, "no customer has answered about a member in the period")
        return None
    return [
        {"customer": place[0], "member": place[1], "csat": shown_rate(content[place], answers[place])} for place in told
    ]


async def leavers_by_reason(reading: Reading) -> Any:
    """Why members left, counted."""
    key, span = "leavers_by_reason", reading.question.span
    if reading.filters:
        reading.note(key, "it is counted over all who left, so that nobody is told of")
        return None
    first, end = span.start.isoformat(), span.asked.isoformat()
    reasons: Counter[str] = Counter()
    for fact in await reading.snapshot.all(LeaversFact, sa.select(LeaversFact)):
        for told in fact.told:
            if first < told["end"] <= end:
                reasons.update(told["reasons"])
    if not reasons:
        reading.note(key, f"reasons are told when those of {FEWEST} leavers are known; none were in the period")
        return None
    return dict(sorted(reasons.items()))


CSAT_BY_RELATIONSHIP = Figure(
    "csat_by_relationship", "Answers of 4 or 5 of 5 ÷ answers of the period, by customer and the member who looked "
    "after them; of fewer than five answers nothing is told.", csat_by_relationship, "answers",
)  # fmt: skip
LEAVERS_BY_REASON = Figure(
    "leavers_by_reason", "Why members left, as far as a reason was given: five leavers at a time, in the period of the "
    "last of them.", leavers_by_reason,
    opens="who gave which reason is told to nobody; who left, by leavers",
)  # fmt: skip
