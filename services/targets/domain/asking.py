"""Who asks for something that somebody else has to agree to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asker:
    """A person or a tool: the member that a token names, if it names one, and what the token itself is called."""

    member: str | None = None
    token: str | None = None

    @property
    def name(self) -> str | None:
        """By which name it is kept who did something."""
        return self.member or self.token

    @property
    def names(self) -> list[str]:
        """All that they go by: who has two tokens, or uses a tool's, is one all the same."""
        return list(dict.fromkeys(name for name in (self.member, self.token) if name))

    def is_among(self, names: Iterable[str]) -> bool:
        """Whether they go by one of these."""
        return not set(self.names).isdisjoint(names)


NOBODY = Asker()
