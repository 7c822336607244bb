"""Metrics in a process of its own, to be killed and stopped: alone, for its owners are only told of.

On the embedded engines only the process that has the log may write it: there it also takes what the owners tell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from multiprocessing.context import ForkServerProcess

import httpx
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic_core import from_json, to_json

from concert.port import claimed
from concert.runner import alone, listen
from services.metrics.app import service as metrics
from shared import logs, rounds, settings
from shared.bus import BusError, Record
from shared.events import Envelope
from shared.http.runtime import runtime_of
from shared.identity.permissions import require
from shared.store.tables import Applied
from tests.chaos.victims import OnOneMachine, OnServers, Victim
from tests.starting import forked

TELL = "/v1/told"
LARGEST_BODY = 64 * 1024 * 1024
router = APIRouter()
_MAY = require("parked:write")


@router.post(TELL, status_code=204, openapi_extra=_MAY.openapi, dependencies=[Depends(_MAY)])
async def take(request: Request) -> Response:
    """Put on the log what owners tell; answers when it is there."""
    told = from_json(await request.body())
    await runtime_of(request).bus.publish([
        Record(topic, key, value.encode(), tuple((name, text) for name, text in headers))
        for topic, key, value, headers in told
    ])  # fmt: skip
    return Response(status_code=204)


class Applier(Victim):
    """Metrics, and where it asks its owners."""

    parts: Sequence[str] = ("metrics",)
    owners = ""
    leak = 0
    """Bytes that are lost with each event, to see that the soak notices."""

    def environment(self, part: str) -> dict[str, str]:
        owners = {f"CONCERT_{owner.upper()}_URL": self.owners for owner in ("teams", "targets", "meetings")}
        return super().environment(part) | owners | {"CONCERT_BODY_LIMIT": str(LARGEST_BODY)}

    def address(self, service: str) -> str:
        return f"http://127.0.0.1:{self.ports['metrics']}"

    def launched(self, part: str, environment: Mapping[str, str]) -> ForkServerProcess:
        return forked(serve, self.leak, self.mutant, environment=environment, said=self.folder / "said.log")

    @property
    def process(self) -> int:
        """The number of the process."""
        number = self.processes["metrics"].pid
        assert number is not None
        return number


class EmbeddedApplier(Applier, OnOneMachine):
    """On SQLite and the embedded log."""


class ServedApplier(Applier, OnServers):
    """On a PostgreSQL server and a Kafka broker."""


class TellingOverHttp:
    """The log of a process that takes what is told."""

    def __init__(self, victim: Applier) -> None:
        self._client = victim.client("metrics")
        self._client.timeout = httpx.Timeout(30)

    async def publish(self, records: list[Record]) -> None:
        """Return when all records are on the log. Raises BusError."""
        told = to_json([[each.topic, each.key, (each.value or b"").decode(), each.headers] for each in records])
        try:
            answer = await self._client.post(TELL, content=told)
        except httpx.HTTPError as fault:
            raise BusError(f"nobody takes what is told: {fault!r}") from fault
        if answer.status_code != 204:
            raise BusError(f"what is told was not taken: {answer.text}")

    async def close(self) -> None:
        """Tell no more."""
        await self._client.aclose()


def serve(leak: int, mutant: str | None) -> None:
    """Metrics, until it is told to stop or killed; perhaps broken by one of `tests.mutants`."""
    if leak:
        lose(leak)
    if mutant is not None:
        from tests.mutants import MUTANTS

        MUTANTS[mutant][0]()
    asyncio.run(_serve())


async def _serve() -> None:
    chosen = settings.load()
    logs.configure(chosen.log_level, chosen.log_format)
    service = replace(metrics, routers=(*metrics.routers, router)) if chosen.bus == "embedded" else metrics
    with claimed(chosen) as sockets:
        async with alone(service, chosen) as started:
            await listen(started.entry, chosen, stopping=[started.runtime.stopping], sockets=sockets)


def lose(size: int) -> None:
    """Never let go of so many bytes with each event that is applied."""
    step, kept = rounds.Round._step, list[bytes]()

    def careless(self: rounds.Round, applied: Applied, envelope: Envelope, what: str) -> None:
        step(self, applied, envelope, what)
        # An object of bytes takes 33 more than what is in it, and eight more to be found.
        kept.append(bytes(max(0, size - 41)))

    rounds.Round._step = careless  # type: ignore[method-assign]
