"""The four cells of a review: behaviour and results of each member, process and results of the team."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.metrics.page.review.figures import Figure, Reader

BEHAVIOUR: Final = ("IB1", "IB2", "IB3", "IB4", "IB5", "IB6", "IB7", "IB8")
RESULTS: Final = ("IR1", "IR2", "IR3", "IR4", "IR6")
PROCESS: Final = ("TP1", "ATT", "TP2", "IB4", "TP3", "TP4", "TP5", "TP6", "TP7", "IB6", "TP8")
SURVEY: Final = ("AL5", "IC5", "RW5", "AL6", "IC6", "RW6")
TEAM: Final = ("TR1", "TR2", "TR3", "NPS", "TR4", "ENPS", "TR5", "WIN", "SUR")
GOALS: Final = ("TR6", "LINK", "PULL", "LOS", "OWN")


@dataclass(frozen=True, slots=True)
class Person:
    """A member's part of a cell: the numbers there are, and why there are no others."""

    ref: str
    name: str
    known: Sequence[Figure]
    unknown: Sequence[Figure]


@dataclass(frozen=True, slots=True)
class Matrix:
    """The four cells, the two indices, and the link to the goals."""

    behaviour: Sequence[Person]
    results: Sequence[Person]
    process: Sequence[Figure]
    survey: Sequence[Figure]
    """How far what the team answered can be trusted."""
    team: Sequence[Figure]
    goals: Sequence[Figure]
    indices: Sequence[Figure]


def matrix_of(reader: Reader, measures: Mapping[str, Any], names: Mapping[str, str]) -> Matrix:
    """The cells of a document, as far as they are for who reads it."""
    team = measures["team"]

    def of_team(ids: Sequence[str]) -> list[Figure]:
        return [reader.figure("/measures/team", each, team[each]) for each in ids if each in team]

    return Matrix(
        behaviour=_people(reader, measures["members"], names, BEHAVIOUR),
        results=_people(reader, measures["members"], names, RESULTS),
        process=of_team(PROCESS), survey=of_team(SURVEY), team=of_team(TEAM), goals=of_team(GOALS),
        indices=of_team(("COM", "TWK")),
    )  # fmt: skip


def _people(reader: Reader, members: Mapping[str, Any], names: Mapping[str, str], ids: Sequence[str]) -> list[Person]:
    found = []
    for ref, values in members.items():
        figures = [reader.figure(f"/measures/members/{ref}", each, values[each]) for each in ids if each in values]
        known = [each for each in figures if each.missing is None]
        found.append(Person(ref, names.get(ref, ref), known, [each for each in figures if each.missing is not None]))
    return sorted(found, key=lambda each: (each.name, each.ref))
