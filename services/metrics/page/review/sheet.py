"""A review as a page: everything that is on it, for one reader, from one snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from services.metrics.api.carrying_out import carried_out
from services.metrics.api.learnt import catalogue_of
from services.metrics.api.reviews import counted, reviews, sight_of, voices_of
from services.metrics.domain.reviews import Review
from services.metrics.facts.teams import MemberFact, TeamFact
from services.metrics.page.charts import NOTHING
from services.metrics.page.layout import TITLES
from services.metrics.page.review.accomplished import Line, accomplished_of, owned_of, people_in
from services.metrics.page.review.advice import Advice, Weak, advice_of, weak_of
from services.metrics.page.review.associations import Graph, by_department, graph_of, people_of, told_of
from services.metrics.page.review.choices import Table, table_of
from services.metrics.page.review.contributed import Contributed, contributed_of
from services.metrics.page.review.figures import SMALL_TEAM, Reader
from services.metrics.page.review.judging import Judging, judging_of
from services.metrics.page.review.matrix import Matrix, matrix_of
from services.metrics.page.review.words import listed
from services.metrics.page.values import grouped
from services.metrics.review.carried_out import Carried
from services.metrics.review.catalogue import MEASURES as CATALOGUE
from services.metrics.review.contributions import PITFALLS
from services.metrics.review.options import Catalogue
from services.metrics.review.seen import Sight, as_seen, is_thin
from services.metrics.review.thresholds import Rules
from services.metrics.review.weekly import MEASURES
from services.metrics.views.names import names_of
from services.metrics.views.shown import today_of
from shared.identity.permissions import Principal
from shared.store import Snapshot
from shared.store.sql import OneOf

_member = MemberFact.__table__.c  # type: ignore[attr-defined]
_NAMED = sa.select(MemberFact).where(OneOf(_member.id, "ids"))
COMMENT_DAYS = 5
"""So many working days the team has to comment before it is decided."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is on the page of a review."""

    review: Review
    sight: Sight
    team: str
    names: Mapping[str, str]
    advice: Advice
    matrix: Matrix
    graph: Graph
    catalogue: Catalogue | None
    table: Table | None
    weak: Sequence[Weak]
    contributed: Sequence[Contributed]
    accomplished: Sequence[Line]
    owned: Sequence[Line]
    pitfalls: Sequence[str]
    comments: Sequence[Mapping[str, Any]]
    comment_until: date
    carried: Sequence[Carried]
    responsible: Sequence[tuple[str, str]]
    """Who may see to what is decided: members of the team, for who may know them."""
    document: Mapping[str, Any]
    may_decide: bool
    may_comment: bool
    judging: Judging

    @property
    def measures(self) -> list[tuple[str, str]]:
        """By what the effect can be judged."""
        return [(each, CATALOGUE[each].name) for each in MEASURES]

    @property
    def unstaffed(self) -> list[tuple[str, str]]:
        """The roles in deals that nobody filled, with what is nobody's for it."""
        found = self.document.get("unstaffed", {})
        return [(role, f"{grouped(Decimal(found[role]).quantize(Decimal(1)))} {self.document['currency']}")
                for role in sorted(found)]  # fmt: skip

    @property
    def open_objections(self) -> int:
        """How many objections nobody has answered yet; for the team and who leads it."""
        return counted(self.review)["open"] if self.may_comment else 0

    @property
    def offered(self) -> list[tuple[str, str]]:
        """What can be decided on, each with what it is."""
        rows = (self.document["options"] or {"rows": []})["rows"]
        said = {id: text for row in rows for id, text in zip(row["options"], row["descriptions"], strict=True)}
        known = {each.id: each.description for each in self.catalogue.options} if self.catalogue else {}
        return [(each, said.get(each) or known.get(each, "")) for each in self.review.offered]

    @property
    def decided(self) -> str:
        """What was decided, in one line."""
        return listed(list(self.review.decided))

    @property
    def deviates(self) -> bool:
        """Whether something else was decided than is recommended."""
        besides = set(self.document["recommendation"]["besides"])
        return set(self.review.decided) - besides != set(self.review.recommended) - besides


async def sheet_of(snapshot: Snapshot, ref: str, reader: Principal) -> Sheet:
    """The page of a review. Raises NotFound for who may not see it."""
    review = await reviews.for_reader(snapshot, await snapshot.get(Review, ref), ref, reader)
    sight = await sight_of(snapshot, review.team, reader)
    document = as_seen(review.document, sight, reader.member)
    team = await snapshot.recall(TeamFact, review.team)
    named = {**await _names(snapshot, review, sight, reader), review.team: team.name if team else review.team}
    rules = Rules.model_validate(review.rules)
    members = review.document["associations"]["network"]["members"]
    numbers = Reader(review.id, rules, document["currency"], document["baseline"], members < SMALL_TEAM)
    catalogue = await _catalogue(snapshot, review)
    leader = named.get(team.leader) if team and team.leader and sight != "outside" else None
    return Sheet(
        review=review, sight=sight, team=named[review.team], names=named,
        advice=advice_of(document, catalogue, named, leader or "who leads the team", review.made_on),
        matrix=matrix_of(numbers, document["measures"], named),
        graph=await _graph(snapshot, review, document, sight, named),
        catalogue=catalogue, table=table_of(review.id, document, catalogue), weak=weak_of(document, numbers, named),
        contributed=contributed_of(document, numbers, named), pitfalls=PITFALLS,
        accomplished=accomplished_of(document, review.id, named), owned=owned_of(document, review.id),
        comments=voices_of(review) if sight != "outside" else [],
        carried=await carried_out(snapshot, review, await today_of(snapshot)),
        responsible=_responsible(review, named, sight),
        comment_until=after_working_days(review.made_on, COMMENT_DAYS), document=document,
        may_decide=reader.may("reviews:write"), may_comment=sight != "outside",
        judging=await judging_of(snapshot, review, reader),
    )  # fmt: skip


def _responsible(review: Review, named: Mapping[str, str], sight: Sight) -> list[tuple[str, str]]:
    members = review.document["associations"]["network"].get("degrees", ()) if sight != "outside" else ()
    return sorted((named.get(each, each), each) for each in members)


async def _catalogue(snapshot: Snapshot, review: Review) -> Catalogue | None:
    """The options as they were when it was made; none where others have been adopted since."""
    found, _ = await catalogue_of(snapshot)
    return found if found.version == review.catalogue else None


async def _graph(
    snapshot: Snapshot, review: Review, document: Mapping[str, Any], sight: Sight, named: Mapping[str, str]
) -> Graph:
    if is_thin(review.document):
        return Graph(NOTHING, [], [], told_of(document["associations"]["network"], None), False)
    if sight != "outside":
        return graph_of(document, review.id, named)
    people = await snapshot.all(MemberFact, _NAMED, ids=sorted(people_of(review.document)))
    places = {each.id: each.department_on(review.start) or "other" for each in people}
    return by_department(review.document, named[review.team], places, TITLES, document["associations"])


async def _names(snapshot: Snapshot, review: Review, sight: Sight, reader: Principal) -> dict[str, str]:
    """The names of whom the page speaks, for who may know them."""
    departments = await names_of(snapshot, "department", sorted(TITLES), reader)
    teams = review.document["weaknesses"]["W-TGT"]["about"]
    found = departments | await names_of(snapshot, "team", sorted(teams), reader)
    if sight == "outside":
        return found
    said = {each["by"] for each in review.comments} | {review.decided_by, review.responsible}
    said |= {each["answer"]["by"] for each in review.objections if each.get("answer")}
    said |= {each["by"] for each in review.withdrawn}
    team = await snapshot.recall(TeamFact, review.team)
    people = {
        *people_of(review.document),
        *people_in(review.document),
        *filter(None, said),
        *filter(None, [team.leader if team else None]),
    }
    return found | await names_of(snapshot, "member", sorted(people), reader)


def after_working_days(day: date, number: int) -> date:
    """The day so many working days, from Monday to Friday, after one."""
    while number:
        day += timedelta(days=1)
        number -= day.weekday() < 5
    return day
