"""One OpenAPI document of all services, merged from the ones they publish."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import structlog
from pydantic_core import from_json

from shared import __version__
from shared.http.runtime import Runtime
from shared.neighbours import OTHERS

log = structlog.get_logger(__name__)
FRESH_SECONDS: Final = 60.0
_DESCRIPTION: Final = (
    "Concert helps a sales organisation and the departments around it work as one. Four services behind one address:"
    " teams (who we are), targets (what we aim at and achieve), meetings (how we talk and help) and metrics (how we are"
    " doing). Every write is stored with its event before it is answered; `Concert-Version` of an answer, sent as"
    " `?after=`, lets a reader of another service wait for it."
)
_SCHEMAS: Final = "#/components/schemas/"


@dataclass(slots=True)
class Merged:
    """The merged document, made anew when it is older than a minute or a service was missing in it."""

    runtime: Runtime
    own: dict[str, Any] = field(default_factory=dict)
    _document: dict[str, Any] | None = None
    _made: float = 0.0
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def document(self) -> dict[str, Any]:
        """The document; services that do not answer are named in `x-missing`."""
        async with self._busy:
            old = time.monotonic() - self._made > FRESH_SECONDS
            if self._document is None or old or self._document["x-missing"]:
                found = await asyncio.gather(*(self._ask(service) for service in OTHERS))
                documents = {"metrics": self.own, **dict(zip(OTHERS, found, strict=True))}
                self._document, self._made = merge(documents), time.monotonic()
            return self._document

    async def _ask(self, service: str) -> dict[str, Any] | None:
        try:
            answer = await self.runtime.extras["neighbours"].get(service, "/openapi.json", headers={})
            document: dict[str, Any] | None = from_json(answer.content) if answer.status_code == 200 else None
        except (httpx.HTTPError, ValueError) as fault:
            log.warning("openapi_not_fetched", service=service, reason=str(fault))
            return None
        return document


def merge(documents: Mapping[str, Mapping[str, Any] | None]) -> dict[str, Any]:
    """One document out of several; what is the same in them stands once, other things of the same name are renamed."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    schemes: dict[str, Any] = {}
    for service, document in documents.items():
        if document is None:
            continue
        components = document.get("components", {})
        renamed = _names(service, components.get("schemas", {}), schemas)
        for name, schema in components.get("schemas", {}).items():
            schemas[renamed.get(name, name)] = _rename(schema, renamed)
        for path, operations in document["paths"].items():
            if path not in paths:
                paths[path] = _rename(operations, renamed)
        schemes |= components.get("securitySchemes", {})
    return {
        "openapi": "3.1.0",
        "info": {"title": "Concert", "version": __version__, "description": _DESCRIPTION},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": dict(sorted(schemas.items())), "securitySchemes": schemes},
        "x-missing": [service for service, document in documents.items() if document is None],
    }


def _names(service: str, ours: Mapping[str, Any], taken: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: f"{service.capitalize()}{name}"
        for name, schema in ours.items()
        if name in taken and taken[name] != schema
    }


def _rename(value: Any, renamed: Mapping[str, str]) -> Any:
    if not renamed:
        return value
    if isinstance(value, dict):
        return {key: _ref(each, renamed) if key == "$ref" else _rename(each, renamed) for key, each in value.items()}
    return [_rename(each, renamed) for each in value] if isinstance(value, list) else value


def _ref(reference: Any, renamed: Mapping[str, str]) -> Any:
    if isinstance(reference, str) and reference.startswith(_SCHEMAS):
        name = reference.removeprefix(_SCHEMAS)
        return _SCHEMAS + renamed.get(name, name)
    return reference
