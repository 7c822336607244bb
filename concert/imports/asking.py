"""Asking Concert patiently: again when a connection breaks, and not before it wants to be asked when it is busy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from pydantic_core import from_json

from shared.instant import now

TRIES = 10
"""How often in a row asking may bring nothing before the import is given up."""
LONGEST_REST = 60.0
SHORT_REST = 0.5
VISIBLE_SECONDS = 30
BUSY = (429, 503)
_NDJSON = {"Content-Type": "application/x-ndjson"}
_NO_TOKEN = ". Say --token or set CONCERT_TOKEN; `concert token --scope admin` prints one"


class Stopped(Exception):
    """The import could not go on; the message says why. What was stored stays, and a second run goes on from there."""


@dataclass(slots=True)
class Said:
    """What Concert said to a bulk: a line per row as far as they came, the batch, and why there are no more."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    batch: str | None = None
    why: str = ""


class Asking:
    """A client that all requests of one import share, so that all rest when one is told to."""

    def __init__(self, client: httpx.AsyncClient, tries: int = TRIES) -> None:
        self.client = client
        self.tries = tries
        self._resting_until = 0.0

    async def read(self, path: str, batches: Sequence[str] = (), **query: str) -> httpx.Response:
        """Read a path once everything of these batches is visible there. Raises Stopped."""
        why = ""
        for _ in range(self.tries):
            await self._rested()
            try:
                answer = await self.client.get(
                    path, params={**query, "after": list(batches)}, headers={"Prefer": f"wait={VISIBLE_SECONDS}"}
                )
            except httpx.HTTPError as fault:
                why = str(fault) or type(fault).__name__
                self.rest_shortly()
                continue
            if answer.status_code == 200:
                return answer
            why = f"{path} answered {answer.status_code}: {detail_of(answer)}"
            if answer.status_code not in BUSY:
                break
            self.rest(_seconds_of(answer.headers.get("retry-after", "1")))
        raise Stopped(f"Concert at {self.client.base_url} did not answer as it should: {why}.")

    async def tell(self, path: str, body: Mapping[str, str] | None = None, **query: str) -> None:
        """Have something done, asking once: a second time might do more than was meant. Raises Stopped."""
        try:
            answer = await self.client.post(path, params=query, json=dict(body) if body else None)
        except httpx.HTTPError as fault:
            why = str(fault) or type(fault).__name__
            raise Stopped(f"The connection broke ({why}); whether {path} was carried out is not known.") from None
        if not answer.is_success:
            raise Stopped(f"{path} answered {answer.status_code}: {detail_of(answer)}.")

    async def bulk(self, collection: str, body: bytes) -> Said:
        """Send rows once; says what was answered, be it nothing. Raises Stopped when asking again is of no use."""
        await self._rested()
        said = Said()
        try:
            request = self.client.stream("POST", f"/v1/{collection}/bulk", content=body, headers=_NDJSON)
            async with request as answer:
                if answer.status_code == 200:
                    await _take_down(said, answer)
                else:
                    await answer.aread()
                    said.why = f"/v1/{collection}/bulk answered {answer.status_code}: {detail_of(answer)}"
        except httpx.HTTPError as fault:
            said.why = f"the connection broke after {len(said.lines)} answers ({fault or type(fault).__name__})"
            self.rest_shortly()
            return said
        if answer.status_code in BUSY:
            self.rest(_seconds_of(answer.headers.get("retry-after", "1")))
        elif answer.status_code != 200:
            raise Stopped(f"{said.why}.")
        return said

    def rest(self, seconds: float) -> None:
        """Ask nothing for a while."""
        until = asyncio.get_running_loop().time() + min(max(seconds, 0.0), LONGEST_REST)
        self._resting_until = max(self._resting_until, until)

    def rest_shortly(self) -> None:
        """Ask nothing for a moment, when nobody says how long."""
        self.rest(SHORT_REST)

    async def _rested(self) -> None:
        await asyncio.sleep(max(0.0, self._resting_until - asyncio.get_running_loop().time()))


async def _take_down(said: Said, answer: httpx.Response) -> None:
    said.batch = answer.headers.get("concert-version")
    async for line in _lines(answer):
        if "row" in line:
            said.lines.append(line)
        # A long answer begins before the number of its events is known, and tells it at its end.
        said.batch = line.get("batch", said.batch)


async def _lines(answer: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """The lines of an answer, as they come; one that breaks off in the middle is left out."""
    rest = b""
    async for chunk in answer.aiter_bytes():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line:
                yield from_json(line)
    if rest.strip():
        try:
            yield from_json(rest)
        except ValueError:
            return


def _seconds_of(retry_after: str) -> float:
    """How long Retry-After says to wait: a number of seconds, or a moment."""
    try:
        return float(retry_after)
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return 1.0
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - now()).total_seconds()


def detail_of(answer: httpx.Response) -> str:
    """What a refusal says, as the end of a sentence."""
    try:
        detail = str(from_json(answer.content).get("detail", ""))
    except (ValueError, AttributeError):
        detail = answer.text[:200]
    return detail.rstrip(".") + (_NO_TOKEN if answer.status_code == 401 else "")
