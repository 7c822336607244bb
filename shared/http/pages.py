"""Keyset pages: a cursor names the last item seen, so a page stays right while things are added."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Self

from fastapi import Request

from shared.errors import Fault, Invalid


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: after the item with this key."""

    last: str = ""

    @classmethod
    def read(cls, text: str | None) -> Self:
        """A cursor from a request; raises Invalid."""
        if not text:
            return cls()
        try:
            last = urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)).decode()
        except ValueError:
            last = "\x00"
        if "\x00" in last:
            raise Invalid("This cursor is not one that a page gave.", [Fault("/cursor", "not a cursor")])
        return cls(last)

    def text(self) -> str:
        """The cursor as it is given out."""
        return urlsafe_b64encode(self.last.encode()).decode().rstrip("=")


def link_next(request: Request, cursor: str | None) -> dict[str, str]:
    """The Link header that leads to the next page."""
    if cursor is None:
        return {}
    url = request.url.include_query_params(cursor=cursor)
    return {"Link": f'<{url.path}?{url.query}>; rel="next"'}
