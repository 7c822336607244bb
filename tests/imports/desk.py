"""A desk that takes bulk requests as Concert does, keeps what it is told in memory, and can be made to misbehave."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx

KINDS = {"members": "member", "deals": "deal", "products": "product"}


@dataclass
class Thing:
    """Something that was told of."""

    id: str
    version: int
    fields: dict[str, Any]
    done: list[str] = field(default_factory=list)


@dataclass
class Desk:
    """The application; its lists say what happened, its other fields what shall go wrong."""

    turned_away: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """How the next bulk requests are turned away."""
    cut_after: list[int] = field(default_factory=list)
    """After how many rows the next answers break off."""
    refused: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The problem that rows about a thing are refused with, by what the source calls it."""
    busy: Counter[str] = field(default_factory=Counter)
    """How often the verbs about a thing are put off."""
    counted_at_the_end: bool = False
    """Whether an answer tells its batch in the last line, as a long one does."""
    things: dict[str, dict[str, Thing]] = field(default_factory=lambda: defaultdict(dict))
    bulks: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list)
    waited_for: list[tuple[str, list[str], list[str]]] = field(default_factory=list)
    """Each read, with the versions it waited for and the collections that had been told of by then."""
    tokens: set[str] = field(default_factory=set)
    imports: list[dict[str, Any]] = field(default_factory=list)
    """The imports that were told of."""
    forbidden: bool = False
    """Whether nobody may tell of imports."""

    def client(self, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
        """A client without a network between."""
        found = transport or httpx.ASGITransport(self)  # type: ignore[arg-type]
        return httpx.AsyncClient(transport=found, base_url="http://desk.test")

    def rows(self, collection: str) -> list[dict[str, Any]]:
        """All rows that came for a collection, in order of arrival."""
        return [row for name, rows in self.bulks if name == collection for row in rows]

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.tokens |= {value.decode() for name, value in scope["headers"] if name == b"authorization"}
        if scope["path"] == "/v1/imports":
            status, headers, answer = self._told_of(json.loads(body))
        elif scope["method"] == "POST":
            status, headers, answer = self._bulk(scope["path"].split("/")[2], body)
        else:
            status, headers, answer = self._read(scope["path"], scope["query_string"].decode())
        pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": answer})

    def _read(self, path: str, query: str) -> tuple[int, dict[str, str], bytes]:
        self.waited_for.append((path, parse_qs(query).get("after", []), [name for name, _ in self.bulks]))
        won = [thing for thing in self.things["deals"].values() if any('"win"' in act for act in thing.done)]
        figures = {"deals_won": len(won), "revenue": None, "target": {"amount": "7.00", "currency": "USD"}}
        return 200, {}, json.dumps({"views": {"sales": {"figures": figures}}}).encode()

    def _told_of(self, run: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        if self.forbidden:
            return 403, {}, b'{"detail": "The token lacks imports:write."}'
        self.imports.append(run)
        return 201, {}, b"{}"

    def _bulk(self, collection: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if self.turned_away:
            status, headers = self.turned_away.pop(0)
            return status, headers, b'{"detail": "Come back later."}'
        rows = [json.loads(line) for line in body.splitlines()]
        self.bulks.append((collection, rows))
        version_sum = self._versions(collection)
        answers = [self._answer(collection, number, row) for number, row in enumerate(rows, 1)]
        events = self._versions(collection) - version_sum
        lines = b"".join(json.dumps(answer).encode() + b"\n" for answer in answers)
        if self.cut_after:
            kept = self.cut_after.pop(0)
            lines = b"\n".join(lines.split(b"\n")[:kept]) + b'\n{"row": 99, "sta'
        batch = f"batch/{len(self.bulks)}@{events}"
        if self.counted_at_the_end:
            return 200, {}, lines + json.dumps({"batch": batch}).encode() + b"\n"
        return 200, {"Concert-Version": batch}, lines

    def _versions(self, collection: str) -> int:
        return sum(thing.version for thing in self.things[collection].values())

    def _answer(self, collection: str, number: int, row: dict[str, Any]) -> dict[str, Any]:
        kind = KINDS.get(collection, collection)
        name = row["external"]["id"] if "external" in row else row[kind].rpartition(":")[2]
        if name in self.refused:
            problem = self.refused[name]
            return {"row": number, "status": problem["status"], "problem": problem}
        if "do" in row and self.busy[name] > 0:
            self.busy[name] -= 1
            return {"row": number, "status": 503, "problem": {"detail": "Too busy to take this on now."}}
        outcome = self._done(collection, name, row) if "do" in row else self._told(collection, name, row)
        if isinstance(outcome, dict):
            return {"row": number, "status": outcome["status"], "problem": outcome}
        status, thing = outcome
        return {"row": number, "status": status, "id": thing.id, "version": thing.version}

    def _told(self, collection: str, name: str, row: dict[str, Any]) -> tuple[int, Thing] | dict[str, Any]:
        thing = self.things[collection].get(name)
        if thing is None:
            thing = self.things[collection][name] = Thing(f"{collection}_{name}", 1, dict(row))
            return 201, thing
        if row.get("starts_on", thing.fields.get("starts_on")) != thing.fields.get("starts_on"):
            return {"status": 409, "detail": "That does not change."}
        if any(thing.fields.get(key) != value for key, value in row.items()):
            thing.version += 1
            thing.fields |= row
        return 200, thing

    def _done(self, collection: str, name: str, row: dict[str, Any]) -> tuple[int, Thing] | dict[str, Any]:
        thing = self.things[collection].get(name)
        if thing is None:
            return {"status": 404, "detail": f"There is nothing called {name}."}
        act = json.dumps(row, sort_keys=True)
        if act not in thing.done:
            if row["do"] == "join" and any(row["team"] in before for before in thing.done):
                return {"status": 409, "detail": "In that team since then.", "rule": "already-in-team"}
            thing.done.append(act)
            thing.version += 1
        return 200, thing
