"""How content are our customers, and would they recommend us? Told of whoever and whatever they answered about.

An answer knows its customer, its deal and the member and team it is about; what its deal sold is known by the deal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.deals import DealFact
from services.metrics.facts.feedback import CONTENT, DETRACTS, PROMOTES, FeedbackFact
from services.metrics.views.frame import Figure, Reading
from services.metrics.views.parts import FED_BY, of_share, part
from services.metrics.views.row_source import Source, simple
from services.metrics.views.values import decimal, shown_rate

FEWEST: Final = 100
"""Of fewer answers a net promoter score would be unsure by more than it usually moves."""
_answer = FeedbackFact.__table__.c  # type: ignore[attr-defined]
_deal = DealFact.__table__.c  # type: ignore[attr-defined]
_MEASURES: Final = ("answered", "content", "recommending", "promoters", "detractors")


@dataclass(frozen=True, slots=True)
class Said:
    """How many customers answered, and what."""

    answered: int = 0
    content: int = 0
    recommending: int = 0
    """How many said how likely they are to recommend us."""
    promoters: int = 0
    detractors: int = 0


async def answers_of(reading: Reading) -> list[sa.ColumnElement[bool]]:
    """What is true of the answers of the period that are about whoever and whatever is asked about."""
    span, filters = reading.question.span, dict(reading.filters)
    product = filters.pop("product", None)
    chosen = [_answer.on >= span.start, _answer.on < span.end, sa.not_(_answer.withdrawn)]
    chosen += await reading.passing(FED_BY[FeedbackFact], filters)
    if product is not None:
        chosen.append(_answer.deal.in_(sa.select(_deal.id).where(FED_BY[DealFact].holds(product))))
    if "group" in filters:
        circle = await reading.circle("group", filters["group"])
        stays = (sa.and_(_answer.member == member, during) for member, during in circle.during(_answer.on))
        chosen.append(sa.or_(sa.false(), *stays))
    return chosen


async def said_of(reading: Reading, figure: str) -> Said | None:
    """What customers said in the period; none where it is not known by what is asked, with a note."""
    if "product" not in reading.filters:
        if not reading.split_by(figure, "answered"):
            return None
        return Said(*[(await reading.flow(name)).count for name in _MEASURES])

    async def read() -> Said:
        how = sa.select(_answer.score, _answer.recommends, sa.func.count()).where(*await answers_of(reading))
        rows = await reading.snapshot.rows(how.group_by(_answer.score, _answer.recommends))
        return Said(
            sum(count for *_, count in rows),
            sum(count for score, _, count in rows if score >= CONTENT),
            sum(count for _, would, count in rows if would is not None),
            sum(count for _, would, count in rows if would is not None and would >= PROMOTES),
            sum(count for _, would, count in rows if would is not None and would <= DETRACTS),
        )

    found: Said = await reading.once("what customers said", read)
    return found


async def csat(reading: Reading) -> Any:
    """Content answers of all that customers gave."""
    said = await said_of(reading, "csat")
    if said is not None and not said.answered:
        reading.note("csat", "no customer has answered in the period")
    return None if said is None else shown_rate(said.content, said.answered)


async def nps(reading: Reading) -> Any:
    """Those who would recommend us without those who would not, in points."""
    said = await said_of(reading, "nps")
    if said is None:
        return None
    if said.recommending < FEWEST:
        reading.note("nps", f"{said.recommending} customers said whether they would recommend us, of at least {FEWEST}")
        return None
    points = decimal(Decimal(said.promoters - said.detractors) / said.recommending * 100, 1)
    return {"points": points, "promoters": said.promoters, "detractors": said.detractors, "answers": said.recommending}


async def _contentment(reading: Reading, answers: Sequence[FeedbackFact]) -> Sequence[Mapping[str, Any]]:
    """Each answer, above the line if it is a content one."""
    return [of_share(int(each.score >= CONTENT), 1) for each in answers]


async def _recommendations(reading: Reading) -> list[sa.ColumnElement[bool]]:
    return [_answer.recommends.is_not(None), *await answers_of(reading)]


async def _recommending(reading: Reading, answers: Sequence[FeedbackFact]) -> Sequence[Mapping[str, Any]]:
    """Each answer, and on which side it counts."""
    said = [each.recommends or 0 for each in answers]
    return [
        part({"promoters": int(each >= PROMOTES), "detractors": int(each <= DETRACTS), "answers": 1}) for each in said
    ]


_show = simple("feedback", "customer", "score", "recommends", "on", "deal", "member", "team")
ANSWER_ROWS: Mapping[str, Source] = {
    "answers": Source(FeedbackFact, answers_of, _show, counted=_contentment),
    "recommendations": Source(FeedbackFact, _recommendations, _show, counted=_recommending),
}
SATISFACTION: Final = (
    Figure("csat", "Answers of 4 or 5 of 5 ÷ answers that customers gave on days of the period; of a team those about "
           "its deals, or about its members of that day, of a product those about deals with it.", csat, "answers"),
    Figure("nps", "Net promoter score of customers: the share of their answers of the period of 9 or 10 of 10 to how "
           "likely they are to recommend us - the share of those from 0 to 6, in points, with the number of answers; "
           "of fewer than a hundred it is not told: of twenty it would be unsure by 36 points.", nps,
           "recommendations"),
)  # fmt: skip
