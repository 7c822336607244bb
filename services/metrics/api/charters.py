"""`/v1/review-charters`: what reviews are for and that those concerned know; the last one drawn up is in force."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from pydantic import Field, create_model

from services.metrics.domain.charters import PARTS, ReviewCharter
from services.metrics.views.shown import house_of
from shared.http.bodies import Name, Named, Text, shown
from shared.http.collection import Collection, fresh
from shared.identity.permissions import Principal
from shared.instant import Day, day_of
from shared.store import Snapshot, Tx
from shared.store.types import text_of

_charter = ReviewCharter.__table__.c  # type: ignore[attr-defined]
_LAST = sa.select(ReviewCharter).order_by(_charter.drawn_up_at.desc(), _charter.id.desc()).limit(1)
_Missing = create_model("_Missing", missing=(list[str], Field(description="the parts that are not settled yet")))


async def present(
    snapshot: Snapshot, things: Sequence[ReviewCharter], reader: Principal | None
) -> list[dict[str, Any]]:
    """Charters with what they lack."""
    return [shown(each) | {"missing": each.missing} for each in things]


charters = Collection(ReviewCharter, "review-charters", present=present, extra=_Missing)


class DrawUpCharter(Named):
    """As much as is settled: without all of it nobody is reviewed. `docs/dpia.md` is a form for the assessment."""

    purpose: Text | None = Field(
        default=None,
        min_length=20,
        description=PARTS["purpose"],
        examples=["Reviews help teams to work together; they are no grounds for pay."],
    )
    assessment: Name | None = Field(default=None, description="where the assessment of the risks lies")
    assessed_on: Day | None = Field(default=None, description=PARTS["assessed_on"])
    consulted_on: Day | None = Field(default=None, description=PARTS["consulted_on"])
    told_on: Day | None = Field(default=None, description=PARTS["told_on"])


class ChangeCharter(DrawUpCharter):
    """What to confirm or to put differently; what is not sent stays, null takes it back."""


@charters.create
async def draw_up_charter(tx: Tx, body: DrawUpCharter) -> ReviewCharter:
    """Settle on which grounds teams are reviewed."""
    today = day_of(tx.now, (await house_of(tx)).zone)
    fields = {name: getattr(body, name) for name in ("assessment", *PARTS)}
    drawn_up = ReviewCharter.draw_up(
        today, drawn_up_at=text_of(tx.now), **fields, **fresh(ReviewCharter, body)
    )  # fmt: skip
    return tx.save(*drawn_up)


@charters.amend
async def change_charter(tx: Tx, charter: ReviewCharter, body: ChangeCharter) -> ReviewCharter:
    """Confirm what was missing."""
    today = day_of(tx.now, (await house_of(tx)).zone)
    return tx.save(charter, charter.change(today, **body.sent()))


async def charter_of(snapshot: Snapshot) -> ReviewCharter | None:
    """The charter in force: the last one that was drawn up."""
    found = await snapshot.all(ReviewCharter, _LAST)
    return found[0] if found else None
