"""The published documents: OpenAPI from the same models that judge the bodies, with every answer a route can give."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from pydantic_core import to_json

from shared.identity.permissions import PUBLIC, SECURITY_SCHEMES

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["/problems/validation"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "what is wrong, where, and what would be right"},
        "instance": {"type": "string"},
        "trace_id": {"type": "string"},
        "rule": {"type": "string", "description": "of a refusal: the rule that said no"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
_READS = {401: "No valid token", 403: "The token does not allow this", 422: "Not valid", 503: "Not now"}
_CONFLICT = {409: "Refused by a rule, or in conflict"}
_WRITES = _CONFLICT | {
    412: "Decided on an old version",
    413: "Too large",
    428: "If-Match is required",
}
_MISSING = {404: "Nothing is known under this id"}
_SCHEMAS = "#/components/schemas/"
_models: dict[str, type[BaseModel]] = {}
_WRITE_HEADERS = [
    {"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string", "maxLength": 255},
     "description": "a retry with the same key and body gets the same answer"},
    {"name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"},
     "description": "the ETag the change was decided on; required for PATCH and for PUT by our id"},
]  # fmt: skip


def described(
    may: Any,
    body: type[BaseModel] | None,
    answers: Mapping[int, type[BaseModel] | None],
    *,
    page: bool = False,
    ndjson: bool = False,
    missing: bool = False,
    conflict: bool = False,
    parameters: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """What OpenAPI says of a route beyond what the framework sees: its body, its answers and its permission."""
    media = "application/x-ndjson" if ndjson else "application/json"
    responses: dict[str, Any] = {}
    for status, model in answers.items():
        responses[str(status)] = {"description": "Not modified" if status == 304 else "Done"}
        if model is not None:
            schema = _ref(model) if not page else _page(model)
            # The answers of a bulk are lines, which JSON Schema cannot describe as a whole.
            responses[str(status)]["content"] = {media: {"schema": {"type": "string"} if ndjson else schema}}
    writes = body is not None
    problems = _READS | (_WRITES if writes else {}) | (_MISSING if missing or writes else {})
    for status, text in (problems | (_CONFLICT if conflict else {})).items():
        responses.setdefault(str(status), _problem(text))
    extra: dict[str, Any] = {"responses": responses, **may.openapi}
    extra["parameters"] = [*parameters, *(_WRITE_HEADERS if writes and not ndjson else [])]
    if body is not None:
        content: dict[str, Any] = {"application/json": {"schema": _ref(body)}}
        if ndjson:
            rows = {"type": "array", "items": _ref(body)}
            content = {"application/x-ndjson": {"schema": {"type": "string"}}, "application/json": {"schema": rows}}
        extra["requestBody"] = {"required": not _all_optional(body), "content": content}
    return extra


def documents_router(service: str) -> APIRouter:
    """`/openapi.json` of one service."""
    router = APIRouter(tags=["operations"])

    @router.get(
        "/openapi.json",
        operation_id=f"openapi_{service}",
        openapi_extra=PUBLIC,
        response_class=Response,
        responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}},
    )
    async def read_openapi(request: Request) -> Response:
        """What this service offers, as an OpenAPI document."""
        return Response(to_json(request.app.openapi()), media_type="application/json")

    return router


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an app."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        # Only what its own routes name: what else has been declared in this process is no part of this app.
        named = [_models[name] for name in sorted(_named(document["paths"]) & _models.keys())]
        _, definitions = models_json_schema(
            [(model, "validation") for model in named], ref_template=f"{_SCHEMAS}{{model}}"
        )
        components = document.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        schemas |= definitions.get("$defs", {}) | {"Problem": PROBLEM}
        components["securitySchemes"] = SECURITY_SCHEMES
        _drop_framework_answers(document)
        app.openapi_schema = document
    return app.openapi_schema


def _named(value: Any) -> set[str]:
    """The schemas that something refers to."""
    if isinstance(value, dict):
        own = {value["$ref"].removeprefix(_SCHEMAS)} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(_named, value.values()))
    return set().union(*map(_named, value)) if isinstance(value, list) else set()


def _drop_framework_answers(document: dict[str, Any]) -> None:
    for operations in document["paths"].values():
        for operation in operations.values():
            answers = operation.get("responses", {})
            for status, answer in answers.items():
                content = answer.get("content", {})
                if "HTTPValidationError" in str(content.get("application/json", "")):
                    answers[status] = _problem("Not valid")
                elif len(content) > 1 and content.get("application/json", {}).get("schema") in ({}, None):
                    content.pop("application/json", None)


def _problem(text: str) -> dict[str, Any]:
    return {
        "description": text,
        "content": {"application/problem+json": {"schema": {"$ref": f"{_SCHEMAS}Problem"}}},
    }


def _ref(model: type[BaseModel]) -> dict[str, str]:
    known = _models.setdefault(model.__name__, model)
    if known is not model and known.__module__ + known.__qualname__ != model.__module__ + model.__qualname__:
        raise ValueError(f"two published models are called {model.__name__}")
    return {"$ref": f"{_SCHEMAS}{model.__name__}"}


def _page(model: type[BaseModel]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": _ref(model)},
            "next": {"type": ["string", "null"], "description": "the cursor of the next page"},
        },
    }


def _all_optional(model: type[BaseModel]) -> bool:
    return not any(field.is_required() for field in model.model_fields.values())


def anchor(text: str) -> str:
    """A heading as the last part of a link."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
