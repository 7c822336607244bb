"""The page of the whole organisation: how work runs between its departments or teams, and which groups ties make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request
from markupsafe import Markup

from services.metrics.api.organisation_graph import organisation_graph
from services.metrics.page.asked import address
from services.metrics.page.periods import first_look
from services.metrics.page.review.associations import inward_in_words
from services.metrics.page.review.drawing import Drawn, drawn
from services.metrics.page.review.figures import tenths
from services.metrics.page.review.listing import quarters_of
from services.metrics.page.review.words import listed, times
from services.metrics.page.values import SPACE, in_words
from services.metrics.review.organisation import FEW
from services.metrics.review.reading.everybody import By
from services.metrics.views.names import names_of
from services.metrics.views.shown import house_of
from shared.asked_period import AskedPeriod
from shared.errors import Fault, Invalid
from shared.http.runtime import runtime_of
from shared.identity.permissions import Principal
from shared.instant import day_of, now
from shared.period import BadPeriod, Period
from shared.store import Snapshot

BY: Final[Mapping[str, By]] = {"department": "department", "team": "team"}
NOWHERE: Final = {"department": "no department", "team": "no team"}


@dataclass(frozen=True, slots=True)
class Line:
    """A department, a team, or what there is between two: its counts, and how far needs are covered."""

    name: str
    members: int
    inside: int
    outside: int
    needed: str
    covered: str
    interval: str


@dataclass(frozen=True, slots=True)
class Everybody:
    """What is on the page."""

    period: str
    periods: Sequence[str]
    by: By
    members: int
    ties: int
    untied: int
    drawing: Markup
    units: Sequence[Line]
    between: Sequence[Line]
    says: Sequence[str]
    groups: Sequence[str]
    definitions: Sequence[Mapping[str, Any]]
    data: str


async def everybody_of(request: Request, principal: Principal) -> Everybody:
    """The page of the period and in the terms that are asked for; of the latest quarter that is over, by departments,
    where nothing is."""
    given = request.query_params
    by = BY.get(given.get("by", ""), "department")
    store = runtime_of(request).store
    house, first = await store.read(_house)
    try:
        asked = AskedPeriod.of(given.get("period") or first, None, None)
    except BadPeriod as fault:
        raise Invalid(str(fault), [Fault("/period", str(fault))]) from None
    found = await organisation_graph(request, asked, by)
    names = await store.read(lambda snapshot: _names(snapshot, found, by, principal))
    quarter = Period.of("quarter", day_of(now(), house.zone), house.first_month)
    return Everybody(
        period=found["period"]["label"], periods=quarters_of(quarter, house.first_month), by=by,
        members=found["members"], ties=found["ties"], untied=found["untied"], drawing=_drawing(found, names),
        units=[_unit(each, names) for each in found["units"]],
        between=[_between(each, names) for each in found["between"]],
        says=_says(found, by), groups=[_group(each, names) for each in found["groups"]["groups"]],
        definitions=list(found["definitions"].values()),
        data=address("/v1/associations/organisation", {"period": asked.text, "by": by}),
    )  # fmt: skip


async def _house(snapshot: Snapshot) -> tuple[Any, str]:
    house = await house_of(snapshot)
    return house, (await first_look(snapshot, day_of(now(), house.zone), house.first_month)).label


async def _names(snapshot: Snapshot, found: Mapping[str, Any], by: By, reader: Principal) -> dict[str | None, str]:
    refs = {each["ref"] for each in found["units"]} - {None, FEW}
    known = await names_of(snapshot, by, sorted(refs), reader)
    few = f"{'departments' if by == 'department' else 'teams'} of fewer than five"
    return {each: known.get(each) or in_words(each) for each in refs} | {None: NOWHERE[by], FEW: few}


def _unit(each: Mapping[str, Any], names: Mapping[str | None, str]) -> Line:
    return _line(names[each["ref"]], each["coverage"], each["members"], each["ties_inside"], each["ties_outside"])


def _between(each: Mapping[str, Any], names: Mapping[str | None, str]) -> Line:
    return _line(" \N{EN DASH} ".join(names[one] for one in each["between"]), each["coverage"], outside=each["ties"])


def _line(name: str, coverage: Mapping[str, Any], members: int = 0, inside: int = 0, outside: int = 0) -> Line:
    covered, needed = _count(coverage["numerator"]), _count(coverage["n"])
    if coverage["value"] is None:
        return Line(name, members, inside, outside, needed, f"{covered} of {needed}", "")
    low, high = tenths(coverage["low"]), tenths(coverage["high"])
    return Line(name, members, inside, outside, needed, f"{tenths(coverage['value'])}{SPACE}%",
                f"{low} to {high}{SPACE}%")  # fmt: skip


def _count(value: str | None) -> str:
    return f"{float(value or 0):.0f}"


def _drawing(found: Mapping[str, Any], names: Mapping[str | None, str]) -> Markup:
    """Departments or teams on a ring: a line where there are ties, and how often one that was needed was not there."""
    called = {str(ref or "-"): name for ref, name in names.items()}
    there = [str(each["ref"] or "-") for each in found["units"]]
    pairs = {
        (str(one or "-"), str(other or "-")): each for each in found["between"] for one, other in [each["between"]]
    }
    gaps = {
        pair: int(float(each["coverage"]["n"]) - float(each["coverage"]["numerator"])) for pair, each in pairs.items()
    }
    says = {pair: f"{called[pair[0]]} and {called[pair[1]]}: {times(each['ties'], 'tie')},"
            f" {_count(each['coverage']['numerator'])} of {_count(each['coverage']['n'])} needs with a working tie"
            for pair, each in pairs.items()}  # fmt: skip
    return drawn(Drawn(
        "How work runs between them", there, [], called,
        {pair: gaps[pair] == 0 for pair, each in pairs.items() if each["ties"]},
        {pair: gap for pair, gap in gaps.items() if gap}, says=says,
    ))  # fmt: skip


def _says(found: Mapping[str, Any], by: By) -> list[str]:
    """What the whole of it tells, in words."""
    said, silo, groups = [], found["modularity"], found["groups"]["modularity"]
    coverage = found["coverage"]
    if float(coverage["n"] or 0):
        said.append(f"Work needed others {times(int(float(coverage['n'])), 'time')}; of these"
                    f" {_count(coverage['numerator'])} had a working tie.")  # fmt: skip
    if silo["value"] is None:
        said.append(f"Whether {by}s keep to themselves cannot be said: {silo['missing']}.")
    else:
        said.append(f"Ties stay within {by}s by {float(silo['value']):.2f} (modularity), where chance alone would make"
                    f" {float(silo['by_chance']):.2f}.")  # fmt: skip
    if found["inwardness"] is not None:
        said.append(f"Ties outside against inside: {inward_in_words(found['inwardness'])}.")
    if groups["value"] is not None:
        said.append(f"The ties themselves make groups by {float(groups['value']):.2f}; where that is much more than by"
                    f" {by}s, people work together otherwise than they are put together.")  # fmt: skip
    small = found["groups"]["smaller"]
    if small["groups"]:
        said.append(f"{times(small['groups'], 'more group')} of fewer than five, {small['members']} members in all.")
    if found["untied"]:
        said.append(f"{times(found['untied'], 'member')} without a tie to anybody: new, absent or part-time?")
    return said


def _group(each: Mapping[str, Any], names: Mapping[str | None, str]) -> str:
    of = [f"{part['members']} of {names.get(part['ref'], in_words(str(part['ref'])))}" for part in each["of"]]
    return f"{times(each['members'], 'member')}, {times(each['ties'], 'tie')}: {listed(of)}"
