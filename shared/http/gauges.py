"""What Prometheus is told of the services of this process: the outbox, the applier, what is held, what does not work.

It is read when Prometheus asks. What cannot be read is not said at all: an old figure would be a false one.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import datetime

import sqlalchemy as sa
from prometheus_client import Gauge, Histogram, Info, generate_latest

from shared import __version__
from shared.http.runtime import Runtime
from shared.instant import now
from shared.store import Snapshot
from shared.store.tables import HeldEvent

READING_SECONDS = 3.0
FRESH_SECONDS = 0.5
OF_A_SERVICE = ["service"]
READY = Gauge("concert_part_ready", "Whether a part of a service can do its work", ["service", "part"])
STORE = Gauge("concert_store_answers", "Whether the database of a service has answered", OF_A_SERVICE)
OUTBOX = Gauge("concert_outbox_events", "Events that are written and not on the log yet", OF_A_SERVICE)
OLDEST = Gauge("concert_outbox_oldest_seconds", "Age of the oldest event that is not on the log yet", OF_A_SERVICE)
MOVING = Gauge("concert_relay_moving", "Whether events get through to the log", OF_A_SERVICE)
BEHIND = Gauge(
    "concert_applier_behind_seconds", "For how long a service has not reached the end of the log", OF_A_SERVICE
)
PARKED = Gauge("concert_parked_events", "Events that could not be applied", OF_A_SERVICE)
WAITING = Gauge("concert_waiting_events", "Events that wait for a predecessor", OF_A_SERVICE)
WAITED = Gauge("concert_waiting_oldest_seconds", "How long the first of them has waited", OF_A_SERVICE)
GROUPS = Histogram(
    "concert_commit_group_writes",
    "Writes that were committed together",
    OF_A_SERVICE,
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
)
VERSION = Info("concert", "Which Concert this is")
VERSION.info({"version": __version__})

_FROM_STORE = (STORE, OUTBOX, OLDEST, PARKED, WAITING, WAITED)
_held = HeldEvent.__table__.c  # type: ignore[attr-defined]
_HELD = sa.select(
    sa.func.count(_held.reason),
    sa.func.count() - sa.func.count(_held.reason),
    sa.func.min(sa.case((_held.reason.is_(None), _held.since)), type_=_held.since.type),
)
_running: dict[str, Runtime] = {}
_read_at: dict[str, float] = {}


def begin(runtime: Runtime) -> None:
    """Tell of a service from now on."""
    _running[runtime.service] = runtime
    runtime.store.group_sizes = GROUPS.labels(runtime.service).observe


def end(runtime: Runtime) -> None:
    """Say nothing more of a service that has ended."""
    if _running.get(runtime.service) is runtime:
        del _running[runtime.service]
        _read_at.pop(runtime.service, None)
        _forget(runtime.service, MOVING, BEHIND, *_FROM_STORE)
        READY.remove_by_labels({"service": runtime.service})


async def told() -> bytes:
    """Everything that there is to tell, as Prometheus reads it."""
    await asyncio.gather(*(_read(runtime) for runtime in list(_running.values())))
    return generate_latest()


async def _read(runtime: Runtime) -> None:
    """What a service looks like now; anybody may ask, so its database is not asked for each."""
    service = runtime.service
    if time.monotonic() - _read_at.get(service, -FRESH_SECONDS) < FRESH_SECONDS:
        return
    _read_at[service] = time.monotonic()
    READY.remove_by_labels({"service": service})
    for part, state in runtime.parts().items():
        READY.labels(service, part).set(state == "ok")
    if runtime.relay is not None:
        MOVING.labels(service).set(runtime.relay.moving)
    if runtime.consumer is not None:
        BEHIND.labels(service).set(runtime.consumer.behind_seconds)
    try:
        async with asyncio.timeout(READING_SECONDS):
            await _read_store(runtime)
    except Exception:  # whatever it was: the database has not answered
        _forget(service, *_FROM_STORE)
        STORE.labels(service).set(0)


async def _read_store(runtime: Runtime) -> None:
    service, moment = runtime.service, now()
    if runtime.relay is not None:
        count, oldest = await runtime.relay.backlog()
        OUTBOX.labels(service).set(count)
        OLDEST.labels(service).set((moment - datetime.fromisoformat(oldest)).total_seconds() if oldest else 0)
    parked, waiting, since = await runtime.store.read(_held_by)
    PARKED.labels(service).set(parked)
    WAITING.labels(service).set(waiting)
    WAITED.labels(service).set((moment - since).total_seconds() if since else 0)
    STORE.labels(service).set(1)


async def _held_by(snapshot: Snapshot) -> tuple[int, int, datetime | None]:
    ((parked, waiting, since),) = await snapshot.rows(_HELD)
    return parked, waiting, since


def _forget(service: str, *gauges: Gauge) -> None:
    for gauge in gauges:
        with suppress(KeyError):
            gauge.remove(service)
