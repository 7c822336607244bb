"""What stands of the answers to a pulse that is open: tokens that tell people apart without saying who they are."""

from __future__ import annotations

import hmac
from hashlib import sha256

from sqlmodel import Field

from shared.store import Row
from shared.store.types import Json


class PulseKey(Row, table=True):
    """What tells those apart who answer a pulse; it is thrown away when the pulse closes."""

    __tablename__ = "pulse_key"

    pulse: str = Field(primary_key=True)
    key: str


class PulseAnswer(Row, table=True):
    """What somebody answers to a pulse that is open. There is no day and no order in it, and no way back from the
    token once the key is gone."""

    __tablename__ = "pulse_answer"

    pulse: str = Field(primary_key=True)
    token: str = Field(primary_key=True)
    answers: dict[str, int] = Field(default_factory=dict, sa_type=Json)


def token_of(key: str, member: str) -> str:
    """Under what the answers of a member stand."""
    return hmac.new(bytes.fromhex(key), member.encode(), sha256).hexdigest()
