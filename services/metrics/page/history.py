"""The history of a thing, asked of the service that owns it with the reader's own rights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from fastapi import Request

from services.metrics.page.asked import address
from services.metrics.page.called import departments, field_of, known, refs_in, titled
from services.metrics.page.owners import ask_owner
from services.metrics.page.values import Shown, in_words, shown
from shared.errors import NotFound
from shared.http.runtime import runtime_of
from shared.identity.permissions import Principal
from shared.store import Snapshot

OWNERS: Final[Mapping[str, tuple[str, str]]] = {
    "deal": ("targets", "deals"),
    "customer": ("targets", "customers"),
    "product": ("targets", "products"),
    "invoice": ("targets", "invoices"),
    "receipt": ("targets", "receipts"),
    "budget": ("targets", "budgets"),
    "expense": ("targets", "expenses"),
    "target": ("targets", "targets"),
    "member": ("teams", "members"),
    "team": ("teams", "teams"),
    "group": ("teams", "groups"),
    "department": ("teams", "departments"),
    "request": ("meetings", "requests"),
    "meeting": ("meetings", "meetings"),
    "item": ("meetings", "items"),
    "action": ("meetings", "actions"),
    "check-in": ("meetings", "check-ins"),
    "pulse": ("meetings", "pulses"),
    "duty": ("teams", "duties"),
    "training": ("teams", "trainings"),
    "goal": ("targets", "goals"),
    "feedback": ("targets", "feedback"),
    "accomplishment": ("targets", "accomplishments"),
    "own_measures": ("targets", "own-measures"),
    "credit_change": ("targets", "credit-changes"),
}
"""Which service owns a kind of thing, and the collection it stands in."""


def can_open(kind: str) -> bool:
    """Whether a kind of thing has a history that can be asked for."""
    return kind in OWNERS


async def history_of(request: Request, subject: str, cursor: str | None, principal: Principal) -> dict[str, Any]:
    """What the page of a history shows. Raises NotFound, Forbidden, and Overloaded when the owner does not answer."""
    kind, _, ref = subject.partition("/")
    if kind not in OWNERS or not ref.strip(".") or not ref.isprintable():
        raise NotFound(f"There is no history of {subject!r} here; write a kind and an id, for example deal/<id>.")
    service, collection = OWNERS[kind]
    path = f"/v1/{collection}/{quote(ref, safe=':')}/history"
    answer = await ask_owner(request, service, path, **({"cursor": cursor} if cursor else {}))
    names, places = await _names(request, refs_in([ref, answer["items"]]), principal)
    events = [_event(each, names, places) for each in answer["items"]]
    following = answer["next"]
    return {
        "kind": kind,
        "called": names.get(ref, ref),
        "service": service,
        "events": events,
        "first": address("/history", {"of": subject}) if cursor else None,
        "next": address("/history", {"of": subject, "cursor": following}) if following else None,
        "api": path,
    }


async def _names(request: Request, refs: set[str], principal: Principal) -> tuple[dict[str, str], dict[str, str]]:
    """What the things of a history are called, and what departments are."""

    async def query(snapshot: Snapshot) -> tuple[dict[str, str], dict[str, str]]:
        return await known(snapshot, refs, principal), await departments(snapshot)

    names, places = await runtime_of(request).store.read(query)
    return names | await titled(request, refs), places


def _event(item: Mapping[str, Any], names: Mapping[str, str], places: Mapping[str, str]) -> dict[str, Any]:
    data = item.get("data")
    facts: list[tuple[str, Shown]] = []
    if isinstance(data, Mapping):
        said = {key: value for key, value in data.items() if value not in (None, [], {}, "")}
        facts = [(in_words(key), shown(field_of(key, value, names, places))) for key, value in said.items()]
    return {
        "version": item["version"],
        "what": event_in_words(str(item["type"])),
        "type": item["type"],
        "time": item["time"],
        "facts": facts,
    }


def event_in_words(wire_name: str) -> str:
    """`concert.targets.deal-won.v1` as `Deal won`."""
    return in_words(wire_name.rpartition(".")[0].rpartition(".")[2] or wire_name)
