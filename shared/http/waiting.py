"""Reading one's own write: `?after=deal/<id>@7` waits until that version is here, in the snapshot that answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar, cast

import sqlalchemy as sa

from shared.errors import Fault, Invalid, NotYetApplied, OutcomeUnknown, Overloaded
from shared.store import Snapshot, Store
from shared.store.tables import Applied, BatchProgress, HeldEvent, Journal, SourceProgress

T = TypeVar("T")
DEFAULT_SECONDS = 5.0
MOST_SECONDS = 30.0
POLL_SECONDS = 0.1
_TOKEN = re.compile(r"([a-z_]+/[^@\s]+)@(\d{1,12})")
_applied = Applied.__table__.c  # type: ignore[attr-defined]
_batch = BatchProgress.__table__.c  # type: ignore[attr-defined]
_held = HeldEvent.__table__.c  # type: ignore[attr-defined]
_journal = Journal.__table__.c  # type: ignore[attr-defined]
_APPLIED = sa.select(_applied.version, _applied.held).where(_applied.subject == sa.bindparam("subject"))
_BATCH = sa.select(_batch.applied).where(_batch.id == sa.bindparam("batch"))
_OWN = sa.select(sa.func.max(_journal.version)).where(_journal.subject == sa.bindparam("subject"))
_source = SourceProgress.__table__.c  # type: ignore[attr-defined]
_PROGRESS = sa.select(_source.owner, _source.applied, _source.skipped).order_by(_source.owner)
_PARKED = sa.select(_held.reason).where(_held.subject == sa.bindparam("subject"), _held.reason.is_not(None))


@dataclass(frozen=True, slots=True)
class Token:
    """A subject, or a bulk, and how much of it must have been applied."""

    subject: str
    count: int


def tokens_of(after: Sequence[str]) -> list[Token]:
    """The `after` parameters of a request; raises Invalid."""
    tokens = []
    for text in after:
        for part in text.split(","):
            found = _TOKEN.fullmatch(part.strip())
            if found is None:
                detail = f"{part!r} is not a version; expected something like deal/deal_01h@7 or batch/01h@8800"
                raise Invalid(detail, [Fault("/after", detail)])
            tokens.append(Token(found[1], int(found[2])))
    return tokens


def patience_of(prefer: str | None) -> float:
    """How long a reader is ready to wait, from `Prefer: wait=<seconds>`: default 5, at most 30."""
    found = re.search(r"\bwait\s*=\s*(\d{1,4})\b", prefer or "")
    return min(float(found[1]), MOST_SECONDS) if found else DEFAULT_SECONDS


class Progress:
    """Tells readers that something new has been applied; one poll serves them all."""

    def __init__(self, store: Store, service: str) -> None:
        self.store = store
        self.service = service
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._polling: asyncio.Task[None] | None = None

    def moved(self, names: Iterable[str]) -> None:
        """Something has been applied of these subjects and bulks."""
        for name in names:
            for event in self._waiting.get(name, ()):
                event.set()

    async def read(self, after: Sequence[Token], patience: float, query: Callable[[Snapshot], Awaitable[T]]) -> T:
        """Answer a query from a snapshot that holds all of these versions; raises NotYetApplied."""
        if not after:
            return await self.store.read(query)
        deadline = asyncio.get_running_loop().time() + patience

        async def ask(snapshot: Snapshot) -> tuple[str | None, T | None]:
            lack = await self._lacking(snapshot, after)
            return lack, None if lack else await query(snapshot)

        with self._told_of(after) as moved:
            while True:
                moved.clear()
                lack, answer = await self.store.read(ask)
                if lack is None:
                    return cast(T, answer)
                left = deadline - asyncio.get_running_loop().time()
                if left <= 0:
                    raise NotYetApplied(f"{lack}; waited {patience:g} s.")
                if self._polling is None or self._polling.done():
                    self._polling = asyncio.create_task(self._poll())
                with suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await moved.wait()

    @contextmanager
    def _told_of(self, after: Sequence[Token]) -> Iterator[asyncio.Event]:
        """An event that is set when any of these moves."""
        moved = asyncio.Event()
        for token in after:
            self._waiting.setdefault(token.subject, set()).add(moved)
        try:
            yield moved
        finally:
            for subject in {token.subject for token in after}:
                self._waiting[subject].discard(moved)
                if not self._waiting[subject]:
                    del self._waiting[subject]
            if not self._waiting and self._polling is not None:
                self._polling.cancel()

    async def _poll(self) -> None:
        """Where another process applies, nobody here is told: one look for all who wait."""
        before: object = None
        while True:
            await asyncio.sleep(POLL_SECONDS)
            with suppress(OutcomeUnknown, Overloaded):
                progress = await self.store.read(lambda snapshot: snapshot.rows(_PROGRESS))
                # The first look wakes too: something may have come between the reader's question and this one.
                if progress != before:
                    before = progress
                    self.moved(list(self._waiting))

    async def _lacking(self, snapshot: Snapshot, after: Sequence[Token]) -> str | None:
        for token in after:
            have = await self._have(snapshot, token)
            if have < token.count:
                return f"{token.subject} is applied here up to {have}, {token.count} is asked for"
        return None

    async def _have(self, snapshot: Snapshot, token: Token) -> int:
        kind, _, name = token.subject.partition("/")
        if kind == "batch":
            if name.startswith(f"{self.service}-"):
                return token.count
            return int(await snapshot.scalar(_BATCH, batch=name) or 0)
        records = await snapshot.rows(_APPLIED, subject=token.subject)
        if not records:
            return int(await snapshot.scalar(_OWN, subject=token.subject) or 0)
        version, held = records[0]
        if version < token.count and held:
            reason = await snapshot.scalar(_PARKED, subject=token.subject)
            if reason is not None:
                raise NotYetApplied(
                    f"{token.subject} is parked at version {version} and will not move until somebody mends it."
                )
        return int(version)
