"""What things are called on the page: an id gives way to the name of its thing, as far as the reader may know that.

People, places and goods are named by what is known here; what was put in free words is asked of its owner, with the
reader's own rights.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa
from fastapi import Request

from services.metrics.facts.teams import DepartmentFact
from services.metrics.page.owners import ask_owner
from services.metrics.page.values import NOT_KNOWN, Called, in_words, percent
from services.metrics.views.names import names_of
from shared.errors import Forbidden, NotFound, Overloaded
from shared.identity.permissions import Principal
from shared.store import Snapshot

_department = DepartmentFact.__table__.c  # type: ignore[attr-defined]
_DEPARTMENTS = sa.select(_department.id, _department.name)
_ID: Final = re.compile(r"([a-z]+)_[0-9a-hjkmnp-tv-z]{26}")
_KNOWN: Final[Mapping[str, str]] = {
    "dept": "department", "team": "team", "grp": "group", "mbr": "member", "cust": "customer", "prod": "product",
    "skill": "skill",
}  # fmt: skip
"""By the beginning of an id of what it is one: what is named by facts."""
_TITLED: Final[Mapping[str, tuple[str, str, str]]] = {
    "goal": ("targets", "/v1/goals", "title"), "chl": ("teams", "/v1/challenges", "name"),
    "course": ("teams", "/v1/courses", "name"), "dty": ("teams", "/v1/duties", "title"),
    "srs": ("meetings", "/v1/series", "name"), "mtg": ("meetings", "/v1/meetings", "name"),
    "item": ("meetings", "/v1/items", "title"),
}  # fmt: skip
"""By the beginning of an id who owns it, where it stands, and which field says what it is called."""
_PLACES: Final = frozenset({"department", "departments", "from_department", "to_department", "borne_by"})
"""Fields that hold departments, whose ids may be words."""
MOST: Final = 200


def refs_in(value: Any) -> set[str]:
    """The ids that stand in a value, wherever."""
    match value:
        case str():
            return {value} if _ID.fullmatch(value) else set()
        case Mapping():
            return refs_in(list(value)) | refs_in(list(value.values()))
        case list() | tuple():
            return set[str]().union(*map(refs_in, value))
    return set()


async def known(snapshot: Snapshot, refs: Iterable[str], principal: Principal) -> dict[str, str]:
    """The names that facts have, by id; people's only for those who may read them."""
    found: dict[str, str] = {}
    for beginning, several in _by_beginning(refs).items():
        if beginning in _KNOWN:
            found |= await names_of(snapshot, _KNOWN[beginning], several, principal)
    return found


async def departments(snapshot: Snapshot) -> dict[str, str]:
    """What departments are called, by id."""
    return {key: name for key, name in await snapshot.rows(_DEPARTMENTS) if name}


async def titled(request: Request, refs: Iterable[str]) -> dict[str, str]:
    """What their owners call things, by id; what the reader may not read, and more than is asked for, stays an id."""
    found: dict[str, str] = {}
    for beginning, several in _by_beginning(refs).items():
        if beginning not in _TITLED:
            continue
        service, path, field = _TITLED[beginning]
        with suppress(Forbidden, NotFound, Overloaded):
            items = (await ask_owner(request, service, path, limit=MOST))["items"]
            found |= {each["id"]: each[field] for each in items if each["id"] in several and each[field]}
    return found


def named(value: Any, names: Mapping[str, str], places: Mapping[str, str] = MappingProxyType({})) -> Any:
    """A value with names where ids stood; two of one name stay apart. `places` are what departments are called."""
    match value:
        case str():
            return Called(names[value]) if value in names else value
        case Mapping():
            alike = [names.get(str(key), str(key)) for key in value]
            return {
                key if alike.count(names.get(str(key), str(key))) > 1 else named(key, names): field_of(
                    str(key), each, names, places
                )
                for key, each in value.items()
            }
        case list() | tuple():
            return [named(each, names, places) for each in value]
    return value


def field_of(key: str, value: Any, names: Mapping[str, str], places: Mapping[str, str]) -> Any:
    """What a field says, with names."""
    return named(value, {**names, **places} if key in _PLACES else names, places)


def as_told(figure: str, value: Any, names: Mapping[str, str]) -> Any:
    """The value of a figure as the page tells it: with names, and what speaks of several things under one name."""
    form = _FORMS.get(figure)
    return form(named(value, names), names) if form is not None and value else named(value, names)


def _challenges(value: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[dict[str, Any]]:
    found = []
    for each in value:
        whose = each["group"] or each["team"]
        name = each["challenge"] if isinstance(each["challenge"], Called) else f"Of {whose}"
        more = {"for": whose, "goal": each["goal"], "progress": percent(each["progress"]), "reached": each["reached"]}
        found.append({"name": name} | {key: told for key, told in more.items() if told is not None})
    return found


def _relationships(value: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"name": f"{each['customer']} and {each['member']}", "csat": each["csat"]} for each in value]


def _pairs(value: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    ends = {pair: [names.get(each, each) for each in pair.split(">")] for pair in value}
    return {Called(" \N{RIGHTWARDS ARROW} ".join(ends[pair])): each for pair, each in value.items()}


def _targets(value: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[dict[str, Any]]:
    found = []
    for each in value:
        told = {key: each[key] for key in ("target", "actual", "attainment", "variance", "pace")}
        health = in_words(each["health"]) if each["health"] else None
        known = {key: NOT_KNOWN if it is None else it for key, it in told.items()}
        found.append({"name": in_words(each["metric"]), "period": each["period"]["label"], **known, "health": health})
    return found


_FORMS: Final[Mapping[str, Callable[[Any, Mapping[str, str]], Any]]] = {
    "challenges": _challenges, "csat_by_relationship": _relationships, "on_time_by_pair": _pairs,
    "other_targets": _targets,
}  # fmt: skip


def _by_beginning(refs: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for ref in sorted(refs):
        found.setdefault(ref.partition("_")[0], []).append(ref)
    return found
