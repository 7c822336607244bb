"""The history of a thing, asked of the service that owns it with the reader's own rights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from fastapi import Request

from services.metrics.page.asked import address
from services.metrics.page.owners import ask_owner
from services.metrics.page.values import Shown, in_words, shown
from shared.errors import NotFound

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


async def history_of(request: Request, subject: str, cursor: str | None) -> dict[str, Any]:
    """What the page of a history shows. Raises NotFound, Forbidden, and Overloaded when the owner does not answer."""
    kind, _, ref = subject.partition("/")
    if kind not in OWNERS or not ref.strip(".") or not ref.isprintable():
        raise NotFound(f"There is no history of {subject!r} here; write a kind and an id, for example deal/<id>.")
    service, collection = OWNERS[kind]
    path = f"/v1/{collection}/{quote(ref, safe=':')}/history"
    answer = await ask_owner(request, service, path, **({"cursor": cursor} if cursor else {}))
    events = [_event(each) for each in answer["items"]]
    following = answer["next"]
    return {
        "kind": kind,
        "ref": ref,
        "service": service,
        "events": events,
        "first": address("/history", {"of": subject}) if cursor else None,
        "next": address("/history", {"of": subject, "cursor": following}) if following else None,
        "api": path,
    }


def _event(item: Mapping[str, Any]) -> dict[str, Any]:
    data = item.get("data")
    facts: list[tuple[str, Shown]] = []
    if isinstance(data, Mapping):
        facts = [(in_words(key), shown(value)) for key, value in data.items() if value not in (None, [], {}, "")]
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
