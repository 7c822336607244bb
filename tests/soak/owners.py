"""The owners, as far as metrics asks them: the books of what they have told."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.metrics.consistency.certificate import OWNERS
from shared.events import PEOPLE
from shared.ids import mark_of, shard_of
from tests.soak.lives import Told


class Books:
    """What each owner has: by kind and shard how many things, which versions, and how many cents."""

    def __init__(self) -> None:
        self.told = dict.fromkeys(OWNERS, 0)
        """Events of each owner."""
        self._lines: dict[str, dict[tuple[str, int], list[int]]] = {owner: {} for owner in OWNERS}

    def enter(self, told: Told) -> None:
        """One event more; what is told of people is on a topic that forgets, and in no books."""
        if told.event.topic == PEOPLE:
            return
        owner, shard = told.event.topic.rpartition(".")[2], shard_of(told.subject)
        line = self._lines[owner].setdefault((told.subject.partition("/")[0], shard), [0, 0, 0])
        self.told[owner] += 1
        line[0] += told.version == 1
        line[1] += mark_of(told.subject, told.version)
        line[1] -= mark_of(told.subject, told.version - 1) if told.version > 1 else 0
        line[2] += told.more

    def shown(self, owner: str) -> dict[str, Any]:
        """The books of an owner, as `/v1/books` shows them."""
        lines = [
            {"kind": kind, "shard": shard, "count": count, "marks": marks, "totals": {"EUR": cents} if cents else {}}
            for (kind, shard), (count, marks, cents) in self._lines[owner].items()
        ]
        return {"service": owner, "events": self.told[owner], "lines": lines}


def answering(books: Books) -> Starlette:
    """All owners as one server, which knows their books and nothing else."""

    async def read_books(request: Request) -> Response:
        return JSONResponse(books.shown(request.query_params["service"]))

    return Starlette(routes=[Route("/v1/books", read_books)])
