"""What a number of a review opens to: what it means, what it is made of, and the things whose events are behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.metrics.api.review_opening import explained
from services.metrics.api.reviews import reviews, sight_of
from services.metrics.domain.reviews import Review
from services.metrics.facts.teams import TeamFact
from services.metrics.page.asked import address
from services.metrics.page.history import can_open
from services.metrics.page.review.associations import called
from services.metrics.page.review.figures import SMALL_TEAM, Figure, Reader, opened
from services.metrics.page.review.words import WEAKNESSES
from services.metrics.page.values import in_words, shown
from services.metrics.review.catalogue import MEASURES
from services.metrics.review.seen import as_seen
from services.metrics.review.thresholds import Rules
from services.metrics.views.names import names_of
from shared.identity.permissions import Principal
from shared.store import Snapshot


async def opening(snapshot: Snapshot, ref: str, path: str, reader: Principal) -> dict[str, Any]:
    """What the page of a number shows. Raises NotFound for one that is not there, or not for this reader."""
    review = await reviews.for_reader(snapshot, await snapshot.get(Review, ref), ref, reader)
    found = await explained(snapshot, review, path, reader)
    sight = await sight_of(snapshot, review.team, reader)
    document = as_seen(review.document, sight, reader.member)
    members = review.document["associations"]["network"]["members"]
    numbers = Reader(review.id, Rules.model_validate(review.rules), document["currency"], document["baseline"],
                     members < SMALL_TEAM)  # fmt: skip
    place, _, last = path.rpartition("/")
    team = await snapshot.recall(TeamFact, review.team)
    whose = await _whose(snapshot, path, reader)
    value = found["value"]
    return {
        "review": review, "team": team.name if team else review.team, "path": path, "whose": whose,
        "definition": (defined := found["definition"]), "title": defined["name"] if defined else _title(path),
        "figures": {name: shown(each) for name, each in found["figures"].items()},
        "figure": numbers.figure(place, last, value) if last in MEASURES and _is_number(value) else None,
        "value": None if last in MEASURES and _is_number(value) else shown(value),
        "parts_of": [_part(numbers, document, each) for each in found["parts"] if each.rpartition("/")[2] in MEASURES],
        "pairs": await _pairs(snapshot, review.id, found["parts"], reader),
        "sources": [_source(each["subject"] or "") for each in found["sources"]],
        "may_say": sight != "outside",
        "api": address(f"/v1/reviews/{review.id}/explain", {"path": path}),
        "back": f"/reviews/{review.id}",
    }  # fmt: skip


async def _whose(snapshot: Snapshot, path: str, reader: Principal) -> str:
    """The names of whom a place of the document is about."""
    refs = [each for piece in path.split("/") for each in piece.split("~") if each.startswith("mbr_")]
    names = await names_of(snapshot, "member", refs, reader)
    return " and ".join(names.get(each, each) for each in refs)


async def _pairs(snapshot: Snapshot, review: str, parts: Sequence[str], reader: Principal) -> list[tuple[str, str]]:
    """The pairs a number of the graph is made of, by name, and what they open to."""
    paths = [each for each in parts if each.startswith("/associations/")]
    whose = {each: each.rpartition("/")[2].split("~") for each in paths}
    names = await names_of(snapshot, "member", sorted({one for pair in whose.values() for one in pair}), reader)
    return [(" \N{EN DASH} ".join(called(one, names) for one in whose[each]), opened(review, each)) for each in paths]


def _title(path: str) -> str:
    """What lies at a place that is no measure."""
    first, *rest = path.strip("/").split("/")
    match first, rest:
        case "associations", ["edges", _]:
            return "what there is between two"
        case "associations", ["needs", _]:
            return "how often work needed two to have to do with each other"
        case "contributions", _:
            return "credited share"
        case "weaknesses", [code] if code in WEAKNESSES:
            return WEAKNESSES[code]
    return in_words((rest or [first])[-1])


def _is_number(value: Any) -> bool:
    return isinstance(value, dict) and {"value", "low", "high", "n", "numerator", "missing"} <= value.keys()


def _part(numbers: Reader, document: dict[str, Any], path: str) -> Figure:
    found: Any = document
    for each in path.strip("/").split("/"):
        found = found[each]
    place, _, last = path.rpartition("/")
    return numbers.figure(place, last, found)


def _source(subject: str) -> tuple[str, str | None]:
    kind = subject.partition("/")[0]
    return subject, address("/history", {"of": subject}) if can_open(kind) else None
