"""What a filter of SCIM finds. What tools ask for all day, by a name or an id, is looked up; all else is compared."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import sqlalchemy as sa
from fastapi import Request
from scim2_models import ListResponse, Resource, ScimFilter, SearchRequest
from scim2_models.path import CompareOperator, Comparison, FilterNode, LogicalExpr, LogicalOperator

from services.teams.api.scim.language import shown, understood, wanted
from services.teams.api.scim.models import SOURCE
from services.teams.domain.members import Member
from services.teams.domain.people import Person
from services.teams.entries import Entry, compared
from shared.http.writes import as_json
from shared.store import Snapshot
from shared.store.tables import External

LARGEST = 200
USUAL = 100
_member = Member.__table__.c  # type: ignore[attr-defined]
_person = Person.__table__.c  # type: ignore[attr-defined]
_entry = Entry.__table__.c  # type: ignore[attr-defined]
_external = External.__table__.c  # type: ignore[attr-defined]
Portray = Callable[[Snapshot, Request, Sequence[Any]], Awaitable[list[Any]]]


def called(user_name: str) -> sa.ColumnElement[bool]:
    """Which members answer to a user name: their own, their e-mail address or their id."""
    key = compared(user_name)
    named = sa.select(_entry.id).where(_entry.user_key == key)
    nameless = sa.select(_entry.id).where(_entry.user_key.is_not(None))
    reached = sa.select(_person.id).where(sa.func.lower(_person.email) == key)
    by_default = sa.or_(_member.id.in_(reached), _member.id == user_name)
    return sa.or_(_member.id.in_(named), sa.and_(by_default, _member.id.not_in(nameless)))


async def page(
    snapshot: Snapshot, request: Request, model: type[Resource[Any]], rows: type[Any], there: Any, portray: Portray,
    query: dict[str, Any],
) -> bytes:  # fmt: skip
    """A page of the resources a query finds, oldest first, as SCIM counts them: from 1."""
    with understood():
        asked = SearchRequest[model].model_validate(query)  # type: ignore[valid-type]
    parameters = wanted(request, model)
    start, count = max(asked.start_index or 1, 1), USUAL if asked.count is None else min(max(asked.count, 0), LARGEST)
    column = rows.__table__.c.id
    if asked.filter is None:
        total = await snapshot.scalar(sa.select(sa.func.count()).select_from(rows).where(there))
        select = sa.select(rows).where(there).order_by(column).limit(count).offset(start - 1)
        things = await snapshot.all(rows, select) if count else []
        found = await portray(snapshot, request, things)
    else:
        narrowed = [_narrowed(asked.filter.ast)] if rows is Member else []
        conditions = [each for each in narrowed if each is not None]
        things = await snapshot.all(rows, sa.select(rows).where(there, *conditions).order_by(column))
        with understood():
            chosen = ScimFilter[model](asked.filter)  # type: ignore[valid-type]
            matching = [each for each in await portray(snapshot, request, things) if chosen.match(each)]
        total, found = len(matching), matching[start - 1 : start - 1 + count]
    return as_json(
        {
            "schemas": [str(ListResponse.__schema__)],
            "totalResults": total,
            "startIndex": start,
            "itemsPerPage": len(found),
            "Resources": [shown(each, parameters) for each in found],
        }
    )


def _narrowed(node: FilterNode) -> Any:
    """A condition that everybody meets who matches a filter, where there is one that can be looked up."""
    if isinstance(node, LogicalExpr) and node.op == LogicalOperator.and_:
        return next((each for each in map(_narrowed, node.terms) if each is not None), None)
    if not isinstance(node, Comparison) or node.op != CompareOperator.eq or not isinstance(node.value, str):
        return None
    match ".".join(filter(None, (node.attr_path.attr, node.attr_path.sub_attr))).lower():
        case "username":
            return called(node.value)
        case "externalid":
            named = sa.select(_external.id).where(
                _external.kind == Member.kind, _external.source == SOURCE, _external.name == node.value
            )
            return _member.id.in_(named)
        case "emails.value":
            reached = sa.select(_person.id).where(sa.func.lower(_person.email) == compared(node.value))
            return _member.id.in_(reached)
        case "id":
            return _member.id == node.value
    return None
