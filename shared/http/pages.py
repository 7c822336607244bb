"""Keyset pages: a cursor names the last item seen, so a page stays right while things are added."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Set
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote

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
            cursor = cls(urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)).decode())
        except ValueError:
            raise _not_a_cursor() from None
        # The decoder skips what it does not know, so that "!" would be read as the first page.
        if "\x00" in cursor.last or cursor.text() != text:
            raise _not_a_cursor()
        return cursor

    @property
    def number(self) -> int:
        """The key of the last item, of things that are numbered; raises Invalid."""
        if not self.last:
            return 0
        if not self.last.isdecimal() or len(self.last) > 9:
            raise _not_a_cursor()
        return int(self.last)

    def text(self) -> str:
        """The cursor as it is given out."""
        return urlsafe_b64encode(self.last.encode()).decode().rstrip("=")


def _not_a_cursor() -> Invalid:
    return Invalid("This cursor is not one that a page gave.", [Fault("/cursor", "not a cursor")])


def asked_only(request: Request, known: Set[str], repeatable: Set[str] = frozenset({"after"})) -> None:
    """Refuse a parameter that is not known, and one that is given twice where one of the two would be ignored."""
    for name in sorted(set(request.query_params)):
        if name not in known:
            raise Invalid(
                f"{name} is not known here; known are {', '.join(sorted(known))}.", [Fault(f"/{name}", "not known")]
            )
        values = request.query_params.getlist(name)
        if len(values) > 1 and name not in repeatable:
            detail = f"{name} is given {len(values)} times; it can be asked for once"
            raise Invalid(f"{detail}.", [Fault(f"/{name}", detail)])


def link_next(request: Request, cursor: str | None) -> dict[str, str]:
    """The Link header that leads to the next page."""
    if cursor is None:
        return {}
    url = request.url.include_query_params(cursor=cursor)
    return {"Link": f'<{quote(url.path, safe="/:%")}?{url.query}>; rel="next"'}
