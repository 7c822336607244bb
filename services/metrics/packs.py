"""Freezing the figures of one moment when a joint meeting begins.

That a meeting has begun is noted in the transaction that applies it; the figures are read beside it, in one snapshot,
so that applying waits for no view. Whatever has been applied by then is in them, and `as_of` says what that is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
import structlog
from pydantic_core import from_json, to_json
from sqlmodel import Field

from services.metrics.consistency.differences import differences_of
from services.metrics.domain.packs import Pack
from services.metrics.facts.meetings import MeetingFact
from services.metrics.views import VIEWS
from services.metrics.views.frame import Reading, Shelf
from services.metrics.views.shown import figured, house_of, moment_of, noted, question_of
from shared import traces
from shared.asked_period import AskedPeriod
from shared.errors import OutcomeUnknown, Overloaded, TooLarge
from shared.events import Envelope
from shared.events.meetings import MeetingStarted
from shared.http.runtime import Runtime
from shared.instant import now, read_instant
from shared.lease import Lessee
from shared.period import Period
from shared.store import Context, Job, Row, Snapshot, Store, Tx

log = structlog.get_logger(__name__)
LOOK_SECONDS = 0.5
"""How often it is looked for meetings that have begun."""
LATE = timedelta(hours=1)
"""How long after its start was recorded a meeting may still get its pack."""


class PackDue(Row, table=True):
    """A meeting that has begun and has no pack yet."""

    __tablename__ = "pack_due"

    meeting: str = Field(primary_key=True)
    cause: str
    """The id of the event by which it began: a pack is made once for each."""
    trace: str | None = None
    """The trace of that event."""


_DUE = sa.select(PackDue).order_by(PackDue.__table__.c.meeting)  # type: ignore[attr-defined]


async def owe_a_pack(tx: Tx, event: MeetingStarted, envelope: Envelope) -> None:
    """Remember that a meeting has begun; long after its start the figures would be those of another moment."""
    if tx.now - read_instant(envelope.time) > LATE:
        return
    if await tx.find(Pack, Pack.id_of(envelope.id)) is None:
        tx.put(PackDue.make(meeting=envelope.key, cause=envelope.id, trace=traces.known(envelope.trace)))


async def freeze_packs(runtime: Runtime) -> None:
    """Freeze what meetings that begin need, for ever; of several replicas one does."""
    lease = Lessee(runtime.store, "packs")
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        with suppress(OutcomeUnknown, Overloaded, OSError):
            if await runtime.store.read(due) and await lease.holds():
                await freeze_due(runtime.store)


async def due(snapshot: Snapshot) -> list[PackDue]:
    """The meetings that have begun and have no pack yet."""
    return await snapshot.all(PackDue, _DUE)


async def freeze_due(store: Store) -> None:
    """Freeze the figures of now for all meetings that wait for them."""
    for each in await store.read(due):
        with traces.carrying(each.trace, event_id=each.cause):
            await _freeze(store, each)


async def _freeze(store: Store, owed: PackDue) -> None:
    content = await store.read(partial(content_of, owed.meeting))
    try:
        await store.write(Job(partial(_keep, owed, content), Context(now(), trace=owed.trace)))
    except TooLarge as fault:
        # Notes grow with what is wrong, and members with the organisation; without them a pack is as long as the
        # views are.
        log.error("pack_without_notes", meeting=owed.meeting, reason=str(fault))
        await store.write(Job(partial(_keep, owed, _shortened(content)), Context(now(), trace=owed.trace)))


async def content_of(meeting: str, snapshot: Snapshot) -> dict[str, Any] | None:
    """What goes into the pack of a meeting, from one snapshot; nothing for one that is not joint."""
    known = await snapshot.find(MeetingFact, meeting)
    if known is None or known.form != "joint" or known.on is None:
        return None
    first_month = (await house_of(snapshot)).first_month
    period = known.period or Period.of("quarter", known.on, first_month).label
    question = await question_of(snapshot, AskedPeriod(period), {})
    as_of, shelf = await moment_of(snapshot), Shelf()
    readings = {name: Reading(snapshot, question, shelf) for name in VIEWS}
    figures = {name: await figured(view, readings[name]) for name, view in VIEWS.items()}
    content = {
        "meeting": meeting,
        "on": known.on.isoformat(),
        "period": question.period.as_json(),
        "as_of": as_of,
        "currency": question.currency,
        "views": {name: {"figures": figures[name], "notes": noted(readings[name])} for name in VIEWS},
        "differences": await differences_of(snapshot, figures),
        "sums": [each for name in VIEWS for each in _sums_of(name, readings[name])],
    }
    plain: dict[str, Any] = from_json(to_json(content))
    return plain | {"on": known.on, "differences": tuple(plain["differences"]), "sums": tuple(plain["sums"])}


def _sums_of(view: str, reading: Reading) -> Iterator[dict[str, Any]]:
    """The figures of a view that add up members' quotas, those of the same members together."""
    figures: dict[frozenset[str], list[str]] = {}
    for figure, members in reading.added_up.items():
        if members:
            figures.setdefault(members, []).append(figure)
    for members, named in figures.items():
        yield {"view": view, "figures": named, "members": sorted(members)}


async def _keep(owed: PackDue, content: dict[str, Any] | None, tx: Tx) -> None:
    # Another replica may have frozen it meanwhile: what is frozen stays.
    if content is not None and await tx.seek(Pack, Pack.id_of(owed.cause)) is None:
        tx.save(*Pack.freeze(owed.cause, **content))
    tx.remove(owed)


def _shortened(content: dict[str, Any] | None) -> dict[str, Any] | None:
    if content is None:
        return None
    views = {name: view | {"notes": []} for name, view in content["views"].items()}
    return content | {"views": views, "sums": tuple(each | {"members": None} for each in content["sums"])}
