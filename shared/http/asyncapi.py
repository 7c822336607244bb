"""The AsyncAPI 3 document of the published language, from the same declarations that the services write and read."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from shared import __version__, events
from shared.bus import COMPACTED, PARTITIONS, TOPICS
from shared.events import REGISTRY, Event, read_as, schema_of
from shared.settings import Settings

_DESCRIPTION: Final = (
    "What the services of Concert tell one another and every tool that listens. Each topic keeps its events for ever,"
    " so that a reader may begin at the first one. The order holds within a subject; a record may come twice, so a"
    " reader keeps the last `ce_sequence` of each subject and skips what is not above it."
)
_TOPIC_SAYS: Final = {
    "concert.teams": "Who we are: departments, people by their id, teams, groups.",
    "concert.targets": "What we aim at and what we achieve: customers, products, deals, money, targets.",
    "concert.meetings": "How we talk and help: series, meetings, items, actions, requests.",
    "concert.metrics": "What was reviewed and decided, and the figures of one moment that a joint meeting begins with.",
    "concert.people": "Names and other personal data, and nothing else. Of each person only the latest is kept; "
    "a record without a value says that the person is to be forgotten.",
}
_HEADERS: Final[dict[str, Any]] = {
    "type": "object",
    "required": [
        "ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_time", "ce_sequence", "ce_partitionkey",
    ],
    "properties": {
        "content-type": {"type": "string", "const": "application/json"},
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": {"type": "string", "description": "of this event; the same however often it comes"},
        "ce_type": {"type": "string", "description": "the name of the message"},
        "ce_source": {"type": "string", "description": "the service that tells"},
        "ce_subject": {"type": "string", "description": "what it is about", "examples": ["deal/deal_01h"]},
        "ce_time": {"type": "string", "format": "date-time", "description": "when it was recorded"},
        "ce_sequence": {"type": "string", "description": "the version of the subject that it made, counted from 1"},
        "ce_partitionkey": {"type": "string", "description": "the subject: its events stay in order"},
        "ce_batch": {"type": "string", "description": "the bulk it came with"},
        "ce_traceparent": {"type": "string", "description": "the W3C trace it belongs to"},
    },
}  # fmt: skip


def asyncapi_of(settings: Settings) -> dict[str, Any]:
    """The whole document, with the address of the log where one is configured."""
    declared = declared_events()
    schemas: dict[str, Any] = {}
    messages = {name: _message(event, schemas) for name, event in declared.items()}
    document: dict[str, Any] = {
        "asyncapi": "3.0.0",
        "info": {"title": "Concert events", "version": __version__, "description": _DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {topic: _channel(topic, declared) for topic in TOPICS},
        "operations": {f"tell-{topic}": _operation(topic) for topic in TOPICS},
        "components": {"messages": messages, "messageTraits": {"cloudEvent": _TRAIT}, "schemas": schemas},
    }
    if settings.bus == "kafka":
        document["servers"] = {
            f"broker{number}": {"host": host.strip(), "protocol": "kafka"}
            for number, host in enumerate(settings.kafka_bootstrap_servers.split(","), 1)
        }
    return document


_TRAIT: Final[dict[str, Any]] = {
    "contentType": "application/json",
    "headers": _HEADERS,
    "bindings": {"kafka": {"key": {"type": "string", "description": "the subject"}, "bindingVersion": "0.5.0"}},
}


@cache
def declared_events() -> dict[str, type[Event]]:
    """Every declared event by its wire name; a service alone may not have met all of them yet."""
    for module in pkgutil.iter_modules(events.__path__, f"{events.__name__}."):
        importlib.import_module(module.name)
    published = {name: event for name, event in REGISTRY.items() if event.__module__.startswith(f"{events.__name__}.")}
    return dict(sorted(published.items()))


def _channel(topic: str, declared: dict[str, type[Event]]) -> dict[str, Any]:
    kafka: dict[str, Any] = {
        "partitions": PARTITIONS,
        "topicConfiguration": {"cleanup.policy": ["compact"] if topic in COMPACTED else ["delete"], "retention.ms": -1},
        "bindingVersion": "0.5.0",
    }
    return {
        "address": topic,
        "description": _TOPIC_SAYS[topic],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _names_of(topic, declared)},
        "bindings": {"kafka": kafka},
    }


def _operation(topic: str) -> dict[str, Any]:
    return {"action": "send", "channel": {"$ref": f"#/channels/{topic}"}, "summary": _TOPIC_SAYS[topic]}


def _names_of(topic: str, declared: dict[str, type[Event]]) -> Iterator[str]:
    return (name for name, event in declared.items() if event.topic == topic)


def _message(event: type[Event], schemas: dict[str, Any]) -> dict[str, Any]:
    says = inspect.cleandoc(event.__doc__ or "")
    payload: dict[str, Any] = {"type": "null"}
    if not event.tombstone:
        schema = schema_of(event)
        for name, definition in schema.pop("$defs", {}).items():
            schemas[name] = _hoisted(definition)
        payload = _hoisted(schema)
    latest = read_as(event.type)
    return {
        "name": event.type,
        "title": event.__name__,
        "summary": says.partition("\n\n")[0].replace("\n", " "),
        "payload": payload,
        "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
        # What is on the log of an older version stays as it was told; whoever reads it may read it as the latest.
        **({"x-read-as": latest.type} if latest is not None and latest is not event else {}),
    }


def _hoisted(schema: Any) -> Any:
    """A schema whose references lead to the document's components."""
    if isinstance(schema, dict):
        return {
            name: value.replace("#/$defs/", "#/components/schemas/") if name == "$ref" else _hoisted(value)
            for name, value in schema.items()
        }
    return [_hoisted(each) for each in schema] if isinstance(schema, list) else schema
