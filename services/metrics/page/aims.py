"""The page of what is aimed at: the tree of goals, the targets that run today, newcomers, and what roles weigh.

Goals and targets are told by targets, with the reader's own rights: what that does not show, the page does not either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from fastapi import Request
from markupsafe import Markup

from services.metrics.page import charts
from services.metrics.page.asked import address
from services.metrics.page.owners import ask_owner
from services.metrics.page.values import Shown, in_words, percent, shown
from services.metrics.views.names import names_of
from services.metrics.views.shown import today_of
from shared.contribution import WEIGHTS
from shared.errors import Forbidden
from shared.http.runtime import runtime_of
from shared.identity.permissions import Principal
from shared.store import Snapshot

MOST: Final = 60
"""So many targets are shown, those of the largest first."""
_LEVELS: Final = ("organisation", "department", "team", "group", "member")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table: what it is about, where that leads, a bar, and its cells."""

    name: str
    link: str | None
    depth: int
    gauge: Markup
    cells: Sequence[Shown]


async def aims(request: Request, principal: Principal) -> dict[str, Any]:
    """What the page of goals and targets shows."""
    store = runtime_of(request).store
    day = await store.read(today_of)
    goals = await _told(request, "/v1/goals", limit=200)
    targets = sorted(await _told(request, "/v1/targets", on=str(day), limit=200), key=_place)
    stands = {each["id"]: await _attainment(request, "targets", each["id"], day) for each in targets[:MOST]}
    told = {each["id"]: each for each in await _told(request, "/v1/progress", limit=200)}
    names = await store.read(lambda snapshot: _names(snapshot, [*goals, *targets], principal))
    return {
        "day": day,
        "goals": await _tree(request, goals, day, names),
        "targets": [_target(each, stands[each["id"]], told, names) for each in targets[:MOST]],
        "many": len(targets),
        "adjusted": [line for each in targets[:MOST] for line in _adjusted(each, stands[each["id"]], names)],
        "roles": [("the beginning", _weights(WEIGHTS))]
        + [(each["from"], _weights(each["weights"])) for each in await _told(request, "/v1/role-weights", limit=200)],
    }


async def _told(request: Request, path: str, **query: Any) -> list[dict[str, Any]]:
    """The things of a collection that this reader may see; none where they may see none."""
    with suppress(Forbidden):
        found: list[dict[str, Any]] = (await ask_owner(request, "targets", path, **query))["items"]
        return found
    return []


async def _attainment(request: Request, collection: str, key: str, day: date) -> dict[str, Any]:
    return await ask_owner(request, "targets", f"/v1/{collection}/{key}/attainment", as_of=str(day))


async def _names(snapshot: Snapshot, things: Sequence[dict[str, Any]], principal: Principal) -> dict[str, str]:
    names: dict[str, str] = {}
    scopes = [each.get("scope") or each["owner"] for each in things]
    for level in _LEVELS[1:]:
        refs = sorted({each["ref"] for each in scopes if each["level"] == level})
        names |= await names_of(snapshot, level, refs, principal)
    return names


async def _tree(request: Request, goals: Sequence[dict[str, Any]], day: date, names: Mapping[str, str]) -> list[Line]:
    """The goals as they stand above one another, the heavier parts first, each with how far it is attained."""
    by_id = {each["id"]: each for each in goals}
    lines: list[Line] = []

    def add(stands: Mapping[str, Any], depth: int) -> None:
        goal = by_id.get(stands["id"])
        if goal is None:
            return
        rate = stands["attainment"]
        cells = [
            shown({"rate": rate, "numerator": percent(stands["known_weight"]), "denominator": "its weight is known"})
            if rate is not None and stands["parts"] else Shown((percent(rate),), number=True) if rate else shown(None),
            Shown((percent(goal["weight"]),), number=True), shown(_whose(goal["owner"], names)),
            Shown((goal["period"]["label"],)), shown(goal["lifecycle"]), _or_none(goal["value"]),
            shown(goal["targets"]["sum"]), shown(goal["targets"]["gap"]), shown(goal["served_by"]["line_of_sight"]),
        ]  # fmt: skip
        lines.append(Line(goal["title"], None, depth, _bar(rate), cells))
        for part in sorted(stands["parts"], key=lambda each: -Decimal(each["weight"])):
            add(part, depth + 1)

    for goal in goals:
        if goal["parent"] is None:
            add(await _attainment(request, "goals", goal["id"], day), 1)
    return lines


def _target(
    target: Mapping[str, Any], stands: Mapping[str, Any], told: Mapping[str, Any], names: Mapping[str, str]
) -> Line:
    said = target["last_check_in"]
    confidence = f"{percent(said['confidence'])} on {said['on']}" if said else None
    progress = told.get(target["id"], {"reached": (), "used": None})
    how = " used up" if progress["used"] is not None else ""
    reached = [f"{percent(each['threshold'])}{how} on {each['on']}" for each in progress["reached"]]
    attained, health = stands["attainment"], target["health"]
    cells = [
        shown(attained), shown(stands["target"]), shown(stands["actual"]), shown(stands["variance"]),
        Shown((target["period"]["label"],)), _agreed(target),
        shown(in_words(health) if health else None), _or_none(reached[-1] if reached else None), _or_none(confidence),
    ]  # fmt: skip
    name = f"{_whose(target['scope'], names)}: {target['metric']}"
    link = address("/history", {"of": f"target/{target['id']}"})
    return Line(name, link, 1, _bar(attained["rate"] if attained else None), cells)


def _agreed(target: Mapping[str, Any]) -> Shown:
    """How far it is agreed on, and that its period had begun when it was, or that it was changed since it was set."""
    said = [target["lifecycle"]] + (["set after its start"] if target["set_after_start"] else [])
    if target["changes"]:
        last = target["changes"][-1]
        said.append(f"changed {len(target['changes'])} times, last on {last['on']}")
    return shown("; ".join(said))


def _adjusted(target: Mapping[str, Any], stands: Mapping[str, Any], names: Mapping[str, str]) -> list[Line]:
    """What may be expected where ramps and absences make it less."""
    may = stands["adjusted"]
    if may is None or may["target"] == may["quota"]:
        return []
    attained = may["attainment"]
    cells = [
        shown(attained), shown(stands["attainment"]), shown(may["target"]), shown(may["quota"]),
        Shown((percent(may["ramp"]),), number=True), Shown((percent(may["active"]),), number=True),
        Shown((target["period"]["label"],)),
    ]  # fmt: skip
    return [Line(_whose(target["scope"], names), None, 1, _bar(attained["rate"] if attained else None), cells)]


def _weights(weights: Mapping[str, str]) -> Shown:
    return shown({role: percent(share) for role, share in weights.items()})


def _whose(scope: Mapping[str, Any], names: Mapping[str, str]) -> str:
    return names.get(scope["ref"], scope["ref"]) if scope["ref"] else "the organisation"


def _or_none(value: Any) -> Shown:
    """What was said, or that nothing was."""
    return shown("none" if value is None else value)


def _bar(rate: str | None) -> Markup:
    return charts.gauge(Decimal(rate), Decimal(1)) if rate is not None else charts.NOTHING


def _place(target: Mapping[str, Any]) -> tuple[int, str, str]:
    return _LEVELS.index(target["scope"]["level"]), target["period"]["from"], target["id"]
