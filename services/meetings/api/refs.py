"""References to what meetings itself keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from services.meetings.domain.series import Series
from services.meetings.domain.templates import Template
from shared.errors import Invalid
from shared.facts import Fact
from shared.known import known
from shared.store import Entity, Snapshot, Tx

N = TypeVar("N", bound=Entity)


async def here(tx: Tx, model: type[N], ref: str, at: str, *, locked: bool = False) -> N:
    """The thing of ours that a body refers to, if need be locked; raises Invalid with the place in the body."""
    found = await (tx.seek(model, ref) if locked else tx.seek_unlocked(model, ref))
    if found is None:
        message = f"there is no {model.kind} {ref}"
        raise Invalid.at(at, message)
    return found


async def agenda_named(tx: Tx, ref: str, before: str | None = None) -> str:
    """The id of the template that a body names; one that is retired is refused, unless it is the one of before."""
    template = await here(tx, Template, ref, "/template")
    if template.id != before:
        template.refuse_if_retired()
    return template.id


async def line_of(snapshot: Snapshot, series: str) -> list[str]:
    """A series and those from which it goes on: what was left on their tables is on its own."""
    planned = await snapshot.recall(Series, series)
    return [*planned.line, series] if planned is not None else [series]


async def all_known(tx: Tx, model: type[Fact], refs: Sequence[str], at: str) -> list[str]:
    """The ids of the departments, teams or members that a list refers to, each once."""
    ids: list[str] = []
    for place, ref in enumerate(refs):
        found: Any = await known(tx, model, ref, f"{at}/{place}")
        if found.id in ids:
            message = f"{model.kind} {ref} stands here twice"
            raise Invalid.at(f"{at}/{place}", message)
        ids.append(found.id)
    return ids


def same(at: str, said: Any, stored: Any) -> None:
    """Refuse to change what stays as it was stored."""
    if said != stored:
        raise Invalid.at(at, f"this stays as it was stored, {stored!r}; it cannot become {said!r}")
