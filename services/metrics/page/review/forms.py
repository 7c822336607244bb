"""The forms of a review: holding one, deciding on it and taking that back, saying something of it and answering, and
how the effect will be judged. They do what the API does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields
from typing import Any

from fastapi import Request
from pydantic_core import to_json
from starlette.datastructures import FormData

from services.metrics.api.review_opening import SayOfReview, said_of
from services.metrics.api.review_plans import PlanVerification
from services.metrics.api.review_verification import plan_verification
from services.metrics.api.review_withdrawing import (
    AnswerObjection,
    WithdrawDecision,
    answer_objection,
    withdraw_decision,
)
from services.metrics.api.reviews import Decide, HoldReview, decide_on_review, hold_review, reviews
from services.metrics.domain.reviews import Review
from services.metrics.page.answers import HEADERS
from shared.http.problems import parse
from shared.http.writes import Answer, write
from shared.identity.permissions import Principal, forbidden
from shared.store import Tx

SEVERAL = ("options", "comparisons", "pooled")
"""What can be ticked more than once."""
Done = Callable[[Tx, Review], Awaitable[Review]]


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody has typed, so that a refusal does not take it from them."""

    how: str = ""
    options: tuple[str, ...] = ()
    reason: str = ""
    responsible: str = ""
    starts_on: str = ""
    text: str = ""
    kind: str = "comment"
    objection: str = ""
    changed: str = ""
    measure: str = ""
    weeks: str = "13"
    smallest_worthwhile: str = "8"
    comparisons: tuple[str, ...] = ()
    pooled: tuple[str, ...] = ()
    part: str = "decision"
    """The part of the page it was typed in, where a refusal is said."""

    @classmethod
    def of(cls, form: FormData, part: str = "decision") -> Typed:
        """What a form was sent with."""
        several = {name: tuple(str(each) for each in form.getlist(name)) for name in SEVERAL}
        words = {each.name: _word(form, each.name) for each in fields(cls) if each.name in form and each.type == "str"}
        return cls(**several, **(words | {"part": part}))  # type: ignore[arg-type]


async def held(request: Request, principal: Principal) -> str:
    """Hold a review; answers with its address."""
    _refuse_unless_deciding(principal)
    form = await request.form()
    body = parse(HoldReview, to_json({"team": _word(form, "team"), "period": _word(form, "period")}))

    async def hold(tx: Tx) -> Answer:
        return _leads_to((await hold_review(tx, body)).id)

    return (await write(request, principal, hold)).headers["location"]


async def decided(request: Request, ref: str, typed: Typed, principal: Principal) -> None:
    """Decide as a form says: what is recommended, something else of what is offered, or nothing."""
    _refuse_unless_deciding(principal)

    async def decide(tx: Tx, review: Review) -> Review:
        besides = set(review.document["recommendation"]["besides"]) & set(typed.options)
        chosen = {
            "accept": [*review.recommended, *besides],
            "reject": ["O0"],
        }.get(typed.how, list(typed.options))
        said = {"reason": typed.reason.strip(), "responsible": typed.responsible, "starts_on": typed.starts_on}
        given = {name: value for name, value in said.items() if value}
        body = parse(Decide, to_json({"options": sorted(set(chosen)), **given}))
        changed: Review = await decide_on_review(tx, review, body)
        return changed

    await _changed(request, ref, principal, decide)


async def said(request: Request, ref: str, typed: Typed, about: str | None, principal: Principal) -> None:
    """Say something of a review, or object to one of its numbers."""
    body = parse(SayOfReview, to_json({"text": typed.text.strip(), "kind": typed.kind, "about": about}))

    async def say(tx: Tx, review: Review) -> Review:
        return await said_of(tx, review, body, principal)

    await _changed(request, ref, principal, say)


async def withdrawn(request: Request, ref: str, typed: Typed, principal: Principal) -> None:
    """Take back what was decided, with a reason."""
    _refuse_unless_deciding(principal)
    body = parse(WithdrawDecision, to_json({"reason": typed.reason.strip()}))
    await _changed(request, ref, principal, lambda tx, review: withdraw_decision(tx, review, body))


async def answered(request: Request, ref: str, typed: Typed, principal: Principal) -> None:
    """Answer an objection."""
    _refuse_unless_deciding(principal)
    said = {"objection": _number(typed.objection), "text": typed.text.strip(), "changed": typed.changed == "yes"}
    body = parse(AnswerObjection, to_json(said))
    await _changed(request, ref, principal, lambda tx, review: answer_objection(tx, review, body))


async def planned(request: Request, ref: str, typed: Typed, principal: Principal) -> None:
    """Fix how the effect of what was decided will be judged."""
    _refuse_unless_deciding(principal)
    said = {
        "starts_on": typed.starts_on, "measure": typed.measure, "weeks": _number(typed.weeks),
        "smallest_worthwhile": _number(typed.smallest_worthwhile), "comparisons": list(typed.comparisons),
        "pooled": list(typed.pooled),
    }  # fmt: skip
    body = parse(PlanVerification, to_json(said))
    await _changed(request, ref, principal, lambda tx, review: plan_verification(tx, review, body))


def _refuse_unless_deciding(principal: Principal) -> None:
    if not principal.may("reviews:write"):
        raise forbidden("reviews:write")


def _number(text: str) -> float | int | str:
    """A number as it was typed; what is none is refused as it stands."""
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


async def _changed(request: Request, ref: str, principal: Principal, change: Done) -> None:
    async def decide(tx: Tx) -> Answer:
        review = await change(tx, await reviews.loaded(tx, ref, principal))
        return _leads_to(review.id)

    await write(request, principal, decide)


def _leads_to(ref: str) -> Answer:
    return Answer(303, b"", {**HEADERS, "Location": f"/reviews/{ref}"})


def _word(form: FormData, name: str) -> str:
    value: Any = form.get(name, "")
    return value if isinstance(value, str) else ""
