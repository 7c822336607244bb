"""What Prometheus is told of the services of this process: the outbox, the applier, what is held, what does not work.

It is read when Prometheus asks. What cannot be read is not said at all: an old figure would be a false one.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import astuple

from prometheus_client import Gauge, Histogram, Info, generate_latest

from shared import __version__
from shared.http.runtime import Runtime

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

_FROM_STORE = (OUTBOX, OLDEST, PARKED, WAITING, WAITED)
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
        _forget(runtime.service, MOVING, BEHIND, STORE, *_FROM_STORE)
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
    if runtime.relay is not None:
        MOVING.labels(service).set(runtime.relay.moving)
    if runtime.consumer is not None:
        BEHIND.labels(service).set(runtime.consumer.behind_seconds)
    reading = await runtime.pulse.read() if runtime.pulse is not None else None
    if reading is None:
        _forget(service, *_FROM_STORE)
    else:
        for gauge, value in zip(_FROM_STORE, astuple(reading), strict=True):
            gauge.labels(service).set(value)
    STORE.labels(service).set(reading is not None)
    READY.remove_by_labels({"service": service})
    for part, state in runtime.parts().items():
        READY.labels(service, part).set(state == "ok")


def _forget(service: str, *gauges: Gauge) -> None:
    for gauge in gauges:
        with suppress(KeyError):
            gauge.remove(service)
