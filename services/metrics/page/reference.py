"""The API as a page to read: the routes of all services by what they are about, from the merged document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.http.documents import anchor

METHODS: Final = ("get", "post", "put", "patch", "delete")
_DEEPEST: Final = 6
_PLACEHOLDERS: Final[Mapping[str, Any]] = {"integer": 1, "number": 1, "boolean": True, "null": None}


@dataclass(frozen=True, slots=True)
class Line:
    """A parameter, or a field of a body."""

    name: str
    form: str
    required: bool
    says: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a status means and what comes with it."""

    status: str
    says: str
    form: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One route."""

    id: str
    method: str
    path: str
    title: str
    says: str
    permission: str
    parameters: list[Line]
    body: str
    fields: list[Line]
    answers: list[Answer]
    example: str
    words: str
    """What the search looks in."""


def chapters(document: Mapping[str, Any], origin: str) -> list[tuple[str, list[Operation]]]:
    """The operations by tag, in the order of their paths."""
    found: dict[str, list[Operation]] = {}
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                operation = operations[method]
                tag = (operation.get("tags") or ["other"])[0]
                found.setdefault(tag, []).append(_operation(document, origin, path, method, operation))
    return sorted(found.items())


def _operation(
    document: Mapping[str, Any], origin: str, path: str, method: str, operation: Mapping[str, Any]
) -> Operation:
    title, says = _title(operation)
    permission = str(operation.get("x-permission", ""))
    name = str(operation.get("operationId") or f"{method}-{path}")
    media, schema = _content(operation.get("requestBody", {}))
    words = " ".join((method, path, title, says, permission, name)).lower()
    return Operation(
        anchor(name),
        method.upper(),
        path,
        title,
        says,
        permission,
        [_parameter(document, each) for each in operation.get("parameters", [])],
        f"{_form(document, schema)}, as {media}" if media else "",
        _fields(document, schema),
        [_answer(document, status, answer) for status, answer in sorted(operation.get("responses", {}).items())],
        _curl(document, origin, path, method, permission, media, schema),
        words,
    )


def _title(operation: Mapping[str, Any]) -> tuple[str, str]:
    """What an operation is called, and what else is said of it; a name made of a function's name says nothing."""
    title, says = str(operation.get("summary", "")), str(operation.get("description", ""))
    if says and title == title.title():
        first, _, rest = says.partition("\n\n")
        return first.rstrip(".").replace("\n", " "), rest
    return title, says


def _parameter(document: Mapping[str, Any], given: Mapping[str, Any]) -> Line:
    schema = given.get("schema", {})
    says = str(given.get("description") or schema.get("description") or "")
    return Line(given["name"], _form(document, schema), bool(given.get("required")), says, given["in"])


def _answer(document: Mapping[str, Any], status: str, answer: Mapping[str, Any]) -> Answer:
    media, schema = _content(answer)
    form = _form(document, schema) if schema else ""
    return Answer(status, str(answer.get("description", "")), f"{form}, as {media}" if media else "")


def _content(holder: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    content = holder.get("content", {})
    media = "application/json" if "application/json" in content else next(iter(content), "")
    return media, content.get(media, {}).get("schema", {}) if media else {}


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Mapping[str, Any] = document["components"]["schemas"].get(str(reference).rpartition("/")[2], {})
    return found


def _form(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """A schema in a few words: `list of Line`, `string (date), or null`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        forms = dict.fromkeys(_form(document, option) for option in options)
        return ", or ".join(forms)
    if "enum" in schema:
        return "one of " + ", ".join(str(each) for each in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    kind = schema.get("type", "anything")
    if isinstance(kind, list):
        return ", or ".join(kind)
    if kind == "array":
        return f"list of {_form(document, schema.get('items', {}))}"
    if kind == "object" and schema.get("title"):
        return str(schema["title"])
    return f"{kind} ({schema['format']})" if schema.get("format") else str(kind)


def _fields(document: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Line]:
    body = _resolved(document, schema)
    if body.get("type") == "array":
        body = _resolved(document, body.get("items", {}))
    required = set(body.get("required", ()))
    lines = []
    for name, given in body.get("properties", {}).items():
        says = str(given.get("description") or _resolved(document, given).get("description") or "")
        lines.append(Line(name, _form(document, given), name in required, says))
    return lines


def _curl(
    document: Mapping[str, Any], origin: str, path: str, method: str, permission: str, media: str,
    schema: Mapping[str, Any],
) -> str:  # fmt: skip
    lines = [f"curl {origin}{path.replace('{', '<').replace('}', '>')}"]
    if method != "get":
        lines[0] = lines[0].replace("curl ", f"curl -X {method.upper()} ", 1)
    if permission != "public":
        lines.append("-H 'Authorization: Bearer <token>'")
    if media:
        lines.append(f"-H 'Content-Type: {media}'")
        sent = json.dumps(example_of(document, schema), ensure_ascii=False, default=str)
        lines.append("-d '" + sent.replace("'", "'\\''") + "'")
    return " \\\n  ".join(lines)


def example_of(document: Mapping[str, Any], schema: Mapping[str, Any], depth: int = 0) -> Any:
    """Something that a schema allows: its own example, or one made from its parts; of optional fields only examples."""
    if schema.get("examples"):
        return schema["examples"][0]
    for key in ("example", "default", "const"):
        if schema.get(key) is not None:
            return schema[key]
    if "$ref" in schema:
        return example_of(document, _resolved(document, schema), depth + 1) if depth < _DEEPEST else {}
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return example_of(document, options[0], depth + 1)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "array":
        return [example_of(document, schema.get("items", {}), depth + 1)] if depth < _DEEPEST else []
    if kind == "object":
        return _example_object(document, schema, depth)
    if kind == "string":
        return {"date": "2026-07-31", "date-time": "2026-07-31T09:00:00Z"}.get(schema.get("format", ""), "text")
    return _PLACEHOLDERS.get(kind)


def _example_object(document: Mapping[str, Any], schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
    required = set(schema.get("required", ()))
    return {
        name: example_of(document, given, depth + 1)
        for name, given in schema.get("properties", {}).items()
        if name in required or (depth == 0 and _has_example(document, given))
    }


def _has_example(document: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    options = schema.get("anyOf") or schema.get("oneOf") or [schema]
    return any(each.get("examples") or _resolved(document, each).get("examples") for each in options)
