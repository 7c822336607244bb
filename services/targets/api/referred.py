"""The customers and products that bodies refer to."""

from __future__ import annotations

from services.targets.domain.customers import Customer
from services.targets.domain.products import Product
from shared.errors import Invalid
from shared.store import Tx


async def referred(tx: Tx, model: type[Customer] | type[Product], ref: str | None, at: str) -> str | None:
    """The id of a customer or product a body refers to; raises Invalid with the place in the body."""
    if ref is None:
        return None
    found = await tx.seek_unlocked(model, ref)
    if found is None:
        message = f"there is no {model.kind} {ref}"
        raise Invalid.at(at, message)
    merged = getattr(found, "merged_into", None)
    return merged or found.id
