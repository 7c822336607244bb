"""What stands of a peer round that is open: who does not want to be rated, and answers under tokens that tell people
apart without saying who they are."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from hashlib import sha256

import sqlalchemy as sa
from sqlmodel import Field

from shared.store import Row, Snapshot, Tx
from shared.store.types import Json


class PeerKey(Row, table=True):
    """What tells those apart who answer a round; it is thrown away when the round closes."""

    __tablename__ = "peer_key"

    round: str = Field(primary_key=True)
    key: str


class PeerRating(Row, table=True):
    """What somebody says of a team mate in a round that is open. There is no day and no order in it; what one member
    says of two cannot be told to be by the same."""

    __tablename__ = "peer_rating"

    round: str = Field(primary_key=True)
    token: str = Field(primary_key=True)
    about: str = Field(index=True)
    answers: dict[str, int] = Field(default_factory=dict, sa_type=Json)


class PeerRefusal(Row, table=True):
    """That a member does not want to be rated in a round."""

    __tablename__ = "peer_refusal"

    round: str = Field(primary_key=True)
    member: str = Field(primary_key=True)


_rating = PeerRating.__table__.c  # type: ignore[attr-defined]
_refusal = PeerRefusal.__table__.c  # type: ignore[attr-defined]
_OF_ROUND = sa.select(PeerRating).where(_rating.round == sa.bindparam("round"))
_UNWILLING = sa.select(PeerRefusal).where(_refusal.round == sa.bindparam("round"))
_ABOUT = sa.select(PeerRating).where(_rating.about == sa.bindparam("member"))
_REFUSED_BY = sa.select(PeerRefusal).where(_refusal.member == sa.bindparam("member"))


def token_of(key: str, rater: str, about: str) -> str:
    """Under what the answers of a member about another stand."""
    return hmac.new(bytes.fromhex(key), f"{rater} {about}".encode(), sha256).hexdigest()


async def said_in(snapshot: Snapshot, round: str) -> Sequence[PeerRating]:
    """All that was said in a round so far."""
    return await snapshot.all(PeerRating, _OF_ROUND, round=round)


async def unwilling_in(snapshot: Snapshot, round: str) -> set[str]:
    """Who does not want to be rated in a round."""
    return {each.member for each in await snapshot.all(PeerRefusal, _UNWILLING, round=round)}


async def forget_all_of(tx: Tx, round: str) -> None:
    """Nothing leads back to anybody any more: the round is over."""
    for row in await said_in(tx, round):
        tx.remove(row)
    for member in await unwilling_in(tx, round):
        tx.remove(PeerRefusal.make(round=round, member=member))
    tx.remove(PeerKey.make(round=round, key=""))


async def forget_about(tx: Tx, member: str, round: str | None = None) -> None:
    """What was said of a member, in one round or in all that are open, is said no more."""
    for row in await tx.all(PeerRating, _ABOUT, member=member):
        if round in (None, row.round):
            tx.remove(row)


async def forget_member(tx: Tx, member: str) -> None:
    """Nothing is known of somebody in rounds that are open."""
    await forget_about(tx, member)
    for row in await tx.all(PeerRefusal, _REFUSED_BY, member=member):
        tx.remove(row)
