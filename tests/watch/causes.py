"""What goes wrong with a Concert, each as a context: it is so inside, and over afterwards."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

import sqlalchemy as sa

from shared.bus import Record
from shared.postage import record_of
from shared.rounds import GivenUp
from shared.store import Snapshot
from shared.store.tables import Journal
from tests.chaos.victims import _free_port
from tests.metrics.receiver import hook
from tests.serving import serving
from tests.watch.prometheus import Watch
from tests.world import World

READERS = 4
"""How many reads of a file are answered at a time."""
BROKEN = (("ce_id", "broken"), ("ce_type", "concert.targets.deal-opened.v1"), ("ce_source", "/targets"),
          ("ce_subject", "deal/deal_x"), ("ce_sequence", "1"), ("ce_time", "2026-01-01T00:00:00Z"))  # fmt: skip
_journal = Journal.__table__.c  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Stage:
    """A Concert, where it answers, and who watches it."""

    concert: World
    url: str
    watch: Watch


Cause = Callable[[Stage], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def a_copy_has_ended(stage: Stage) -> AsyncIterator[None]:
    """One of two copies answers no more, until nobody expects it."""
    async with serving(stage.concert.origin) as second:
        stage.watch.look_at(concert=stage.url, second=second)
        await stage.watch.knows("second")
    yield
    stage.watch.look_at(concert=stage.url)


@asynccontextmanager
async def nothing_is_found(stage: Stage) -> AsyncIterator[None]:
    """The name of the services leads nowhere."""
    stage.watch.look_at()
    yield
    stage.watch.look_at(concert=stage.url)


@asynccontextmanager
async def a_relay_stands_still(stage: Stage) -> AsyncIterator[None]:
    """What targets writes stays in its outbox; only the second event of a customer has found its way to the log."""
    relay = stage.concert.services["targets"].runtime.relay
    assert relay is not None
    relay.pause(True)
    try:
        acme = await stage.concert.made("/v1/customers", {"name": "Acme"})
        path, headers = f"/v1/customers/{acme['id']}", {"If-Match": "*"}
        assert (await stage.concert.admin.patch(path, json={"region": "EMEA"}, headers=headers)).status_code == 200
        await stage.concert.bus.publish([await _told(stage.concert, f"customer/{acme['id']}", 2)])
        pulse = stage.concert.services["metrics"].runtime.pulse
        assert pulse is not None
        await _until(lambda: _waits(pulse.read))
        yield
    finally:
        relay.pause(False)


async def _told(concert: World, subject: str, version: int) -> Record:
    """An event of targets as its relay sends it."""
    query = sa.select(Journal).where(_journal.subject == subject, _journal.version == version)
    store = concert.services["targets"].runtime.store
    (row,) = await store.read(lambda snapshot: snapshot.all(Journal, query))
    return record_of(row, "/targets")


async def _waits(read: Callable[[], Awaitable[object]]) -> bool:
    return getattr(await read(), "waiting", 0) == 1


@asynccontextmanager
async def the_views_stand_still(stage: Stage) -> AsyncIterator[None]:
    """The applier of metrics has an event before it and no turn to apply it."""
    consumer = stage.concert.services["metrics"].runtime.consumer
    assert consumer is not None
    async with consumer.turn:
        await stage.concert.made("/v1/teams", {"name": "West"})
        yield


@asynccontextmanager
async def requests_are_refused(stage: Stage) -> AsyncIterator[None]:
    """Somebody asks targets for what it cannot know."""
    async with _again_and_again(lambda: _ask(stage, "/v1/customers?", wait=0), pause=0.1):
        yield


@asynccontextmanager
async def answers_take_long(stage: Stage) -> AsyncIterator[None]:
    """Somebody waits for views of a version that never comes."""
    async with AsyncExitStack() as asking:
        for _ in range(4):
            await asking.enter_async_context(
                _again_and_again(lambda: _ask(stage, "/v1/views?period=2026&", wait=3))
            )  # fmt: skip
            await asyncio.sleep(0.75)
        yield


async def _ask(stage: Stage, path: str, *, wait: int) -> None:
    headers = {"Prefer": f"wait={wait}"}
    answer = await stage.concert.admin.get(f"{path}after=team/team_none@9", headers=headers)
    assert answer.status_code == 503, answer.text


@asynccontextmanager
async def a_receiver_has_gone(stage: Stage) -> AsyncIterator[None]:
    """A webhook leads to a port where nobody listens, until it is taken away."""
    made = await hook(stage.concert, f"http://127.0.0.1:{_free_port()}/events", ["concert.teams.team-*"])
    numbers = iter(range(10_000))

    async def write() -> None:
        await stage.concert.made("/v1/teams", {"name": f"Team {next(numbers)}"})

    async with _again_and_again(write, pause=0.5):
        yield
    gone = await stage.concert.admin.delete(f"/v1/webhooks/{made['id']}", headers={"If-Match": "*"})
    assert gone.status_code == 204, gone.text


@asynccontextmanager
async def a_database_is_held(stage: Stage) -> AsyncIterator[None]:
    """Reads that do not end hold the file of metrics."""
    over = threading.Event()

    async def read(_: Snapshot) -> None:
        over.wait()

    store = stage.concert.services["metrics"].runtime.store
    reads = [asyncio.create_task(store.read(read)) for _ in range(READERS)]
    try:
        yield
    finally:
        over.set()
        await asyncio.gather(*reads)


@asynccontextmanager
async def an_event_is_broken(stage: Stage) -> AsyncIterator[None]:
    """Somebody writes to the log what is no event, until it is given up for a reason."""
    await stage.concert.bus.publish([Record("concert.targets", "deal/deal_x", b"{}", BROKEN)])
    yield
    consumer = stage.concert.services["metrics"].runtime.consumer
    assert consumer is not None
    await consumer.discard("deal/deal_x", GivenUp("ops", "a stranger sent it"))


@asynccontextmanager
async def _again_and_again(work: Callable[[], Awaitable[None]], pause: float = 0) -> AsyncIterator[None]:
    """Do something beside, without end."""

    async def repeat() -> None:
        while True:
            await work()
            await asyncio.sleep(pause)

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        # What went wrong meanwhile is said here.
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _until(met: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await met():
            await asyncio.sleep(0.05)
