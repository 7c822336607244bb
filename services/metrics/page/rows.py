"""The rows behind a figure, page by page, with names where the reader may see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import Request

from services.metrics.page.asked import Asked, address
from services.metrics.page.called import as_told, departments, field_of, known, refs_in, titled
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
        value = await value_of(figure, reading)
        names = await known(snapshot, refs_in([items, value]), principal)
        whose = {dim: (await names_of(snapshot, dim, [ref], principal)).get(ref, ref)
                 for dim, ref in question.filters.items()}  # fmt: skip
        moment = await moment_of(snapshot)
        return question, value, items, last, names, await departments(snapshot), whose, moment

    question, value, items, last, names, places, whose, moment = await runtime_of(request).store.read(query)
    names |= await titled(request, refs_in([items, value]))
    here = asked.on(period=question.period.label)
    more = {**here.query(), "figure": key}
    return {
        "label": label_of(key),
        "definition": figure.definition,
        "value": shown(as_told(key, value, {**names, **places}), key),
        "question": _in_short(question),
        "filters": whose,
        "as_of": moment,
        "zone": question.zone,
        "table": table_of(items, names, places),
        "back": here.url(),
        "first": address("/rows", more) if after else None,
        "next": address("/rows", {**more, "cursor": Cursor(last).text()}) if last else None,
        "api": address(f"/v1/views/{asked.view}/rows", {name: each for name, each in more.items() if name != "view"}),
        "department": asked.view,
    }


def table_of(items: Sequence[Mapping[str, Any]], names: Mapping[str, str], places: Mapping[str, str]) -> dict[str, Any]:
    """The rows as a table: one column for each thing that is told of any of them."""
    columns = [key for key in dict.fromkeys(key for item in items for key in item) if key not in _HIDDEN]
    rows: list[dict[str, Any]] = []
    for item in items:
        cells = [_cell(key, item.get(key), names, places) for key in columns]
        kind, ref = str(item.get("kind", "")), str(item.get("ref", ""))
        link = address("/history", {"of": f"{kind}/{ref}"}) if can_open(kind) else None
        rows.append({"name": names.get(ref, ref), "link": link, "cells": cells})
    numbers = [any(row["cells"][place].number for row in rows) for place in range(len(columns))]
    head = [(_CALLED.get(key) or in_words(key), number) for key, number in zip(columns, numbers, strict=True)]
    return {"head": head, "rows": rows}


def _cell(key: str, value: Any, names: Mapping[str, str], places: Mapping[str, str]) -> Shown:
    if value is None or value in ("", []):
        return Shown(("",))
    if key == "externals":
        return Shown(tuple(f"{each['source']}: {each['id']}" for each in value))
    return shown(field_of(key, value, names, places), key)


def _in_short(question: Question) -> dict[str, Any]:
    return {"label": question.period.label, "from": question.period.start, "to": question.period.end}
