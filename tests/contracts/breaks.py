"""What of the published routes and events would no longer hold for those who rely on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.contracts.forms import Break, Comparison, Form, Way
from tests.contracts.published import Document, Published

VERBS = ("get", "put", "post", "delete", "patch", "head", "options")
PERMISSION = "x-permission"
Operation = tuple[Document, Form]
"""The document that an operation stands in, and the operation."""


def breaks(old: Published, new: Published) -> list[Break]:
    """Every promise of the old state that the new one does not keep; old and new may use the words they like."""
    return [*_of_events(old.events, new.events), *_of_routes(old.services, new.services)]


def _of_events(old: Mapping[str, Document], new: Mapping[str, Document]) -> Iterator[Break]:
    for name, before in sorted(old.items()):
        after = new.get(name)
        if after is None:
            yield Break(name, "this event is gone, but its records stay on the log: keep its class, and lift it")
            continue
        for mark in ("x-topic", "x-tombstone", "x-erases"):
            if before.get(mark) != after.get(mark):
                yield Break(name, f"its {mark.removeprefix('x-')} was {before.get(mark)!r} and is {after.get(mark)!r}")
        yield from Comparison(before, after, Way.TOLD).breaks(before, after, name)


def _of_routes(old: Mapping[str, Document], new: Mapping[str, Document]) -> Iterator[Break]:
    after = dict(_operations(new))
    # All services stand behind one address: a route may move from one to another.
    anywhere = {route: each for (_, route), each in after.items()}
    for (service, route), operation in _operations(old):
        found = after.get((service, route)) or anywhere.get(route)
        if found is None:
            yield Break(route, "this route is gone")
        else:
            yield from _of_operation(route, operation, found)


def _operations(services: Mapping[str, Document]) -> Iterator[tuple[tuple[str, str], Operation]]:
    for service, document in sorted(services.items()):
        for path, operations in document["paths"].items():
            for verb in VERBS:
                if verb in operations:
                    yield (service, f"{verb.upper()} {path}"), (document, operations[verb])


def _of_operation(route: str, old: Operation, new: Operation) -> Iterator[Break]:
    before, after = old[1], new[1]
    if before.get("operationId") != after.get("operationId"):
        yield Break(route, f"its name was {before.get('operationId')} and is {after.get('operationId')}")
    if before.get(PERMISSION) != after.get(PERMISSION) != "public":
        yield Break(route, f"needed {before.get(PERMISSION)} and needs {after.get(PERMISSION)}")
    sent = Comparison(old[0], new[0], Way.SENT)
    yield from _of_parameters(route, before, after, sent)
    yield from _of_body(f"{route} body", before.get("requestBody"), after.get("requestBody"), sent)
    yield from _of_answers(route, before, after, Comparison(old[0], new[0], Way.ANSWERED))


def _of_parameters(route: str, old: Form, new: Form, sent: Comparison) -> Iterator[Break]:
    before, after = _parameters(old), _parameters(new)
    for name, each in before.items():
        if name not in after:
            yield Break(f"{route} {name}", "this parameter is gone")
        else:
            yield from sent.breaks(each.get("schema", {}), after[name].get("schema", {}), f"{route} {name}")
    for name, each in after.items():
        if each.get("required") and not before.get(name, {}).get("required"):
            yield Break(f"{route} {name}", "this parameter is required now")


def _parameters(operation: Form) -> dict[str, Form]:
    return {f"{each['in']} {each['name']}": each for each in operation.get("parameters", ())}


def _of_body(place: str, old: Form | None, new: Form | None, sent: Comparison) -> Iterator[Break]:
    if old is None:
        if new is not None and new.get("required"):
            yield Break(place, "a body is required now")
    elif new is None:
        yield Break(place, "no body is taken any more")
    else:
        if new.get("required") and not old.get("required"):
            yield Break(place, "a body is required now")
        yield from _of_content(place, old, new, sent)


def _of_answers(route: str, old: Form, new: Form, answered: Comparison) -> Iterator[Break]:
    before, after = old.get("responses", {}), new.get("responses", {})
    for status, each in before.items():
        if status not in after:
            yield Break(f"{route} {status}", "this status is no longer answered")
        else:
            yield from _of_content(f"{route} {status}", each, after[status], answered)
    # A refusal that is new is one of its class, which every client must expect; a success that is new is not.
    for status in after.keys() - before.keys():
        if str(status)[0] in "23":
            yield Break(f"{route} {status}", "this status is answered now")


def _of_content(place: str, old: Any, new: Any, comparison: Comparison) -> Iterator[Break]:
    before, after = old.get("content", {}), new.get("content", {})
    for media, each in before.items():
        if media not in after:
            yield Break(f"{place} {media}", "this form is gone")
        else:
            yield from comparison.breaks(each.get("schema", {}), after[media].get("schema", {}), place)
