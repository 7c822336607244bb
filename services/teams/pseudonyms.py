"""Tokens that tell people apart without saying who they are."""

from __future__ import annotations

from sqlmodel import Field

from shared.ids import new_id
from shared.store import Row, Tx


class Pseudonym(Row, table=True):
    """By which token events tell a member's setbacks from those of others; it goes with their personal data."""

    member: str = Field(primary_key=True)
    token: str = ""


async def token_of(tx: Tx, member: str) -> str:
    """The token of a member, who is locked: the same for all that is told of them."""
    known = await tx.find(Pseudonym, member)
    if known is None:
        known = Pseudonym.make(member=member, token=new_id("person"))
        tx.put(known)
    return known.token


async def forget_token(tx: Tx, member: str) -> None:
    """Nobody can be led back from the token to the member any more."""
    known = await tx.find(Pseudonym, member)
    if known is not None:
        tx.remove(known)
