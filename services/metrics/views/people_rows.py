"""What the figures about people are made of: trainings, openings, equipment and those who wait for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from services.metrics.facts.pulses import PulseFact
from services.metrics.facts.support import DutyFact, RecognitionFact, ReputationFact
from services.metrics.facts.trainings import TrainingFact
from services.metrics.facts.workplace import EquipmentFact, OnboardingFact, OpeningFact
from services.metrics.views.frame import Reading
from services.metrics.views.people import here_at_the_end
from services.metrics.views.row_source import Conditions, Source, simple
from services.metrics.views.support import overdue_duties
from services.metrics.views.values import decimal
from services.metrics.views.workplace import waiting_before, with_leavers
from shared.money import Money

_training = TrainingFact.__table__.c  # type: ignore[attr-defined]
_opening = OpeningFact.__table__.c  # type: ignore[attr-defined]
_onboarding = OnboardingFact.__table__.c  # type: ignore[attr-defined]
_opinion = ReputationFact.__table__.c  # type: ignore[attr-defined]
_duty = DutyFact.__table__.c  # type: ignore[attr-defined]
_pulse = PulseFact.__table__.c  # type: ignore[attr-defined]
_piece = EquipmentFact.__table__.c  # type: ignore[attr-defined]


def between(column: Any, **by: sa.ColumnElement[Any]) -> Conditions:
    """Facts whose day lies in the period, of what is asked about as far as they know it."""

    async def conditions(reading: Reading) -> list[sa.ColumnElement[bool]]:
        span = reading.question.span
        chosen = [column >= span.start, column < span.end]
        return chosen + [by[dim] == key for dim, key in reading.filters.items() if dim in by]

    return conditions


async def _of_those_here(reading: Reading) -> list[sa.ColumnElement[bool]]:
    """The trainings that those who work here at the end have completed by then."""
    here = [each.id for each in await here_at_the_end(reading)]
    return [_training.completed_on < reading.question.span.asked, _training.member.in_(here)]


def _among(model: Any, days: Any) -> Conditions:
    """Facts of which something holds by the days that are written in them: `days(fact, start, end, asked)`."""

    async def conditions(reading: Reading) -> list[sa.ColumnElement[bool]]:
        span = reading.question.span
        first, end, asked = (day.isoformat() for day in (span.start, span.end, span.asked))
        found = await reading.snapshot.all(model, sa.select(model))
        return [model.__table__.c.id.in_([each.id for each in found if days(each, reading, first, end, asked)])]

    return conditions


def _is_of(reading: Reading, department: str, team: str | None) -> bool:
    return reading.filters.get("department", department) == department and reading.filters.get("team", team) == team


def _filled(opening: OpeningFact, reading: Reading, first: str, end: str, asked: str) -> bool:
    times = (each["on"] for each in opening.ends if each["how"] == "filled")
    return _is_of(reading, opening.department, opening.team) and any(first <= on < end for on in times)


def _sought(opening: OpeningFact, reading: Reading, first: str, end: str, asked: str) -> bool:
    if opening.requested_on is None or not _is_of(reading, opening.department, opening.team):
        return False
    begun = [opening.requested_on.isoformat(), *opening.reopenings]
    ended: list[str] = [each["on"] for each in opening.ends]
    return sum(on < asked for on in begun) > sum(on < asked for on in ended)


def _out(piece: EquipmentFact, reading: Reading, first: str, end: str, asked: str) -> bool:
    out = piece.out_before(reading.question.span.asked)
    return out is not None and _is_of(reading, out["department"], out["team"])


async def _to_return(reading: Reading) -> list[sa.ColumnElement[bool]]:
    return [_piece.id.in_([each.id for each in await with_leavers(reading)])]


async def _waiting(reading: Reading) -> list[sa.ColumnElement[bool]]:
    here = [each.id for each in await here_at_the_end(reading)]
    return [*waiting_before(reading.question.span.asked), _onboarding.member.in_(here)]


async def _overdue(reading: Reading) -> list[sa.ColumnElement[bool]]:
    return [_duty.id.in_([each.id for each in await overdue_duties(reading)])]


def _to_do(duty: DutyFact, reading: Reading, first: str, end: str, asked: str) -> bool:
    return _is_of(reading, duty.department, duty.team) and duty.to_do_before(reading.question.span.asked)


def _done(duty: DutyFact, reading: Reading, first: str, end: str, asked: str) -> bool:
    times = [str(each["on"]) for each in duty.done if each["on_time"] is not None]
    return _is_of(reading, duty.department, duty.team) and any(first <= on < end for on in times)


def _thanked(thanks: RecognitionFact, reading: Reading, first: str, end: str, asked: str) -> bool:
    if thanks.withdrawn or thanks.given_on is None or not first <= thanks.given_on.isoformat() < end:
        return False
    return any(_is_of(reading, each["department"], each["team"]) for each in thanks.to)


async def _said(reading: Reading) -> list[sa.ColumnElement[bool]]:
    said = sa.or_(_opinion.score.is_not(None), _opinion.sort == "complaint")
    return [sa.not_(_opinion.withdrawn), said, *await between(_opinion.heard_on, customer=_opinion.customer)(reading)]


async def _scored(reading: Reading, opinions: Sequence[ReputationFact]) -> Sequence[Mapping[str, Any]]:
    """The score of each, of 5, and whether it is a rating or a complaint."""
    return [
        {
            "score": None if each.score is None else decimal(Decimal(each.score) / 100, 2),
            "part": {"ratings": int(each.score is not None), "complaints": int(each.sort == "complaint")},
        }
        for each in opinions
    ]


async def _polled(reading: Reading) -> list[sa.ColumnElement[bool]]:
    closed = between(_pulse.closed_on, department=_pulse.department, team=_pulse.team)
    return [_pulse.promoters.is_not(None), *await closed(reading)]


def _show_training(training: TrainingFact) -> dict[str, Any]:
    cost = Money.of_minor(training.cost, training.currency).as_json() if training.currency else None
    return simple("training", "member", "course", "assigned_on", "completed_on", "borne_by")(training) | {"cost": cost}


_show_duty = simple("duty", "member", "group", "goal", "assigned_on", "due", "accepted_on")
_show_opening = simple("opening", "department", "team", "requested_on", "needed_on", "filled_by", "ended_on")
PEOPLE_ROWS: Mapping[str, Source] = {
    "trainings_assigned": Source(
        TrainingFact, between(_training.assigned_on, department=_training.department, team=_training.team),
        _show_training,
    ),
    "trainings_completed": Source(
        TrainingFact, between(_training.completed_on, department=_training.borne_by, team=_training.team),
        _show_training,
    ),
    "trained": Source(TrainingFact, _of_those_here, _show_training),
    "openings_open": Source(OpeningFact, _among(OpeningFact, _sought), _show_opening),
    "openings_filled": Source(OpeningFact, _among(OpeningFact, _filled), _show_opening),
    "equipment_out": Source(EquipmentFact, _among(EquipmentFact, _out),
                            simple("equipment", "sort", "holder", "issued_on")),
    "equipment_to_return": Source(EquipmentFact, _to_return, simple("equipment", "sort", "holder", "issued_on")),
    "duties_open": Source(DutyFact, _among(DutyFact, _to_do), _show_duty),
    "duties_overdue": Source(DutyFact, _overdue, _show_duty),
    "duties_done": Source(DutyFact, _among(DutyFact, _done), _show_duty),
    "recognitions": Source(RecognitionFact, _among(RecognitionFact, _thanked),
                           simple("recognition", "given_on", "given_by", "to", "done")),
    "reputation": Source(ReputationFact, _said, simple("reputation", "sort", "source", "heard_on", "customer"),
                         counted=_scored),
    "pulses": Source(PulseFact, _polled, simple("pulse", "level", "team", "department", "closed_on", "asked",
                                                "answered", "promoters", "passives", "detractors")),
    "joiners_waiting": Source(OnboardingFact, _waiting, simple("onboarding", "member", "starts_on", "equipped_on")),
}  # fmt: skip
