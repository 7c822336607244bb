"""`/v1/progress` and `/v1/targets/{id}/check-ins`: how targets go, told as it happens and once a week, and said by
those who are to reach them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Annotated

import sqlalchemy as sa
import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.targets.api.judging import Judged, judged
from services.targets.api.readers import of_members
from services.targets.api.targets import targets
from services.targets.domain.progress import Progress, used_up
from services.targets.domain.targets import CheckInOfAnother, Target
from shared.errors import OutcomeUnknown, Overloaded
from shared.http.bodies import Body, Text
from shared.http.collection import Collection, Reference
from shared.http.documents import described
from shared.http.problems import parse
from shared.http.runtime import Runtime, runtime_of
from shared.http.writes import Answer, as_json, write
from shared.identity.permissions import Principal, require
from shared.instant import Day, day_of, now
from shared.known import KnownTeam, house, today
from shared.lease import Lessee
from shared.money import Share
from shared.store import Context, Job, Snapshot, Store, Tx
from shared.store.tables import Journal

log = structlog.get_logger(__name__)
router = APIRouter(tags=["targets"])
_WRITE, _READ = require("follow-ups:write"), require("follow-ups:read")
LOOK_SECONDS, QUIET_SECONDS, LATEST_SECONDS = 1.0, 2.0, 60.0
"""How often it is looked for changes, how long it waits for more of them, and how long at most."""
LATE_DAYS = 31
"""So many days after a target's last one, late facts may still bring it further."""
_target = Target.__table__.c  # type: ignore[attr-defined]
_journal = Journal.__table__.c  # type: ignore[attr-defined]
_LAST = sa.select(sa.func.max(_journal.seq))
_RUNNING = (
    sa.select(_target.id)
    .where(
        _target.closed_on.is_(None),
        _target.starts_on <= sa.bindparam("day", type_=sa.Date()),
        _target.ends_on > sa.bindparam("since", type_=sa.Date()),
    )
    .order_by(_target.id)
)

progress = Collection(
    Progress,
    "progress",
    filters={"metric": "metric", "level": "level", "ref": "ref"},
    readable=of_members(Progress.__table__.c),  # type: ignore[attr-defined]
)


class CheckIn(Body):
    """How confident somebody is to reach a target, and what there is to say about it."""

    confidence: Share = Field(description="from 0 to 1", examples=["0.8"])
    note: Text | None = Field(default=None, description="stays here: no event carries it")
    on: Day | None = None


class CheckInShown(BaseModel):
    """A check-in on a target."""

    on: date
    confidence: str
    note: str | None
    by: str | None = Field(description="the member who said so")


@router.post(
    "/v1/targets/{ref}/check-ins",
    operation_id="check_in_on_target",
    openapi_extra=described(_WRITE, CheckIn, {200: targets.read}, missing=True),
)
async def check_in_on_target(
    request: Request, ref: Reference, principal: Annotated[Principal, Depends(_WRITE)]
) -> Response:
    """Say how confident one is to reach a target: its own member, the leader of its team, or whoever sets targets."""
    raw = await request.body()
    body = parse(CheckIn, raw)

    async def decide(tx: Tx) -> Answer:
        target = await tx.load(Target, ref)
        member = principal.member
        if member is not None and not principal.may("targets:write") and not await _is_theirs(tx, target, member):
            raise CheckInOfAnother(member=member)
        told = target.check_in(body.on or await today(tx), f"{body.confidence:f}", body.note, member)
        return await targets.answer(tx, tx.save(target, told), 200, principal)

    return await write(request, principal, decide, body=raw)


async def _is_theirs(tx: Tx, target: Target, member: str) -> bool:
    if target.level == "team":
        team = await tx.recall(KnownTeam, target.ref)
        return team is not None and team.leader == member
    return target.level == "member" and target.ref == member


@router.get(
    "/v1/targets/{ref}/check-ins",
    operation_id="check_ins_of_target",
    openapi_extra=described(_READ, None, {200: CheckInShown}, page=True, missing=True),
)
async def check_ins_of_target(
    request: Request, ref: Reference, principal: Annotated[Principal, Depends(_READ)]
) -> Response:
    """What was said about reaching a target, the latest first."""

    async def query(snapshot: Snapshot) -> Target:
        return await targets.for_reader(snapshot, await snapshot.get(Target, ref), ref, principal)

    target = await runtime_of(request).store.read(query)
    return Response(as_json({"items": target.check_ins[::-1], "next": None}), media_type="application/json")


async def keep_progress(runtime: Runtime) -> None:
    """Tell of how targets go, whenever something has happened and whenever a day begins."""
    await ProgressKeeper(runtime.store, now).run()


class ProgressKeeper:
    """Looks after all running targets; of several replicas one does."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.clock = clock
        self._lease = Lessee(store, "progress")
        self._told: tuple[int, date] | None = None

    async def run(self) -> None:
        """Look for changes for ever; waits until they pause, so that an import is looked at once."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            with suppress(OutcomeUnknown, Overloaded, OSError):
                if await self._state() != self._told and await self._lease.holds():
                    await self._settled()
                    await self.tell()

    async def _settled(self) -> None:
        waited, before = 0.0, await self._state()
        while waited < LATEST_SECONDS:
            await asyncio.sleep(QUIET_SECONDS)
            waited += QUIET_SECONDS
            state = await self._state()
            if state == before:
                return
            before = state

    async def _state(self) -> tuple[int, date]:
        async def read(snapshot: Snapshot) -> tuple[int, date]:
            return int(await snapshot.scalar(_LAST) or 0), await self._today(snapshot)

        return await self.store.read(read)

    async def _today(self, snapshot: Snapshot) -> date:
        return day_of(self.clock(), (await house(snapshot)).zone)

    async def tell(self) -> None:
        """Tell of every running target what there is to tell."""
        state = await self._state()
        day = state[1]

        async def running(snapshot: Snapshot) -> list[str]:
            rows = await snapshot.rows(_RUNNING, day=day, since=day - timedelta(days=LATE_DAYS))
            return [key for (key,) in rows]

        for key in await self.store.read(running):
            work = Job(lambda tx, key=key: self._tell_of(tx, key, day), Context(self.clock()))  # type: ignore[misc]
            await self.store.write(work)
        # What was told is in the journal too, and is nothing new.
        self._told = (await self._state())[0], day

    async def _tell_of(self, tx: Tx, key: str, day: date) -> None:
        target = await tx.get(Target, key)
        found = await judged(tx, target, day)
        rate = found.state.rate if found.achieved.amount is not None else None
        used = _used(found)
        kept = await tx.seek(Progress, key) or Progress.of(target)
        if rate is None and used is not None:
            # Of nothing that is allowed there are no shares: it is attained, or it is not.
            rate = Fraction(found.state.reached)
        if rate is not None:
            for told in kept.measure(rate, day, used):
                tx.save(kept, told)
        monday = day - timedelta(days=day.weekday())
        if target.starts_on < monday <= target.ends_on:
            due = found.state.due
            pace = found.state.actual / due if due and not found.metric.lower and rate is not None else None
            tx.save(kept, kept.note(monday, rate, pace, day, used))


def _used(found: Judged) -> Fraction | None:
    """What of a target's allowance is used up, where less is better and what was achieved is known."""
    if not found.metric.lower or found.achieved.amount is None:
        return None
    return used_up(found.state.actual, found.state.value)
