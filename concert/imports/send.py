"""Carrying a plan out: rows stream to the bulk routes, answers are read row by row, what is refused is reported."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic_core import from_json, to_json

from concert.imports.plan import Plan, Step
from concert.imports.tables import Report

ROWS_PER_REQUEST = 2500
TRIES = 8
VISIBLE_SECONDS = 30
# Whatever reads deals must know the members and teams they speak of: a read that waits until it does.
KNOWN_BY = {"members": "/v1/deals", "teams": "/v1/deals", "memberships": "/v1/deals", "departments": "/v1/members"}


class Stopped(Exception):
    """The import could not go on; the message says why. What was stored stays, and a second run goes on from there."""


@dataclass(slots=True)
class Outcome:
    """What an import has done."""

    created: int = 0
    changed: int = 0
    refused: int = 0
    batches: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows have been answered."""
        return self.created + self.changed + self.refused


async def carry_out(
    plan: Plan, client: httpx.AsyncClient, report: Report, progress: Callable[[str, int], None]
) -> Outcome:
    """Send a plan step by step; raises Stopped."""
    outcome = Outcome()
    for name, step in plan.steps.items():
        batches: list[str] = []
        for first, body in _chunks(step):
            answer = await _send(client, step.collection, body)
            _take(answer, step, first, outcome, report)
            version = answer.headers.get("concert-version", "")
            if version and not version.endswith("@0"):
                batches.append(version)
            progress(name, min(ROWS_PER_REQUEST, len(step.rows) - first))
        outcome.batches += batches
        if batches and name in KNOWN_BY:
            await wait_for(client, KNOWN_BY[name], batches, limit="1")
    return outcome


async def wait_for(client: httpx.AsyncClient, path: str, batches: list[str], **query: Any) -> httpx.Response:
    """Read a path once everything sent is visible there; raises Stopped."""
    headers = {"Prefer": f"wait={VISIBLE_SECONDS}"}
    for _ in range(TRIES):
        answer = await _ask(lambda: client.get(path, params={**query, "after": batches}, headers=headers))
        if answer.status_code != 503:
            break
    if answer.status_code != 200:
        raise Stopped(f"{path} answered {answer.status_code}: {_detail(answer)}")
    return answer


def _chunks(step: Step) -> Iterator[tuple[int, bytes]]:
    for first in range(0, len(step.rows), ROWS_PER_REQUEST):
        rows = step.rows[first : first + ROWS_PER_REQUEST]
        yield first, b"\n".join(map(to_json, rows))


async def _send(client: httpx.AsyncClient, collection: str, body: bytes) -> httpx.Response:
    path = f"/v1/{collection}/bulk"
    headers = {"Content-Type": "application/x-ndjson"}
    for attempt in range(TRIES):
        answer = await _ask(lambda: client.post(path, content=body, headers=headers))
        if answer.status_code not in (429, 503):
            break
        await asyncio.sleep(float(answer.headers.get("retry-after", "1")) * (attempt + 1))
    if answer.status_code != 200:
        raise Stopped(f"{path} answered {answer.status_code}: {_detail(answer)}")
    return answer


async def _ask(question: Callable[[], Any]) -> httpx.Response:
    """Ask, and ask again when the connection breaks: every row can be sent twice."""
    for attempt in range(TRIES):
        try:
            answer: httpx.Response = await question()
            return answer
        except httpx.HTTPError as fault:
            reason = str(fault) or type(fault).__name__
            await asyncio.sleep(0.5 * (attempt + 1))
    raise Stopped(f"Concert does not answer: {reason}.")


def _take(answer: httpx.Response, step: Step, first: int, outcome: Outcome, report: Report) -> None:
    for line in answer.content.splitlines():
        said = from_json(line)
        if "row" not in said:
            continue
        place = first + said["row"] - 1
        if said["status"] == 201:
            outcome.created += 1
        elif said["status"] < 400:
            outcome.changed += 1
        else:
            outcome.refused += 1
            origin, why = step.origins[place], said["problem"]["detail"]
            if origin is not None:
                report.refuse(origin, why)
            else:
                report.refused.append((step.collection, place + 1, why))


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("detail", ""))
    except ValueError:
        return answer.text[:200]
