"""`/v1/pulses/{id}/answers` and `/results`: what somebody answers, and what all answers together say."""

from __future__ import annotations

from decimal import Decimal
from math import sqrt
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.meetings.api.pulses import asked_by, pulses
from services.meetings.domain.pulses import (
    FEWEST_INSIDE,
    FEWEST_OUTSIDE,
    LEAST_RESPONSE,
    SCALES,
    AnsweredSoAlready,
    Pulse,
    enough,
)
from services.meetings.pulse_tokens import PulseAnswer, PulseKey, token_of
from shared.errors import Forbidden
from shared.http.bodies import Body
from shared.http.collection import Reference
from shared.http.documents import described
from shared.http.heard import decided
from shared.http.problems import parse
from shared.http.runtime import runtime_of
from shared.http.writes import as_json
from shared.identity.permissions import Principal, require
from shared.instant import now
from shared.known import KnownTeam, today
from shared.store import Context, Job, Snapshot, Tx

router = APIRouter(tags=["pulses"])
_WRITE, _READ = require("pulses:write"), require("pulses:read")
_Answer = Annotated[int, Field(strict=True)]


class AnswerPulse(Body):
    """By item how much: 1 to 5, of `enps` 0 to 10. What is left out is not counted."""

    answers: dict[str, _Answer] = Field(min_length=1, max_length=20, examples=[{"C1": 4, "T1": 5}])


class Answered(BaseModel):
    """That an answer has been taken."""

    pulse: str
    answered: bool = True


class ResultShown(BaseModel):
    """What all answers to an item, or to all items of a scale, say together."""

    name: str
    n: int
    mean: str
    sd: str = Field(description="of the answers, as those of a sample")
    score100: str = Field(description="(mean - 1) / 4 x 100")


class EnpsShown(BaseModel):
    """How many would recommend us, how many would not, and the difference in points."""

    n: int
    promoters: int
    passives: int
    detractors: int
    enps: str


class ResultsShown(BaseModel):
    """What a pulse has shown; nothing where somebody could be found in it, and why."""

    pulse: str
    shown: bool
    reason: str | None = None
    asked: int | None = None
    answered: int | None = None
    results: list[ResultShown] = []
    enps: EnpsShown | None = None


@router.post(
    "/v1/pulses/{ref}/answers",
    operation_id="answer_pulse",
    openapi_extra=described(_WRITE, AnswerPulse, {200: Answered}, missing=True),
)
async def answer_pulse(request: Request, ref: Reference, principal: Annotated[Principal, Depends(_WRITE)]) -> Response:
    """Answer a pulse without a name; who answers again before it closes replaces what they answered."""
    member = principal.member
    body = parse(AnswerPulse, await request.body())
    if member is None:
        raise Forbidden("Members answer a pulse; this token is none of a member.")

    async def decide(tx: Tx) -> str:
        # Locked, so that nobody answers while it closes; it becomes no other version.
        return await take(tx, await tx.load(Pulse, ref), member, body.answers)

    # Not as other writes are: an Idempotency-Key would keep who sent which body.
    pulse = await decided(runtime_of(request), Job(decide, Context(now())))
    return Response(as_json({"pulse": pulse, "answered": True}), media_type="application/json")


async def take(tx: Tx, pulse: Pulse, member: str, answers: dict[str, int]) -> str:
    """Keep what a member answers, under a token."""
    pulse.judge(answers, today=await today(tx), belongs=member in await asked_by(tx, pulse))
    key = await tx.find(PulseKey, pulse.id)
    assert key is not None, "a pulse that is open has its key"
    token = token_of(key.key, member)
    before = await tx.find(PulseAnswer, pulse.id, token)
    if before is not None and before.answers == answers:
        raise AnsweredSoAlready
    tx.put(PulseAnswer.make(pulse=pulse.id, token=token, answers=answers))
    return pulse.id


@router.get(
    "/v1/pulses/{ref}/results",
    operation_id="results_of_pulse",
    openapi_extra=described(_READ, None, {200: ResultsShown}, missing=True),
)
async def results_of_pulse(
    request: Request, ref: Reference, principal: Annotated[Principal, Depends(_READ)]
) -> Response:
    """What a pulse has shown, once it is closed and if enough have answered."""

    async def query(snapshot: Snapshot) -> dict[str, Any]:
        pulse = await pulses.for_reader(snapshot, await snapshot.get(Pulse, ref), ref, principal)
        return results(pulse, FEWEST_INSIDE if await _inside(snapshot, pulse, principal) else FEWEST_OUTSIDE)

    return Response(as_json(await runtime_of(request).store.read(query)), media_type="application/json")


async def _inside(snapshot: Snapshot, pulse: Pulse, reader: Principal) -> bool:
    """Whether somebody is of those who are asked, or leads them."""
    if reader.member is None:
        return False
    team = await snapshot.recall(KnownTeam, pulse.team) if pulse.team else None
    leads = team is not None and team.leader == reader.member
    return leads or reader.member in await asked_by(snapshot, pulse)


def results(pulse: Pulse, fewest: int) -> dict[str, Any]:
    """What is shown of a pulse to those who must not be told of fewer than so many."""
    found: dict[str, Any] = {"pulse": pulse.id, "shown": False, "reason": None, "asked": None, "answered": None,
                             "results": [], "enps": None}  # fmt: skip
    if pulse.answered is None or pulse.asked is None:
        return found | {"reason": "it can still be answered; what is told of it is told once, when it has closed"}
    found |= {"asked": pulse.asked, "answered": pulse.answered}
    if not enough(pulse.answered, pulse.asked, fewest):
        return found | {"reason": f"{pulse.answered} of {pulse.asked} answered; it is shown from {fewest} answers and"
                        f" {LEAST_RESPONSE} % on"}  # fmt: skip
    shown = [_result(name, sums) for name, sums in pulse.sums.items() if sums["n"] >= fewest]
    return found | {"shown": True, "results": shown, "enps": _enps(pulse.enps) if pulse.enps else None}


def _result(name: str, sums: dict[str, int]) -> dict[str, Any]:
    n, total, squares, items = sums["n"], sums["total"], sums["squares"], len(SCALES.get(name, (name,)))
    mean = Decimal(total) / n / items
    spread = Decimal(squares * n - total * total) / n / (n - 1) / items / items
    return {"name": name, "n": n, "mean": f"{mean:.2f}", "sd": f"{sqrt(spread):.2f}",
            "score100": f"{(mean - 1) / 4 * 100:.1f}"}  # fmt: skip


def _enps(counts: dict[str, int]) -> dict[str, Any]:
    n = sum(counts.values())
    return {"n": n, **counts, "enps": f"{Decimal(counts['promoters'] - counts['detractors']) / n * 100:.1f}"}
