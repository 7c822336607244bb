"""Carrying a plan out: rows go to the bulk routes, several requests under way at a time, and every answer is read.

Whatever is sent can be sent again: what is already so is answered as unchanged. So a request that broke off, or was
turned away because there was too much to do, is repeated with the rows that have no answer yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic_core import to_json

from concert.imports.asking import TRIES, Asking, Stopped
from concert.imports.plan import Body, Facts, Plan, Step
from concert.imports.report import Report

__all__ = ["Outcome", "Stopped", "carry_out"]

ROWS_PER_REQUEST = 4_000
BYTES_PER_REQUEST = 1_000_000
UNDER_WAY = 2
PEOPLE = frozenset({"departments", "members", "teams", "groups"})
SPEAK_OF_PEOPLE = frozenset({"deals", "targets"})
"""Collections that must know the people and teams before their rows are sent."""
Progress = Callable[[str, int], None]


@dataclass(slots=True)
class Outcome:
    """What an import has done."""

    created: int = 0
    """Rows that made something that was not there."""
    done: int = 0
    """Verbs that changed something."""
    unchanged: int = 0
    """Rows about what was there already; they change it only where the file says otherwise."""
    refused: int = 0
    events: int = 0
    """How many facts were stored by all that; none when everything was already so."""
    batches: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Answer:
    """What became of one row."""

    status: int
    id: str = ""
    version: int = 0
    problem: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, line: dict[str, Any]) -> Answer:
        """The answer in a line."""
        return cls(line["status"], line.get("id") or "", line.get("version") or 0, line.get("problem") or {})

    @property
    def settled(self) -> bool:
        """Whether asking again would bring no other answer."""
        return self.status < 500 and self.status != 429

    @property
    def reason(self) -> str:
        """Why a row was refused, with the places in it."""
        detail = str(self.problem.get("detail") or self.problem.get("title") or f"answered {self.status}")
        faults = [fault for fault in self.problem.get("errors", ()) if str(fault.get("detail")) not in detail]
        places = "; ".join(f"{fault.get('pointer')}: {fault.get('detail')}" for fault in faults)
        return f"{detail} ({places})" if places else detail


@dataclass(slots=True)
class Parcel:
    """Facts on their way, with the answers that have come."""

    facts: Facts
    rows: list[bytes]
    answers: list[Answer | None]

    @classmethod
    def of(cls, facts: Facts) -> Parcel:
        """Facts that nothing has been answered to."""
        return cls(facts, [to_json(body) for body in facts.bodies], [None] * len(facts.bodies))

    @property
    def delivered(self) -> bool:
        """Whether there is nothing left to ask."""
        return all(answer is not None and answer.settled for answer in self.answers)

    @property
    def told_otherwise(self) -> bool:
        """Whether an earlier import has told differently what may be told differently."""
        first = self.answers[0]
        return self.facts.instead is not None and first is not None and first.status == 409

    def take(self, place: int, answer: Answer) -> None:
        """Note an answer; what an earlier request made stays made, though its repetition finds it there."""
        before = self.answers[place]
        if before is None or before.status != 201:
            self.answers[place] = answer

    def instead(self) -> Parcel:
        """The same without what was told differently."""
        assert self.facts.instead is not None
        return Parcel.of(Facts([self.facts.instead, *self.facts.bodies[1:]], self.facts.origin))


async def carry_out(
    plan: Plan, client: httpx.AsyncClient, report: Report, progress: Progress, *, tries: int = TRIES
) -> Outcome:
    """Send a plan, step by step. Raises Stopped."""
    return await _Delivery(Asking(client, tries), report, progress).send(plan)


class _Delivery:
    """A plan under way."""

    def __init__(self, asking: Asking, report: Report, progress: Progress) -> None:
        self.asking = asking
        self.report = report
        self.progress = progress
        self.outcome = Outcome()
        self._versions: dict[str, int] = {}

    async def send(self, plan: Plan) -> Outcome:
        """Every step after the one before. Raises Stopped."""
        news: list[str] = []
        for name, step in plan.steps.items():
            if news and step.facts and step.collection in SPEAK_OF_PEOPLE:
                await self.asking.read("/v1/deals", news, limit="1")
                news = []
            known = len(self.outcome.batches)
            await self._send_step(name, step)
            if step.collection in PEOPLE:
                news += self.outcome.batches[known:]
        return self.outcome

    async def _send_step(self, name: str, step: Step) -> None:
        """All rows of a step, in several requests at a time; those about one thing stay together, in order."""
        free = asyncio.Semaphore(UNDER_WAY)

        async def deliver(parcels: list[Parcel]) -> None:
            try:
                await self._deliver(name, step.collection, parcels)
            finally:
                free.release()

        try:
            async with asyncio.TaskGroup() as requests:
                for parcels in _loads(step):
                    await free.acquire()
                    requests.create_task(deliver(parcels))
        except* Stopped as stopped:
            raise stopped.exceptions[0] from None

    async def _deliver(self, name: str, collection: str, parcels: list[Parcel]) -> None:
        """Send parcels until every row has its answer. Raises Stopped."""
        vain = 0
        while parcels:
            why = await self._post(collection, parcels)
            for parcel in parcels:
                if parcel.delivered and not parcel.told_otherwise:
                    self._count(collection, parcel)
                    self.progress(name, len(parcel.rows))
            waiting = [parcel.instead() if parcel.delivered else parcel for parcel in parcels
                       if not parcel.delivered or parcel.told_otherwise]  # fmt: skip
            vain = vain + 1 if len(waiting) == len(parcels) else 0
            if vain == self.asking.tries:
                raise Stopped(f"{len(waiting)} rows of {collection} were not taken after {vain} tries: {why}.")
            parcels = waiting

    async def _post(self, collection: str, parcels: list[Parcel]) -> str:
        """Send all rows once and note their answers; says why some have none, or none that lasts. Raises Stopped."""
        places = [(parcel, place) for parcel in parcels for place in range(len(parcel.rows))]
        said = await self.asking.bulk(collection, b"\n".join(row for parcel in parcels for row in parcel.rows))
        for line in said.lines:
            parcel, place = places[line["row"] - 1]
            parcel.take(place, Answer.of(line))
        if said.batch is not None and not said.batch.endswith("@0"):
            self.outcome.batches.append(said.batch)
            self.outcome.events += int(said.batch.rpartition("@")[2])
        busy = [answer for parcel in parcels for answer in parcel.answers if answer and not answer.settled]
        if busy:
            self.asking.rest_shortly()
        return said.why or (busy[0].reason if busy else f"{len(said.lines)} of {len(places)} rows were answered")

    def _count(self, collection: str, parcel: Parcel) -> None:
        for body, answer in zip(parcel.facts.bodies, parcel.answers, strict=True):
            assert answer is not None
            if answer.status < 400:
                self._count_taken(body, answer)
            elif parcel.facts.settled_by is not None and answer.problem.get("rule") == parcel.facts.settled_by:
                self.outcome.unchanged += 1
            else:
                self.outcome.refused += 1
                row = parcel.facts.origin
                self.report.refuse(row.file if row else collection, row.line if row else 0, answer.reason)

    def _count_taken(self, body: Body, answer: Answer) -> None:
        before = self._versions.get(answer.id)
        self._versions[answer.id] = answer.version
        if answer.status == 201:
            self.outcome.created += 1
        elif "do" in body and answer.version != before:
            self.outcome.done += 1
        else:
            self.outcome.unchanged += 1


def _loads(step: Step) -> Iterator[list[Parcel]]:
    """The facts of a step, as many together as one request carries."""
    load: list[Parcel] = []
    rows = size = 0
    for facts in step.facts:
        parcel = Parcel.of(facts)
        load.append(parcel)
        rows += len(parcel.rows)
        size += sum(map(len, parcel.rows))
        if rows >= ROWS_PER_REQUEST or size >= BYTES_PER_REQUEST:
            yield load
            load, rows, size = [], 0, 0
    if load:
        yield load
