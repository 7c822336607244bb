"""The rows behind a figure, page by page, with names where the reader may see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import Request

from services.metrics.page.asked import Asked, address
from services.metrics.page.dashboard import question_asked
from services.metrics.page.history import can_open
from services.metrics.page.layout import label_of
from services.metrics.page.values import Shown, in_words, shown
from services.metrics.views import VIEWS
from services.metrics.views.frame import Reading, value_of
from services.metrics.views.names import names_of
from services.metrics.views.question import Question
from services.metrics.views.readers import for_reader
from services.metrics.views.rows import SOURCES, rows_of
from services.metrics.views.shown import moment_of
from shared.errors import Fault, NotFound
from shared.http.pages import Cursor
from shared.http.runtime import runtime_of
from shared.identity.permissions import Principal
from shared.store import Snapshot

ON_A_PAGE: Final = 50
_WHOSE: Final = {"owner": "member", "manager": "member", "leader": "member", "raised_by": "member"}
_NAMED: Final = ("department", "team", "group", "member", "customer", "product")
_CALLED: Final = {"externals": "Known elsewhere as"}
_HIDDEN: Final = ("ref", "kind")


async def figure_rows(
    request: Request, asked: Asked, key: str, cursor: str | None, principal: Principal
) -> dict[str, Any]:
    """What the page of a figure's rows shows. Raises NotFound for a figure that is not there or has none."""
    figure = VIEWS[str(asked.view)].figure(key)
    if figure is None:
        raise NotFound(f"The view of {asked.view} has no figure {key!r}.", [Fault("/figure", "not known")])
    if figure.rows is None:
        raise NotFound(f"{label_of(key)} is computed from other figures and has no rows of its own.")
    source = SOURCES[figure.rows]
    after = Cursor.read(cursor).last

    async def query(snapshot: Snapshot) -> tuple[Any, ...]:
        question = await for_reader(snapshot, await question_asked(snapshot, asked), principal)
        reading = Reading(snapshot, question)
        items, last = await rows_of(source, reading, after, ON_A_PAGE, principal)
        names = await _names(snapshot, items, principal)
        whose = {dim: (await names_of(snapshot, dim, [ref], principal)).get(ref, ref)
                 for dim, ref in question.filters.items()}  # fmt: skip
        return question, await value_of(figure, reading), items, last, names, whose, await moment_of(snapshot)

    question, value, items, last, names, whose, moment = await runtime_of(request).store.read(query)
    here = asked.on(period=question.period.label)
    more = {**here.query(), "figure": key}
    return {
        "label": label_of(key),
        "definition": figure.definition,
        "value": shown(value, key),
        "question": _in_short(question),
        "filters": whose,
        "as_of": moment,
        "zone": question.zone,
        "table": table_of(items, names),
        "back": here.url(),
        "first": address("/rows", more) if after else None,
        "next": address("/rows", {**more, "cursor": Cursor(last).text()}) if last else None,
        "api": address(f"/v1/views/{asked.view}/rows", {name: each for name, each in more.items() if name != "view"}),
        "department": asked.view,
    }


def table_of(items: Sequence[Mapping[str, Any]], names: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """The rows as a table: one column for each thing that is told of any of them."""
    columns = [key for key in dict.fromkeys(key for item in items for key in item) if key not in _HIDDEN]
    rows: list[dict[str, Any]] = []
    for item in items:
        cells = [_cell(key, item.get(key), names) for key in columns]
        kind, ref = str(item.get("kind", "")), str(item.get("ref", ""))
        link = address("/history", {"of": f"{kind}/{ref}"}) if can_open(kind) else None
        rows.append({"ref": ref, "link": link, "cells": cells})
    numbers = [any(row["cells"][place].number for row in rows) for place in range(len(columns))]
    head = [(_CALLED.get(key) or in_words(key), number) for key, number in zip(columns, numbers, strict=True)]
    return {"head": head, "rows": rows}


def _cell(key: str, value: Any, names: Mapping[tuple[str, str], str]) -> Shown:
    if value is None or value in ("", []):
        return Shown(("",))
    if key == "externals":
        return Shown(tuple(f"{each['source']}: {each['id']}" for each in value))
    dim = _WHOSE.get(key, key)
    return shown(names.get((dim, value), value) if isinstance(value, str) and dim in _NAMED else value, key)


async def _names(
    snapshot: Snapshot, items: Sequence[Mapping[str, Any]], principal: Principal
) -> dict[tuple[str, str], str]:
    refs: dict[str, set[str]] = {}
    for item in items:
        for key, value in item.items():
            dim = _WHOSE.get(key, key)
            if dim in _NAMED and isinstance(value, str):
                refs.setdefault(dim, set()).add(value)
    found = {}
    for dim, keys in refs.items():
        for ref, name in (await names_of(snapshot, dim, sorted(keys), principal)).items():
            found[dim, ref] = name
    return found


def _in_short(question: Question) -> dict[str, Any]:
    return {"label": question.period.label, "from": question.period.start, "to": question.period.end}
