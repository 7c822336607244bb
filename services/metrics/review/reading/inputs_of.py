"""All inputs of a review."""

from __future__ import annotations

from typing import Any

from services.metrics.facts.teams import TeamFact
from services.metrics.review.inputs import Before, Inputs
from services.metrics.review.reading import results, talks, work
from services.metrics.review.reading.accomplished import accomplishments_of, owned_of
from services.metrics.review.reading.belonging import Belonging, belonging_of, partners_of
from services.metrics.review.reading.goals import goals_of
from services.metrics.review.reading.peers import peers_of
from services.metrics.review.reading.region import near
from services.metrics.review.reading.setbacks import activities_of, setbacks_of
from services.metrics.review.reading.surveys import asked_of, recommended_in, surveys_of
from services.metrics.review.thresholds import Rules
from services.metrics.views.frame import Reading
from services.metrics.views.goals import goals_and_targets
from services.metrics.views.question import Question
from shared.store import Snapshot


async def inputs_of(snapshot: Snapshot, team: TeamFact, question: Question, rules: Rules, before: Before) -> Inputs:
    """What a team did in a period, so far as it is over, and what earlier reviews found."""
    period, end, currency = question.period, question.span.asked, question.currency
    whose = await belonging_of(snapshot, team, period)
    found = await _talks(snapshot, whose, question)
    known = whose.members()
    others = _spoken_of(found) - set(whose.ids)
    reading = Reading(snapshot, question)
    aims = await goals_and_targets(reading, whose.team.id)
    return Inputs(
        team=team.id, department=team.department, start=period.start, end=period.end, asked=end, leader=team.leader,
        currency=currency, members=known, partners=await partners_of(snapshot, others, period), **found,
        duties=await work.duties_of(snapshot, whose, end),
        trainings=await work.trainings_of(snapshot, whose, end, rules.training),
        training_cost=await work.training_cost_of(snapshot, whose, end, currency),
        surveys=await surveys_of(snapshot, whose, end), peers=await peers_of(snapshot, whose, end),
        asked_of=await asked_of(snapshot, period.start, end), recommended=await recommended_in(snapshot, whose, end),
        answers=await work.answers_of(snapshot, whose, end),
        deals=await results.deals_of(snapshot, whose, end, currency),
        quotas=await results.quotas_of(reading, whose, currency, rules.results.market),
        organisation=await near(snapshot, team, await results.organisation_of(reading, end, currency)),
        goals=await goals_of(aims, whose), owned=await owned_of(aims, whose),
        accomplishments=await accomplishments_of(snapshot, whose, end),
        pull=await results.pull_of(reading, team.id, currency),
        setbacks=await setbacks_of(snapshot, whose, end), activities=await activities_of(snapshot, whose, end),
        opened=await results.opened_of(snapshot, whose, end),
        leavers=whose.leavers(), before=before,
    )  # fmt: skip


async def _talks(snapshot: Snapshot, team: Belonging, question: Question) -> dict[str, Any]:
    end = question.span.asked
    return {
        "meetings": await talks.meetings_of(snapshot, team, end),
        "items": await talks.items_of(snapshot, team, end),
        "actions": await talks.actions_of(snapshot, team, end),
        "requests": await talks.requests_of(snapshot, team, end),
        "check_ins": await talks.check_ins_of(snapshot, team, end),
    }


def _spoken_of(found: dict[str, Any]) -> set[str]:
    """Everybody who is named in what was read."""
    named: set[str | None] = set()
    for things in found.values():
        for each in things:
            for field in ("raised_by", "owner", "from_member", "to_member", "giver", "receiver"):
                named.add(getattr(each, field, None))
            for field in ("attended", "resolved_by", "helpers"):
                named.update(getattr(each, field, ()))
    return {each for each in named if each is not None}
