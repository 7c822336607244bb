"""A thing of another service that this one has not heard of yet: its owner is asked, and word of it waited for.

What others tell comes by events, and a write may be faster than they are. Nothing is asked inside a transaction: the
write is refused there, the owner asked here, and the write decided once more.
"""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import httpx

from shared.http.runtime import Runtime
from shared.known import NotHeardOf
from shared.store import Job
from shared.store.tx import T

PATIENCE = 3.0
"""Seconds to wait for word of a thing that its owner has."""
LOOK_SECONDS = 0.02
MOST = 8
"""How many things a body may name that have not been heard of; those it names after them are refused."""


async def decided(runtime: Runtime, job: Job[T]) -> T:
    """Run a job; when it names a thing that only its owner knows, wait for word of that and run it again."""
    for _ in range(MOST):
        try:
            return await runtime.store.write(job)
        except NotHeardOf as unknown:
            if not (await _exists(runtime, unknown) and await _arrived(runtime, unknown)):
                raise
    return await runtime.store.write(job)


async def _exists(runtime: Runtime, unknown: NotHeardOf) -> bool:
    """Whether its owner has it; one that does not answer is no reason to wait."""
    try:
        path = f"/v1/{unknown.model.kind}s/{quote(unknown.ref, safe=':')}"
        answer = await runtime.extras["neighbours"].get(unknown.model.told_by, path, seconds=2)
    except httpx.HTTPError:
        return False
    return bool(answer.status_code == httpx.codes.OK)


async def _arrived(runtime: Runtime, unknown: NotHeardOf) -> bool:
    until = asyncio.get_running_loop().time() + PATIENCE
    while True:
        found = await runtime.store.read(lambda snapshot: snapshot.look_up(unknown.model, unknown.ref))
        if found is not None or asyncio.get_running_loop().time() > until:
            return found is not None
        await asyncio.sleep(LOOK_SECONDS)
