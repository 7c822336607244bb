"""The certificate itself: kept up to date beside the requests, computed anew on demand.

It says `consistent` only when it knows: every owner has answered, every shard of its books has been verified within
the last minute, nothing waits and nothing is parked. It says `inconsistent` only when it has proof. Everything else is
`catching_up`, with the reasons.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import httpx
import sqlalchemy as sa
import structlog

from services.metrics.consistency import gauges
from services.metrics.consistency.books import Comparison, compare, our_books, progress_of
from services.metrics.consistency.effects import Compared, compare_effects, proven_missing
from services.metrics.consistency.invariants import INVARIANTS, check
from services.metrics.consistency.losses import Losses, losses_of
from shared.consumer import Subscriptions
from shared.errors import OutcomeUnknown, Overloaded
from shared.http.runtime import Runtime
from shared.ids import SHARDS
from shared.instant import now
from shared.positions import heard_as, stored_positions
from shared.store import Snapshot
from shared.store.tables import HeldEvent
from shared.store.types import text_of

log = structlog.get_logger(__name__)
OWNERS = ("teams", "targets", "meetings")
FRESH = timedelta(seconds=60)
GAP_ALARM = timedelta(seconds=60)
Finish = Callable[[list[str]], dict[str, Any]]
"""The verdict, once it is known what owners have proven missing."""
_held = HeldEvent.__table__.c  # type: ignore[attr-defined]


@dataclass(slots=True)
class Owner:
    """What is known of one owner's books."""

    known: int = 0
    applied: int = 0
    answered: bool = False
    verified: dict[int, datetime] = field(default_factory=dict)
    """When each shard was last found equal."""
    wrong: list[str] = field(default_factory=list)
    behind: list[str] = field(default_factory=list)
    """What the last look found the owner and the views to hold other versions of."""
    history: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=600))
    """How much was known when, to say how old the oldest event is that has not been applied."""

    def take(self, found: Comparison, moment: datetime) -> None:
        """Learn from one comparison."""
        # What the views held at the last look the owner has written before this one. Both count as many events as
        # then and as one another, so they are the same events, and versions that differ still do so for ever. Not so
        # where an event was given up: its owner may never have written it.
        still = self.known == self.applied == found.known == found.applied and not found.given_up
        proven = [line for line in found.behind if line in self.behind] if still else []
        self.answered, self.known, self.applied = True, found.known, found.applied
        self.behind, self.wrong = found.behind, found.wrong + proven
        self.verified.update(dict.fromkeys(found.verified, moment))
        self.history.append((time.monotonic(), found.known))

    def fresh(self, moment: datetime) -> int:
        """How many shards have been verified within the last minute."""
        return sum(moment - at <= FRESH for at in self.verified.values())

    def oldest_unapplied(self) -> float:
        """For how many seconds at least an event has been known that is not applied yet."""
        waiting = [at for at, known in self.history if known > self.applied]
        return round(time.monotonic() - waiting[0], 3) if waiting and self.known > self.applied else 0.0


class Certificate:
    """Keeps the verdict."""

    def __init__(self, runtime: Runtime, subscriptions: Subscriptions) -> None:
        self.runtime = runtime
        self.facts = subscriptions.facts
        self._edition = subscriptions.edition
        self.owners = {name: Owner() for name in OWNERS}
        self.last: dict[str, Any] | None = None
        self._verified_at: datetime | None = None
        self._losses = Losses({}, [])
        self._settled_at: datetime | None = None
        self._as_heard = True
        self._busy = asyncio.Lock()

    async def keep(self) -> None:
        """Look again and again: often while something moves, rarely while all is quiet, never for most of the time."""
        while True:
            started = time.monotonic()
            try:
                await self.look()
            except (OutcomeUnknown, Overloaded) as fault:
                log.debug("certificate_waits", reason=str(fault))
            except Exception as fault:
                log.warning("certificate_not_computed", reason=str(fault))
            cost = time.monotonic() - started
            settled = self.last is not None and self.last["verdict"] == "consistent"
            await asyncio.sleep(max(10 * cost, 5.0 if settled else 0.5))

    async def look(self) -> dict[str, Any]:
        """Compute the certificate now."""
        async with self._busy:
            books = await asyncio.gather(*(self._books_of(owner) for owner in OWNERS))
            moment = now()

            async def query(snapshot: Snapshot) -> tuple[list[Compared], Finish]:
                return await self._judge(snapshot, dict(zip(OWNERS, books, strict=True)), moment)

            compared, finish = await self.runtime.store.read(query)
            try:
                missing = await proven_missing(compared, self.runtime.extras["neighbours"].get)
            except (httpx.HTTPError, ValueError):
                # Who does not answer proves nothing; what is pending stays so.
                missing = []
            self.last = finish(missing)
            gauges.show(self.last)
            return self.last

    async def _books_of(self, owner: str) -> dict[str, Any] | None:
        try:
            answer = await self.runtime.extras["neighbours"].get(owner, "/v1/books", service=owner)
            if answer.status_code != 200:
                return None
            books: dict[str, Any] = answer.json()
            return books
        except (httpx.HTTPError, ValueError):
            return None

    async def _judge(
        self, snapshot: Snapshot, books: dict[str, dict[str, Any] | None], moment: datetime
    ) -> tuple[list[Compared], Finish]:
        """Everything one snapshot shows: the effects, of which their owners are asked then, and what judges in the
        end."""
        for name, theirs in books.items():
            owner = self.owners[name]
            if theirs is None:
                owner.answered = False
                continue
            ours = await our_books(snapshot, name, self.facts)
            owner.take(compare(theirs, ours, await progress_of(snapshot, name)), moment)
        self._as_heard = heard_as(await stored_positions(snapshot), self._edition)
        invariants = await check(INVARIANTS, snapshot)
        self._losses = await losses_of(snapshot)
        held = await snapshot.all(HeldEvent, sa.select(HeldEvent).order_by(_held.since).limit(1000))
        compared = await compare_effects(snapshot)
        return compared, partial(self._verdict, invariants, compared, held, moment)

    def _verdict(
        self,
        invariants: list[dict[str, Any]],
        compared: Sequence[Compared],
        held: Sequence[HeldEvent],
        moment: datetime,
        missing: list[str],
    ) -> dict[str, Any]:
        parked = [each for each in held if each.reason is not None]
        waiting = [each for each in held if each.reason is None]
        invariants = invariants + [each.line() for each in compared]
        wrong = self._proofs(invariants, parked, waiting, moment) + missing if self._as_heard else []
        open_points = self._doubts(parked, waiting, moment) + [each.doubt() for each in compared if each.pending]
        if not wrong and not open_points:
            self._verified_at = moment
        if not [reason for reason in wrong + open_points if not self._losses.explain(reason)]:
            self._settled_at = moment
        verdict = "inconsistent" if wrong else "catching_up" if open_points else "consistent"
        return {
            "verdict": verdict,
            "verified_at": text_of(self._verified_at) if self._verified_at else None,
            "settled_at": text_of(self._settled_at) if self._settled_at else None,
            "reasons": wrong + open_points,
            "accepted": self._settled_at == moment and verdict != "consistent",
            "invariants": invariants + [self._books_line(name, owner, moment) for name, owner in self.owners.items()],
            "owners": {name: self._owner_line(owner, moment) for name, owner in self.owners.items()},
            "parked": len(parked),
            "waiting": len(waiting),
        }

    def _proofs(
        self,
        invariants: list[dict[str, Any]],
        parked: Sequence[HeldEvent],
        waiting: Sequence[HeldEvent],
        moment: datetime,
    ) -> list[str]:
        """What is proven wrong."""
        wrong = [f"{each['name']} does not hold" for each in invariants if not each["holds"]]
        wrong += [f"the books of {name} differ: {line}" for name, owner in self.owners.items() for line in owner.wrong]
        wrong += [f"{each.subject}@{each.version} is parked: {each.reason}" for each in parked]
        blocked = {each.subject for each in parked}
        wrong += [
            f"{each.subject}@{each.version} has waited for its predecessor since {text_of(each.since)}"
            for each in waiting
            if each.subject not in blocked and moment - each.since > GAP_ALARM
        ]
        return wrong

    def _doubts(self, parked: Sequence[HeldEvent], waiting: Sequence[HeldEvent], moment: datetime) -> list[str]:
        """What is not known, or still on its way."""
        doubts = [] if self._as_heard else ["what another version has applied is being heard anew"]
        doubts += [f"{name} does not answer" for name, owner in self.owners.items() if not owner.answered]
        doubts += [
            f"{owner.known - owner.applied} events of {name} are not applied yet"
            for name, owner in self.owners.items()
            if owner.known > owner.applied
        ]
        doubts += [
            f"all events of {name} are applied, and yet its books differ: {line}"
            for name, owner in self.owners.items()
            if owner.known == owner.applied
            for line in owner.behind
            if line not in owner.wrong
        ]
        doubts += [
            f"{SHARDS - owner.fresh(moment)} shards of {name} have not been verified within a minute"
            for name, owner in self.owners.items()
            if owner.fresh(moment) < SHARDS
        ]
        doubts += self._losses.doubts
        if waiting:
            doubts.append(f"{len(waiting)} events wait for a predecessor")
        return doubts

    def _books_line(self, name: str, owner: Owner, moment: datetime) -> dict[str, Any]:
        return {
            "name": f"books of {name} = views",
            "class": "C",
            "left": f"events that {name} has written",
            "right": "events that the views hold",
            "left_value": owner.known,
            "right_value": owner.applied,
            "difference": owner.known - owner.applied,
            "holds": owner.answered and not owner.wrong and owner.fresh(moment) == SHARDS,
        }

    def _owner_line(self, owner: Owner, moment: datetime) -> dict[str, Any]:
        return {
            "known": owner.known,
            "applied": owner.applied,
            "oldest_unapplied_seconds": owner.oldest_unapplied(),
            "shards_verified": owner.fresh(moment),
        }
