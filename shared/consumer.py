"""Applying what other services tell: each event once, in the order of its subject, whatever the log does.

What happens to one event is decided in `shared.rounds`; here are the loop that follows the log, and what it does when
the database, the log or an event gives trouble.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import structlog

from shared.bus import Bus, BusError, LogBroken, Message, Record
from shared.errors import NotFound, OutcomeUnknown, Overloaded
from shared.events import Event
from shared.facts import Facts
from shared.ids import fingerprint
from shared.instant import now
from shared.lease import RENEW_AFTER, Lessee
from shared.positions import HeardByAnother, Recognition, advance, heard_as, stored_positions
from shared.postage import envelope_of
from shared.rounds import GivenUp, Poisoned, Reaction, Round, envelope_of_held, reason_of
from shared.store import Context, Job, Store, Tx
from shared.tasks import ended

log = structlog.get_logger(__name__)
MAX_PARKS_A_MINUTE = 100
PASSED_SECONDS = 1.0
"""For how long the place of what nobody here listens to is kept in memory: nothing is lost if it comes again."""
Work = Callable[[Tx, dict[str, str]], Awaitable[Round | None]]


class Subscriptions:
    """What a service wants to hear: facts it keeps of others, and what it is obliged to do."""

    def __init__(self, *topics: str, only: Mapping[str, Collection[str]] | None = None, reading: int = 1) -> None:
        self.topics = topics
        self.reading = reading
        """Raised with a release that reads events otherwise into the same columns: then all is heard anew."""
        self.only = dict(only or {})
        """By topic the kinds of things that are listened to, where not all are."""
        self.facts: dict[str, Facts[Any]] = {}
        self.reactions: dict[type[Event], list[Reaction]] = {}

    def wants(self, record: Record) -> bool:
        """Whether a record is about something that is listened to."""
        kinds = self.only.get(record.topic)
        return kinds is None or record.key.partition("/")[0] in kinds

    def keep(self, *facts: Facts[Any]) -> None:
        """Keep these facts."""
        for each in facts:
            self.facts[each.kind] = each

    def on(self, event: type[Event]) -> Callable[[Reaction], Reaction]:
        """Do something about an event, in the transaction that applies it."""

        def register(reaction: Reaction) -> Reaction:
            self.reactions.setdefault(event, []).append(reaction)
            return reaction

        return register

    def facts_only(self) -> Subscriptions:
        """The same facts from the same topics, and nothing that would be done a second time."""
        others = Subscriptions(*self.topics, only=self.only, reading=self.reading)
        others.facts = self.facts
        return others

    @property
    def edition(self) -> str:
        """Stands for what is heard and for what is kept of it."""
        heard = [f"{topic} {sorted(self.only.get(topic, ()))}" for topic in sorted(self.topics)]
        kept = [shape for _, keeper in sorted(self.facts.items()) for shape in keeper.shapes]
        return fingerprint("\n".join([str(self.reading), *heard, *kept]).encode())


class StoppedForSafety(Exception):
    """So many events were parked within a minute that the fault must be here, not in them."""


async def _nobody_can() -> None:
    raise RuntimeError("nothing has been said about how to hear anew")


class Consumer:
    """The one applier of a service's database; replicas stand by and take over when its lease ends."""

    def __init__(self, store: Store, bus: Bus, subscriptions: Subscriptions) -> None:
        self.store = store
        self.bus = bus
        self.subscriptions = subscriptions
        self.moved: Callable[[Iterable[str]], None] = lambda names: None
        self.caught_up = False
        self.failure: str | None = None
        self.hear_anew: Callable[[], Awaitable[object]] = _nobody_can
        """What builds all that is known of others from the log's beginning, where another edition has filled it."""
        self._edition = subscriptions.edition
        self._lease = Lessee(store, "applier")
        self._parks: list[float] = []
        self._caught_up_at = time.monotonic()
        self._following = False
        self.passed: dict[tuple[str, int], Message] = {}
        """By topic and partition the last of what nobody here listens to, where that is not stored yet."""
        self._stored_at = 0.0
        self.turn = asyncio.Lock()
        """Held while a batch is applied; whoever holds it sees to it that nothing more is applied from the log."""

    async def run(self) -> None:
        """Follow the log for ever from where the database says it stands. Raises LogBroken, StoppedForSafety."""
        pause = 0.05
        while True:
            try:
                if await self._lease.holds():
                    async with self._keeping_the_lease():
                        await self._follow()
                # Another one applies; it may end at any moment.
                self.failure, pause = None, 0.05
                await asyncio.sleep(RENEW_AFTER / 4)
            except LogBroken:
                raise
            except HeardByAnother:
                log.warning("events_applied_by_another_version")
            except (BusError, OutcomeUnknown, Overloaded, OSError) as failure:
                self.failure = f"events cannot be applied: {failure}"
                log.debug("applying_waits", reason=str(failure))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5)

    async def _follow(self) -> None:
        """Apply what comes, until another one has taken over."""
        await self._hear_as_said()
        recognition = Recognition(await self.store.read(stored_positions))
        self.passed.clear()
        async with aclosing(self._messages(recognition)) as batches:
            async for messages in batches:
                recognition.check(messages)
                self._note_place(at_end=not messages)
                async with self.turn:
                    if messages and not await self._lease.holds():
                        return
                    await self._take(messages)

    async def _take(self, messages: Sequence[Message]) -> None:
        """Apply a batch, or pass over one in which nothing is listened to: where it ends is stored with what comes
        next, or after a second."""
        if time.monotonic() < self._stored_at + PASSED_SECONDS and not any(
            self.subscriptions.wants(each.record) for each in messages
        ):
            self.passed |= {(each.record.topic, each.partition): each for each in messages}
            return
        passed = list(self.passed.values())
        self.passed.clear()
        await self.apply([*passed, *messages])
        self._stored_at = time.monotonic()

    async def _hear_as_said(self) -> None:
        """Where a version with another edition has applied events: let all be heard anew before anything is applied."""
        if not heard_as(await self.store.read(stored_positions), self._edition):
            log.info("hearing_anew", edition=self._edition)
            began = time.monotonic()
            await self.hear_anew()
            log.info("heard_anew", edition=self._edition, seconds=round(time.monotonic() - began, 1))

    @property
    def behind_seconds(self) -> float:
        """For how long the end of the log has not been reached; none while it is, nor for one who stands by."""
        return 0.0 if self.caught_up or not self._following else time.monotonic() - self._caught_up_at

    def _note_place(self, *, at_end: bool) -> None:
        if at_end or self.caught_up:
            self._caught_up_at = time.monotonic()
        self.caught_up = at_end

    def _messages(self, recognition: Recognition) -> Any:
        return self.bus.messages(self.subscriptions.topics, recognition.start)

    @asynccontextmanager
    async def _keeping_the_lease(self) -> AsyncIterator[None]:
        """While nothing comes, nobody asks for the lease: then it is renewed beside, and what was passed is stored."""
        task = asyncio.create_task(self._renew())
        self._caught_up_at, self._following = time.monotonic(), True
        try:
            yield
        finally:
            self._following = False
            await ended(task)
            await self._lease.release()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_AFTER)
            with suppress(OutcomeUnknown, Overloaded, OSError, HeardByAnother):
                await self._lease.holds()
                if self.passed and not self.turn.locked():
                    async with self.turn:
                        await self._take([])

    async def apply(self, messages: Sequence[Message]) -> None:
        """Apply a batch in one transaction; waits and repeats while the database cannot be reached."""
        if not messages:
            return
        try:
            await self._work(lambda tx, poisoned: self._apply(tx, messages, poisoned), wait=True)
        except (OutcomeUnknown, Overloaded, StoppedForSafety, HeardByAnother):
            raise
        except Exception as fault:
            await self._isolate(messages, fault)

    async def _isolate(self, messages: Sequence[Message], fault: Exception) -> None:
        """The database refused a batch: find the event that is to blame, and park that."""
        if len(messages) > 1:
            middle = len(messages) // 2
            await self.apply(messages[:middle])
            await self.apply(messages[middle:])
            return
        envelope = envelope_of(messages[0].record)
        reason = reason_of(fault)
        self._note_park(Poisoned(envelope, reason))
        await self._work(lambda tx, poisoned: self._apply(tx, messages, {**poisoned, envelope.id: reason}), wait=True)

    async def replay(self, subject: str) -> None:
        """Try the oldest parked event of a subject again, then those behind it. Raises NotFound."""
        await self._mend(subject, None)

    async def discard(self, subject: str, given_up: GivenUp | None = None) -> None:
        """Give the oldest parked event of a subject up: it is recorded as skipped, and those behind it go on. Raises
        NotFound."""
        await self._mend(subject, given_up or GivenUp())

    async def _mend(self, subject: str, given_up: GivenUp | None) -> None:
        async def work(tx: Tx, poisoned: dict[str, str]) -> Round:
            round_ = Round(tx, self.subscriptions, poisoned)
            await round_.open([subject])
            if not round_.held.get(subject):
                raise NotFound(f"Nothing is held for {subject}.")
            await round_.retry(subject, given_up)
            return await round_.store()

        await self._work(work, wait=False)

    async def _apply(self, tx: Tx, messages: Sequence[Message], poisoned: dict[str, str]) -> Round | None:
        fresh = await advance(tx, messages, self._edition)
        envelopes = [envelope_of(each.record) for each in fresh if self.subscriptions.wants(each.record)]
        if not envelopes:
            return None
        round_ = Round(tx, self.subscriptions, poisoned)
        await round_.open(sorted({each.subject for each in envelopes}))
        for envelope in envelopes:
            await round_.judge(envelope)
        return await round_.store()

    async def _work(self, work: Work, *, wait: bool) -> None:
        """Run until all poison is parked; transient trouble is waited out where nobody waits for an answer."""
        poisoned: dict[str, str] = {}
        pause = 0.05
        while True:
            try:
                done = await self.store.write(Job(lambda tx: work(tx, poisoned), Context(now())))
                self.failure = None
                break
            except Poisoned as poison:
                poisoned[poison.envelope.id] = poison.reason
                self._note_park(poison)
            except (OutcomeUnknown, Overloaded, OSError) as failure:
                if not wait:
                    raise
                self.failure = f"events cannot be applied: {failure}"
                log.debug("applying_waits", reason=str(failure))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5)
        if done is not None:
            _tell_of(done)
            self.moved(done.moved)

    def _note_park(self, poison: Poisoned) -> None:
        moment = time.monotonic()
        self._parks = [at for at in self._parks if at > moment - 60] + [moment]
        log.error("event_parked", **poison.envelope.log_context(), reason=poison.reason)
        if len(self._parks) > MAX_PARKS_A_MINUTE:
            raise StoppedForSafety(f"more than {MAX_PARKS_A_MINUTE} events were parked within a minute")


def _tell_of(done: Round) -> None:
    """Write down which events are held from now on, or lost; of those that cannot be applied at all it has been."""
    for held in done.newly_held:
        if held.reason is None:
            log.debug("event_waits", **envelope_of_held(held).log_context())
        elif held.id not in done.poisoned:
            log.error("event_parked", **envelope_of_held(held).log_context(), reason=held.reason)
    for envelope in done.given_up:
        log.warning("event_given_up", **envelope.log_context())


__all__ = ["Consumer", "Poisoned", "Reaction", "StoppedForSafety", "Subscriptions"]
