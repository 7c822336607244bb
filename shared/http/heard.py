"""A thing of another service that this one has not heard of yet: its owner is asked, and word of it waited for; or the
owner's word is taken, of things that are never heard of here.

What others tell comes by events, and a write may be faster than they are. Nothing is asked inside a transaction: the
write is refused there, the owner asked here, and the write decided once more.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx

from shared.elsewhere import AskItsOwner
from shared.errors import Overloaded
from shared.http.runtime import Runtime
from shared.known import NotHeardOf
from shared.store import Job
from shared.store.tx import T

PATIENCE = 3.0
"""Seconds to wait for word of a thing that its owner has."""
LOOK_SECONDS = 0.02
MOST = 8
"""How many things a body may name that have not been heard of; those it names after them are refused."""
NONE_SUCH = (httpx.codes.NOT_FOUND, httpx.codes.UNPROCESSABLE_ENTITY)


async def decided(runtime: Runtime, job: Job[T], patience: float | None = None) -> T:
    """Run a job; when it names a thing that only its owner knows, wait for word of that and run it again. Raises
    Overloaded when an owner whose word is needed does not answer."""
    seconds = PATIENCE if patience is None else patience
    for _ in range(MOST):
        try:
            return await runtime.store.write(job)
        except NotHeardOf as unknown:
            if seconds < 0 or not (await _exists(runtime, unknown) and await _arrived(runtime, unknown, seconds)):
                raise
        except AskItsOwner as asked:
            told = {**job.context.told, asked.path: await _word_of(runtime, asked)}
            job = Job(job.run, replace(job.context, told=told))
    return await runtime.store.write(job)


async def _word_of(runtime: Runtime, asked: AskItsOwner) -> dict[str, Any] | None:
    """What its owner shows of a thing; none where there is no such thing."""
    silent = f"{asked.service} does not answer whether there is {asked.path}; send this again."
    try:
        answer = await runtime.extras["neighbours"].get(asked.service, asked.path)
    except httpx.HTTPError as fault:
        raise Overloaded(silent) from fault
    if answer.status_code in NONE_SUCH:
        return None
    if answer.status_code != httpx.codes.OK:
        raise Overloaded(silent)
    shown: dict[str, Any] = answer.json()
    return shown


async def _exists(runtime: Runtime, unknown: NotHeardOf) -> bool:
    """Whether its owner has it; one that does not answer is no reason to wait."""
    try:
        path = f"/v1/{unknown.model.kind}s/{quote(unknown.ref, safe=':')}"
        answer = await runtime.extras["neighbours"].get(unknown.model.told_by, path, seconds=2)
    except httpx.HTTPError:
        return False
    return bool(answer.status_code == httpx.codes.OK)


async def _arrived(runtime: Runtime, unknown: NotHeardOf, seconds: float) -> bool:
    until = asyncio.get_running_loop().time() + seconds
    while True:
        found = await runtime.store.read(lambda snapshot: snapshot.look_up(unknown.model, unknown.ref))
        if found is not None or asyncio.get_running_loop().time() > until:
            return found is not None
        await asyncio.sleep(LOOK_SECONDS)
