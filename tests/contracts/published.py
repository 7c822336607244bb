"""What Concert has published: its routes, and every version of every event, as the code says it or as files keep it.

The files are the same on every machine: sorted, without dates, and with nothing of the libraries' versions in them.
"""

from __future__ import annotations

import inspect
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from concert.services import SERVICES
from shared.application import build_app
from shared.events import Event, read_as, schema_of
from shared.http.asyncapi import asyncapi_of, declared_events
from shared.settings import Settings

ROOT = Path(__file__).parents[2]
CONTRACTS = ROOT / "contracts"
RELEASED = CONTRACTS / "released"
WIDTH = 120
WORDS = {"description", "title", "summary", "examples", "example", "tags"}
BY_NAME = {"properties", "patternProperties", "$defs", "schemas", "paths", "responses", "content", "securitySchemes"}
"""Under these stand names that are given, not words of the notation."""
Document = dict[str, Any]


@dataclass(frozen=True)
class Published:
    """The documents: of each service what it offers, of each event its form by its wire name."""

    services: Mapping[str, Document]
    events: Mapping[str, Document]

    def files(self) -> Iterator[tuple[str, Document]]:
        """Each document with the file it stands in."""
        yield from ((f"openapi/{name}.json", document) for name, document in self.services.items())
        yield from ((f"events/{name}.json", document) for name, document in self.events.items())

    def bare(self) -> Published:
        """Without the words for people: what a program depends on."""
        return Published(
            {name: _bare(each) for name, each in self.services.items()},
            {name: _bare(each) for name, each in self.events.items()},
        )


@cache
def in_code() -> Published:
    """What the code says now."""
    # The documents need no running parts.
    apps = {service.name: build_app(service, cast(Any, None), cast(Any, None)) for service in SERVICES}
    return Published(
        {name: json.loads(json.dumps(app.openapi())) for name, app in sorted(apps.items())},
        {name: event_document(each) for name, each in declared_events().items()},
    )


def event_document(declared: type[Event]) -> Document:
    """The JSON Schema of an event version, with where it is told and what it does beyond its data."""
    latest = read_as(declared.type) or declared
    form: Document = {"type": "null"} if declared.tombstone else json.loads(json.dumps(schema_of(declared)))
    return form | {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": declared.type,
        "description": inspect.cleandoc(declared.__doc__ or ""),
        "x-topic": declared.topic,
        "x-tombstone": declared.tombstone,
        "x-erases": declared.erases,
        **({"x-read-as": latest.type} if latest is not declared else {}),
    }


def in_folder(folder: Path) -> Published:
    """What a folder keeps."""
    return _sorted_out({str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*.json")})


def at_commit(reference: str) -> Published:
    """What a commit of this repository keeps. Raises LookupError when there is no such commit here."""
    listed = _git("ls-tree", "-r", "--name-only", reference, "contracts/openapi", "contracts/events").split()
    return _sorted_out({name.removeprefix("contracts/"): _git("show", f"{reference}:{name}") for name in listed})


def expected(published: Published) -> dict[Path, str]:
    """Every file of `contracts/` but for what was released, as it must be."""
    found = {CONTRACTS / name: written(document) for name, document in published.files()}
    return found | {CONTRACTS / "asyncapi.json": written(asyncapi_of(Settings(bus="embedded")))}


def committed() -> dict[Path, str]:
    """Every file of `contracts/` but for what was released, as it is."""
    files = (file for file in CONTRACTS.rglob("*.json") if RELEASED not in file.parents)
    return {file: file.read_text() for file in files}


def store(files: Mapping[Path, str], old: Mapping[Path, str]) -> None:
    """Write files, and remove those of before that are none of them."""
    for file in old.keys() - files.keys():
        file.unlink()
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def written(value: Any) -> str:
    """A document as it is kept: what fits on a line stands on one, so that a change is read and merged by lines."""
    return _written(value, "") + "\n"


def _written(value: Any, indent: str) -> str:
    line = json.dumps(value, sort_keys=True, ensure_ascii=False)
    flat = not isinstance(value, dict) and not any(isinstance(each, dict | list) for each in _members(value))
    if flat or not value or len(indent) + len(line) <= WIDTH:
        return line
    deeper = indent + " "
    if isinstance(value, dict):
        inner = [f"{json.dumps(name)}: {_written(each, deeper)}" for name, each in sorted(value.items())]
    else:
        inner = [_written(each, deeper) for each in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n" + ",\n".join(deeper + each for each in inner) + f"\n{indent}{closing}"


def _members(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _bare(value: Any, *, names: bool = False) -> Any:
    if isinstance(value, dict):
        return {
            key: _bare(each, names=not names and key in BY_NAME)
            for key, each in value.items()
            if names or key not in WORDS
        }
    return [_bare(each) for each in value] if isinstance(value, list) else value


def _sorted_out(files: Mapping[str, str]) -> Published:
    def under(folder: str) -> dict[str, Document]:
        return {
            name.removeprefix(folder).removesuffix(".json"): json.loads(text)
            for name, text in sorted(files.items())
            if name.startswith(folder)
        }

    return Published(under("openapi/"), under("events/"))


def _git(*arguments: str) -> str:
    ended = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    if ended.returncode:
        raise LookupError(ended.stderr.strip())
    return ended.stdout
