"""What options are carried out by, for one team: the catalogue's steps with the pairs they are about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from services.metrics.review.options import Option
from services.metrics.review.options import Step as Said
from shared.events.reviews import Step

Pairs = Sequence[Sequence[str]]
NEED_SOMEBODY: Final = ("duty", "action", "trainings")
"""Steps that somebody sees to."""


def steps_of(
    chosen: Iterable[Option], document: Mapping[str, Any], uncovered: Pairs, courses: Sequence[str]
) -> list[Step]:
    """The steps of what was chosen; one about pairs of which there are none is left out. `courses` train teamwork."""
    found = []
    for option in chosen:
        for each in option.steps:
            pairs = _pairs(each, document, uncovered)
            if each.what != "liaisons" or pairs:
                named = tuple(courses) if each.kind == "teamwork" else ()
                said = each.model_dump(exclude={"between"})
                found.append(Step(option=option.id, pairs=pairs, courses=named, **said))
    return found


def _pairs(step: Said, document: Mapping[str, Any], uncovered: Pairs) -> tuple[tuple[str, str], ...]:
    if step.between == "uncovered ties":
        return tuple((str(one), str(other)) for one, other in uncovered)
    return tuple(buddies(document)) if step.between == "isolates" else ()


def buddies(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """For each isolated member somebody with ties who gives the least help so far, and nobody twice while there are
    others: a buddy must not be overloaded. Where nobody has ties, the isolated are each other's."""
    network = document["associations"]["network"]
    degrees, given = network["degrees"], network["help_given"]
    hubs = set(document["weaknesses"]["W-HUB"]["about"])
    tied = [each for each in degrees if degrees[each] and each not in hubs]
    ready = sorted(tied, key=lambda each: (given.get(each, 0), -degrees[each], each))
    alone = document["weaknesses"]["W-ISO"]["about"]
    for place, isolate in enumerate(alone):
        if ready:
            yield isolate, ready[place % len(ready)]
        elif place + 1 < len(alone):
            yield isolate, alone[place + 1]
