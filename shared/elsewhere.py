"""What only its owner knows: of things that are not kept here, not even as facts, it is asked when they are named.

Nothing is asked inside a transaction: the write breaks off there, the owner is asked, and the write is decided once
more with the answer (`shared.http.heard`). Why not all of them are heard of is told in `docs/decisions/0026`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from shared.errors import Invalid, Overloaded
from shared.store import Tx


class AskItsOwner(Overloaded):
    """A write names a thing of which only its owner knows, and the owner has not been asked yet."""

    def __init__(self, service: str, path: str) -> None:
        super().__init__(f"Whether there is {path} only {service} knows, and it has not been asked; send this again.")
        self.service = service
        self.path = path


async def of_owner(tx: Tx, service: str, collection: str, ref: str, at: str) -> Mapping[str, Any]:
    """A thing of another service, as that shows it; raises Invalid with the place in the body where there is none."""
    path = f"/v1/{collection}/{quote(ref, safe=':')}"
    # No id has a slash in it: with one it would be the address of something else.
    if "/" not in ref and path not in tx.context.told:
        raise AskItsOwner(service, path)
    found: Mapping[str, Any] | None = tx.context.told.get(path)
    if found is None:
        raise Invalid.at(at, f"{service} has no {collection.removesuffix('s')} {ref}")
    return found
