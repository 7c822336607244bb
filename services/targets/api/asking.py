"""Who asks, as the rules about what somebody else agrees to need to know it."""

from __future__ import annotations

from services.targets.domain.asking import NOBODY, Asker
from shared.store import Tx


def who_asks(tx: Tx) -> Asker:
    """The member and the token of whoever asks; a reaction is nobody's."""
    principal = tx.context.principal
    return Asker(principal.member, principal.subject) if principal is not None else NOBODY
