"""`/v1/reviews`: reviewing a team's work in a period, deciding what is done, and opening every number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, Field, create_model

from services.metrics.api.carrying_out import carried_out, spent_on
from services.metrics.api.carrying_out import shown as as_shown
from services.metrics.api.charters import charter_of
from services.metrics.api.learnt import catalogue_of, told
from services.metrics.api.review_plans import Judging, plan_of
from services.metrics.domain.charters import refuse_unless_whole
from services.metrics.domain.review_refusals import NobodySeesToIt
from services.metrics.domain.reviews import Review
from services.metrics.facts.teams import MemberFact, TeamFact
from services.metrics.review.association import anybody
from services.metrics.review.catalogue import MEASURES, defined
from services.metrics.review.diagnosis import Diagnosis
from services.metrics.review.reading.before import before_of, lines_moved, newest_of, rules_of
from services.metrics.review.reading.belonging import belonging_of
from services.metrics.review.reading.inputs_of import inputs_of
from services.metrics.review.seen import Sight, as_seen
from services.metrics.review.snapshot import Snapshot as Taken
from services.metrics.review.snapshot import take
from services.metrics.review.steps import NEED_SOMEBODY, steps_of
from services.metrics.views.question import Question
from services.metrics.views.shown import question_of, today_of
from shared.asked_period import AskedPeriod
from shared.errors import Refused
from shared.http.bodies import Body, Named, Ref, Text, shown
from shared.http.collection import Collection, fresh
from shared.identity.permissions import Principal
from shared.identity.scopes import ADMIN
from shared.instant import Day
from shared.known import known
from shared.period import Period
from shared.store import Snapshot, Tx

_review = Review.__table__.c  # type: ignore[attr-defined]
_DEPARTMENT = anybody("")


class NotBegun(Refused):
    """A period that begins on {start} cannot be reviewed on {today}."""

    status, at = 422, "/period"


class Days(BaseModel):
    """The days that were reviewed; the last is not one of them."""

    label: str
    start: Day = Field(alias="from")
    end: Day = Field(alias="to")


_Shown = create_model(
    "_Shown",
    period=(Days, ...),
    comments=(
        list[dict[str, Any]],
        Field(
            description="for the team and who leads it; an objection has its number, its state (open or answered) and,"
            " once somebody who decides has given one, the answer and whether it changed the review"
        ),
    ),
    objections=(dict[str, int] | None, Field(description="how many are open and answered; for the team")),
    withdrawn=(list[dict[str, Any]], Field(description="decisions that were taken back, with their reasons")),
    document=(dict[str, Any], Field(description="what was found; of members only what is for who reads it")),
    definitions=(
        dict[str, Any],
        Field(
            description="by the id of a measure its name, cell, unit, definition, formula, guard, and from how many"
            " cases on there is a number"
        ),
    ),
    carried_out=(dict[str, Any], Field(description="of what was decided: planned by today against done, by step")),
    spent=(
        dict[str, Any] | None,
        Field(description="hours in its meetings and the cost of its trainings so far, against what its options said"),
    ),
)


async def sight_of(snapshot: Snapshot, team: str, reader: Principal | None) -> Sight:
    """How much of a team somebody sees: its leader and an administrator all, a member of it the team, others less."""
    if reader is None or reader.may(ADMIN):
        return "whole"
    found = await snapshot.recall(TeamFact, team)
    if reader.member is None or found is None:
        return "outside"
    if found.leader == reader.member:
        return "whole"
    return "team" if team in await _teams_of(snapshot, reader.member) else "outside"


async def readable(snapshot: Snapshot, reader: Principal) -> sa.ColumnElement[bool] | None:
    """Reviews are for who leads or is in the team, for managers, and for tools that may read reviews."""
    if reader.member is None or reader.may("reviews:write"):
        return None
    mine: sa.ColumnElement[bool] = _review.team.in_(sorted(await _teams_of(snapshot, reader.member)))
    return mine


async def _teams_of(snapshot: Snapshot, member: str) -> set[str]:
    found = await snapshot.recall(MemberFact, member)
    return {str(each["of"]) for each in found.memberships if each["to"] is None} if found else set()


async def present(snapshot: Snapshot, found: Sequence[Review], reader: Principal | None) -> list[dict[str, Any]]:
    """Reviews, with what of them is for who reads."""
    return [await _for(snapshot, each, reader) for each in found]


async def _for(snapshot: Snapshot, review: Review, reader: Principal | None) -> dict[str, Any]:
    sight = await sight_of(snapshot, review.team, reader)
    period = {"label": review.label, "from": review.start, "to": review.end}
    document = as_seen(review.document, sight, reader.member if reader else None)
    inside = sight != "outside"
    today = await today_of(snapshot)
    done = as_shown(await carried_out(snapshot, review, today))
    return shown(review) | {
        "period": period, "document": document, "carried_out": done,
        "spent": await spent_on(snapshot, review, today), "withdrawn": review.withdrawn,
        "definitions": {name: defined(each, review.rules["least"]) for name, each in sorted(MEASURES.items())},
        "comments": voices_of(review) if inside else [], "objections": counted(review) if inside else None,
    }  # fmt: skip


def voices_of(review: Review) -> list[dict[str, Any]]:
    """What was said of a review, oldest first; of objections their number and whether they are answered."""
    found, number = [], 0
    for each in review.comments:
        if each.get("kind") == "objection":
            number += 1
            state = "answered" if each.get("answer") else "open"
            found.append({**each, "number": number, "state": state, "answer": each.get("answer")})
        else:
            found.append(each)
    return found


def counted(review: Review) -> dict[str, int]:
    """How many objections are open, and how many are answered."""
    answered = sum(each.get("answer") is not None for each in review.objections)
    return {"open": len(review.objections) - answered, "answered": answered}


reviews = Collection(
    Review, "reviews", filters={"team": "team"}, refs={"team": TeamFact}, present=present, extra=_Shown,
    readable=readable,
)  # fmt: skip


class HoldReview(Named):
    """Whose work is reviewed, of which period."""

    team: Ref
    period: AskedPeriod


class Decide(Body):
    """What is done; why, if that is not what is recommended."""

    options: list[str] = Field(min_length=1, max_length=5, examples=[["O1b", "O3"]])
    reason: Text | None = None
    on: Day | None = None
    starts_on: Day | None = Field(default=None, description="from when on it is carried out; at once, if not said")
    responsible: Ref | None = Field(default=None, description="who sees to it; who leads the team, if not said")
    verification: Judging | None = Field(default=None, description="how the effect will be judged, fixed with it")


@reviews.create
async def hold_review(tx: Tx, body: HoldReview) -> Review:
    """Review a team's work in a period, if reviews are switched on. What is as it was gives no new revision."""
    refuse_unless_whole(await charter_of(tx))
    team: TeamFact = await known(tx, TeamFact, body.team, "/team")
    question = await question_of(tx, body.period, {})
    if question.period.start > question.today:
        raise NotBegun(start=question.period.start, today=question.today)
    taken = await taken_of(tx, team, question)
    last = await newest_of(tx, team.id, question.period.start, question.period.end)
    if last is not None and last.result_hash == taken.hash and not fresh(Review, body).get("externals"):
        return last
    return await _kept(tx, body, team, question, taken, last)


async def taken_of(snapshot: Snapshot, team: TeamFact, question: Question) -> Taken:
    """The review of a team and a period as it would be now."""
    rules, (catalogue, known_of) = await rules_of(snapshot), await catalogue_of(snapshot)
    before = await before_of(snapshot, team.id, question.period.start)
    learned: dict[str, dict[str, Any]] = {}
    for (option, measure), each in sorted(known_of.items()):
        learned.setdefault(option, {})[measure] = told(each)
    return take(await inputs_of(snapshot, team, question, rules, before), rules, catalogue, learned)


async def _kept(
    tx: Tx, body: HoldReview, team: TeamFact, question: Question, taken: Taken, last: Review | None
) -> Review:
    period: Period = question.period
    pairs = [list(each.pair) for each in taken.finding.uncovered()]
    held = Review.hold(
        team=team.id, department=team.department, start=period.start, end=period.end, label=period.label,
        revision=last.revision + 1 if last else 1, rule_set=taken.finding.rules.version,
        catalogue=taken.document["catalogue"], inputs_hash=taken.inputs_hash, result_hash=taken.hash,
        made_by=tx.context.member, made_on=question.today, document=dict(taken.document), pairs=pairs,
        evidence={path: list(sources) for path, sources in taken.evidence.items()},
        rules=taken.finding.rules.model_dump(mode="json"), states=_states(taken.diagnosis),
        lines_moved=await lines_moved(tx, taken.finding.rules, period.start), **fresh(Review, body),
    )  # fmt: skip
    review = tx.save(*held)
    if last is not None:
        older = await tx.load(Review, last.id)
        tx.save(older, older.give_way(review.id))
    return review


def _states(diagnosis: Diagnosis) -> dict[str, str]:
    return {code: each.state for code, each in diagnosis.weaknesses.items()}


@reviews.verb("decide")
async def decide_on_review(tx: Tx, review: Review, body: Decide) -> Review:
    """Decide what is done about what a review found; whoever decides otherwise than it recommends says why."""
    return await decided(tx, review, body)


async def decided(tx: Tx, review: Review, body: Decide, lot: dict[str, Any] | None = None) -> Review:
    """What is decided, and how its effect will be judged; perhaps with a start that was drawn by lot."""
    review.refuse_to_decide(body.options)
    today = await today_of(tx, tx.now)
    on, judging = body.on or today, body.verification
    decided = review.decide(
        body.options, body.reason, on=on, by=tx.context.member, starts_on=body.starts_on,
        weeks=judging.weeks if judging else 13, **await _carrying_out(tx, review, body, on),
    )  # fmt: skip
    tx.save(review, decided)
    if judging is None:
        return review
    starts_on = review.starts_on or on
    plan = await plan_of(tx, review, body.options, judging, starts_on, lot)
    return tx.save(review, review.freeze(plan, starts_on=starts_on, weeks=judging.weeks, planned_on=today))


async def _carrying_out(tx: Tx, review: Review, body: Decide, on: date) -> dict[str, Any]:
    """By which steps it is carried out, with whom, and who sees to it."""
    team = await tx.recall(TeamFact, review.team)
    assert team is not None
    catalogue, _ = await catalogue_of(tx)
    chosen = [each for each in catalogue.options if each.id in body.options]
    steps = steps_of(chosen, review.document, review.pairs, review.rules["training"]["courses"])
    named = (await known(tx, MemberFact, body.responsible, "/responsible")).id if body.responsible else None
    responsible = named or team.leader or tx.context.member
    if responsible is None and any(each.what in NEED_SOMEBODY for each in steps):
        raise NobodySeesToIt(options="+".join(sorted(body.options)))
    members = sorted((await belonging_of(tx, team, Period(review.label, review.start, review.end))).on(on))
    departments = await _others(tx, review, on) if steps else []
    return {"steps": steps, "responsible": responsible, "members": members, "departments": departments}


async def _others(tx: Tx, review: Review, on: date) -> list[str]:
    """The other departments to which ties are missing, or that answer late."""
    found = set(review.document["weaknesses"]["W-DEP"]["about"])
    for who in {str(each) for pair in review.pairs for each in pair}:
        if who.startswith(_DEPARTMENT):
            found.add(who.removeprefix(_DEPARTMENT))
        else:
            member = await tx.recall(MemberFact, who)
            found.add(member.department_on(on) if member else None)
    return sorted(each for each in found if each and each != review.department)
