"""Events that were given up by hand: the views lack them for good, and the certificate goes on saying so.

Who has said why has accepted the loss. What follows from it alone is still named, but nobody need be alarmed again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from shared.ids import shard_of
from shared.store import Snapshot
from shared.store.tables import Discarded, SourceProgress

_progress = SourceProgress.__table__.c  # type: ignore[attr-defined]
_SKIPPED = sa.select(SourceProgress).where(_progress.skipped > 0)
_given_up = Discarded.__table__.c  # type: ignore[attr-defined]
_ACCEPTED = sa.select(Discarded).where(_given_up.lacking, _given_up.reason.is_not(None))


@dataclass(frozen=True, slots=True)
class Losses:
    """How many events of each owner were given up, and those of them that somebody accepts to have lost."""

    skipped: Mapping[str, int]
    accepted: Sequence[Discarded]

    @property
    def doubts(self) -> list[str]:
        """What the certificate says of them."""
        said = Counter(each.source.strip("/") for each in self.accepted)
        return [
            f"{count} events of {owner} were discarded by hand"
            + (", each for a reason that is kept" if said[owner] >= count else "")
            for owner, count in self.skipped.items()
        ]

    def explain(self, reason: str) -> bool:
        """Whether a reason of the certificate follows from accepted losses alone."""
        places = {(each.source.strip("/"), each.subject) for each in self.accepted}
        books = tuple(
            f"the books of {owner} differ: {subject.partition('/')[0]} in shard {shard_of(subject)}:"
            for owner, subject in places
        )
        return reason.endswith(", each for a reason that is kept") or reason.startswith(books)


async def losses_of(snapshot: Snapshot) -> Losses:
    """What was given up and is lacking still."""
    skipped = {row.owner: row.skipped for row in await snapshot.all(SourceProgress, _SKIPPED)}
    return Losses(skipped, await snapshot.all(Discarded, _ACCEPTED) if skipped else [])
