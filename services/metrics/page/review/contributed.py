"""What each contributed: three numbers side by side, never one, in the order of names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.metrics.page.review.figures import Figure, Reader, opened
from services.metrics.page.review.words import times


@dataclass(frozen=True, slots=True)
class Contributed:
    """One member's three numbers."""

    name: str
    share: str
    difference: Figure
    help: str
    link: str


def contributed_of(document: Mapping[str, Any], reader: Reader, names: Mapping[str, str]) -> list[Contributed]:
    """Of every member the reader may see."""
    found = [
        Contributed(
            names.get(each["member"], each["member"]),
            reader.worded(each["share"]["value"], "money") if each["share"]["value"] else "no deal was won with them",
            reader.figure(f"/measures/members/{each['member']}", "IR6", each["difference"]),
            f"{times(each['helped'], 'help')} given, {times(each['resolved'], 'item')} of others resolved",
            opened(reader.review, f"/contributions/{each['member']}"),
        )
        for each in document["contributions"]
    ]  # fmt: skip
    return sorted(found, key=lambda each: (each.name, each.link))
