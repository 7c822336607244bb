"""The pages of reviews and scorecards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.metrics.page.answers import HEADERS, frame, page
from services.metrics.page.entry import shown_to_visitor
from services.metrics.page.review import forms
from services.metrics.page.review.cards import card, own_team
from services.metrics.page.review.charter_form import settled, typed_of
from services.metrics.page.review.forms import Typed
from services.metrics.page.review.listing import listing
from services.metrics.page.review.opening import opening
from services.metrics.page.review.sheet import sheet_of
from services.metrics.page.review.whole import everybody_of
from shared.errors import Forbidden, Problem, Unauthenticated
from shared.http.runtime import runtime_of
from shared.identity.permissions import PUBLIC, Principal, forbidden

router = APIRouter(include_in_schema=False)
Do = Callable[[Request, str, Typed, Principal], Awaitable[None]]


@router.get("/reviews", openapi_extra=PUBLIC)
async def read_reviews(request: Request) -> Response:
    """All reviews there are for a reader."""
    return await shown_to_visitor(request, lambda principal: _listed(request, principal))


@router.post("/reviews", openapi_extra=PUBLIC)
async def hold_a_review(request: Request) -> Response:
    """Hold a review, and go to it; a refusal is said above the form."""

    async def show(principal: Principal) -> Response:
        try:
            return RedirectResponse(await forms.held(request, principal), 303, dict(HEADERS))
        except Problem as refusal:
            return await _listed(request, principal, _mine(refusal))

    return await shown_to_visitor(request, show)


@router.post("/reviews/grounds", openapi_extra=PUBLIC)
async def settle_grounds(request: Request) -> Response:
    """Settle on which grounds teams are reviewed; a refusal is said above the form, which keeps what was typed."""

    async def show(principal: Principal) -> Response:
        typed = await typed_of(request)
        try:
            await settled(request, typed, principal)
        except Problem as refusal:
            return await _listed(request, principal, _mine(refusal), typed)
        return RedirectResponse("/reviews#grounds-title", 303, dict(HEADERS))

    return await shown_to_visitor(request, show)


@router.get("/reviews/{ref}", openapi_extra=PUBLIC)
async def read_review(request: Request, ref: str) -> Response:
    """A review to read, print and decide on."""
    return await shown_to_visitor(request, lambda principal: _sheet(request, ref, principal))


@router.post("/reviews/{ref}/decide", openapi_extra=PUBLIC)
async def decide(request: Request, ref: str) -> Response:
    """Decide on a review; a refusal is said above the form, which keeps what was typed."""
    return await _done(request, ref, forms.decided, "decision")


@router.post("/reviews/{ref}/withdraw", openapi_extra=PUBLIC)
async def withdraw(request: Request, ref: str) -> Response:
    """Take back what was decided; a refusal is said above the form."""
    return await _done(request, ref, forms.withdrawn, "decision")


@router.post("/reviews/{ref}/verification", openapi_extra=PUBLIC)
async def plan(request: Request, ref: str) -> Response:
    """Fix how the effect is judged; a refusal is said above the form, which keeps what was typed."""
    return await _done(request, ref, forms.planned, "plan")


@router.post("/reviews/{ref}/answer", openapi_extra=PUBLIC)
async def answer(request: Request, ref: str) -> Response:
    """Answer an objection; a refusal is said above the comments."""
    return await _done(request, ref, forms.answered, "said")


@router.post("/reviews/{ref}/comments", openapi_extra=PUBLIC)
async def say(request: Request, ref: str) -> Response:
    """Comment on a review, or object to it or to one of its numbers."""

    async def show(principal: Principal) -> Response:
        form = await request.form()
        typed, about = Typed.of(form, "said"), form.get("about")
        try:
            await forms.said(request, ref, typed, about if isinstance(about, str) and about else None, principal)
        except Problem as refusal:
            return await _sheet(request, ref, principal, typed, _mine(refusal))
        return _back(ref, "said")

    return await shown_to_visitor(request, show)


@router.get("/reviews/{ref}/explain", openapi_extra=PUBLIC)
async def open_number(request: Request, ref: str, path: Annotated[str, Query()]) -> Response:
    """What a number of a review means, and what it is made of."""

    async def show(principal: Principal) -> Response:
        _refuse_stranger(principal, "reviews:read")
        found = await runtime_of(request).store.read(lambda snapshot: opening(snapshot, ref, path, principal))
        return page("review_number.html", **frame(request, principal, "reviews"), **found)

    return await shown_to_visitor(request, show)


@router.get("/associations", openapi_extra=PUBLIC)
async def read_organisation(request: Request) -> Response:
    """How the whole organisation works together, for who may hold reviews."""

    async def show(principal: Principal) -> Response:
        _refuse_stranger(principal, "reviews:write")
        return page("organisation.html", **frame(request, principal, "reviews"),
                    it=await everybody_of(request, principal))  # fmt: skip

    return await shown_to_visitor(request, show)


@router.get("/scorecards", openapi_extra=PUBLIC)
async def read_own_scorecard(request: Request) -> Response:
    """The way to one's own scorecard."""

    async def show(principal: Principal) -> Response:
        _refuse_stranger(principal, "scorecards:read")
        return RedirectResponse(await own_team(request, principal), 303, dict(HEADERS))

    return await shown_to_visitor(request, show)


@router.get("/scorecards/members/{ref}", openapi_extra=PUBLIC)
async def read_member_card(request: Request, ref: str) -> Response:
    """The scorecard of a member, for the member and who leads their team."""
    return await shown_to_visitor(request, lambda principal: _card(request, "members", ref, principal))


@router.get("/scorecards/teams/{ref}", openapi_extra=PUBLIC)
async def read_team_card(request: Request, ref: str) -> Response:
    """The scorecard of a team."""
    return await shown_to_visitor(request, lambda principal: _card(request, "teams", ref, principal))


async def _done(request: Request, ref: str, do: Do, part: str) -> Response:
    """Do what a form of a review says, and go back to that part of its page."""

    async def show(principal: Principal) -> Response:
        typed = Typed.of(await request.form(), part)
        try:
            await do(request, ref, typed, principal)
        except Problem as refusal:
            return await _sheet(request, ref, principal, typed, _mine(refusal))
        return _back(ref, part)

    return await shown_to_visitor(request, show)


async def _listed(
    request: Request, principal: Principal, refusal: Problem | None = None, typed: dict[str, str] | None = None
) -> Response:
    _refuse_stranger(principal, "reviews:read")
    found = await runtime_of(request).store.read(lambda snapshot: listing(snapshot, principal))
    status = refusal.status if refusal else 200
    return page("reviews.html", status, **frame(request, principal, "reviews"), **found, refusal=refusal, typed=typed)


async def _sheet(
    request: Request, ref: str, principal: Principal, typed: Typed | None = None, refusal: Problem | None = None
) -> Response:
    _refuse_stranger(principal, "reviews:read")
    found = await runtime_of(request).store.read(lambda snapshot: sheet_of(snapshot, ref, principal))
    status = refusal.status if refusal else 200
    context = {"it": found, "typed": typed or Typed(), "refusal": refusal}
    return page("review.html", status, **frame(request, principal, "reviews"), **context)


async def _card(request: Request, kind: str, ref: str, principal: Principal) -> Response:
    _refuse_stranger(principal, "scorecards:read")
    found = await card(request, kind, ref, principal)
    return page("scorecard.html", **frame(request, principal, "scorecards"), it=found)


def _refuse_stranger(principal: Principal, scope: str) -> None:
    if not principal.may(scope):
        raise forbidden(scope)


def _mine(refusal: Problem) -> Problem:
    """A refusal that is said on the page; who may not do this at all, or finds nothing, is told as everywhere."""
    if isinstance(refusal, Forbidden | Unauthenticated) or refusal.status == 404:
        raise refusal
    return refusal


def _back(ref: str, part: str) -> Response:
    return RedirectResponse(f"/reviews/{ref}#{part}", 303, dict(HEADERS))
