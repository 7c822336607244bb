"""The published documents: one OpenAPI of all services, AsyncAPI of the events, and a page for every problem."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from services.metrics.page.meanings import DO, meanings
from services.metrics.page.merged import merge
from services.metrics.page.reference import chapters, example_of
from shared.bus import COMPACTED, TOPICS
from shared.events import REGISTRY
from shared.http.asyncapi import asyncapi_of
from shared.http.documents import openapi_of
from shared.http.problems import Internal
from shared.settings import Settings
from tests.metrics.test_page import Page, read, stranger
from tests.world import World


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            if key == "$ref" and isinstance(each, str):
                yield each
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def found(document: Mapping[str, Any], reference: str) -> Any:
    value: Any = document
    for part in reference.removeprefix("#/").split("/"):
        value = value[part]
    return value


async def fetched(world: World, address: str) -> dict[str, Any]:
    async with stranger(world) as client:
        answer = await client.get(address, headers={"Accept": "*/*"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    document: dict[str, Any] = answer.json()
    return document


async def test_one_document_has_the_routes_of_all_services(company: World) -> None:
    document = await fetched(company, "/openapi.json")
    assert document["x-missing"] == []
    for running in company.services.values():
        own = openapi_of(running.app)
        assert set(own["paths"]) - {"/openapi.json"} <= set(document["paths"])
    assert {"/v1/deals", "/v1/members", "/v1/requests", "/v1/views", "/asyncapi.json"} <= set(document["paths"])
    assert "/" not in document["paths"]


async def test_every_service_publishes_its_own_document_to_everybody(company: World) -> None:
    for name in ("teams", "targets", "meetings"):
        transport = httpx.ASGITransport(company.services[name].entry)
        async with httpx.AsyncClient(transport=transport, base_url="http://alone.test") as client:
            answer = await client.get("/openapi.json")
        assert answer.status_code == 200
        assert answer.json()["info"]["title"] == f"Concert {name}"


async def test_every_reference_of_the_document_leads_somewhere(company: World) -> None:
    document = await fetched(company, "/openapi.json")
    assert all(found(document, each) is not None for each in references(document))
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


async def test_no_two_routes_have_one_name(company: World) -> None:
    document = await fetched(company, "/openapi.json")
    names = [each["operationId"] for operations in document["paths"].values() for each in operations.values()]
    assert len(names) == len(set(names))


def test_things_of_one_name_that_differ_are_kept_apart() -> None:
    def service(form: str) -> dict[str, Any]:
        shown = {"schema": {"$ref": "#/components/schemas/Shown"}}
        return {
            "paths": {f"/v1/{form}": {"get": {"responses": {"200": {"content": {"application/json": shown}}}}}},
            "components": {"schemas": {"Shown": {"type": form}, "Same": {"type": "null"}}},
        }

    document = merge({"teams": service("string"), "targets": service("integer"), "meetings": None})
    assert document["x-missing"] == ["meetings"]
    assert set(document["components"]["schemas"]) == {"Same", "Shown", "TargetsShown"}
    forms = {path: found(document, next(references(operations))) for path, operations in document["paths"].items()}
    assert forms == {"/v1/string": {"type": "string"}, "/v1/integer": {"type": "integer"}}


async def test_a_service_that_does_not_answer_is_said_to_be_missing(
    company: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = company.services["metrics"].runtime
    asked = runtime.extras["neighbours"].get

    async def silent(service: str, path: str, /, **query: Any) -> httpx.Response:
        if service == "meetings":
            raise httpx.ConnectError("no")
        answer: httpx.Response = await asked(service, path, **query)
        return answer

    runtime.extras.pop("merged_openapi", None)
    with monkeypatch.context() as patched:
        patched.setattr(runtime.extras["neighbours"], "get", silent)
        assert (await fetched(company, "/openapi.json"))["x-missing"] == ["meetings"]
        assert "meetings did not answer just now" in (await read(company, "/docs")).said
    assert (await fetched(company, "/openapi.json"))["x-missing"] == []


async def test_the_documents_show_every_route_with_its_permission(company: World) -> None:
    document = await fetched(company, "/openapi.json")
    said = (await read(company, "/docs")).said
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert path in said
            assert f"Permission: {operation['x-permission']}" in said


async def test_the_examples_of_the_documents_are_what_the_routes_accept(company: World) -> None:
    document = await fetched(company, "/openapi.json")
    judged = 0
    for _, operations in chapters(document, "http://concert.test"):
        for it in operations:
            if "as application/json" not in it.body:
                continue
            sent = json.loads(shlex.split(it.example.replace("\\\n", " "))[-1])
            body = document["paths"][it.path][it.method.lower()]["requestBody"]
            schema = {**body["content"]["application/json"]["schema"], "components": document["components"]}
            assert not list(Draft202012Validator(schema).iter_errors(sent)), (it.method, it.path, sent)
            judged += 1
    assert judged > 20


def test_an_example_that_refers_to_itself_comes_to_an_end() -> None:
    node = {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#/components/schemas/Node"}}}
    document = {"components": {"schemas": {"Node": node}}}
    assert example_of(document, {"$ref": "#/components/schemas/Node"})


async def test_the_events_are_described_as_asyncapi_3(company: World) -> None:
    document = await fetched(company, "/asyncapi.json")
    assert document["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= document["info"].keys()
    assert set(document["channels"]) == set(TOPICS)
    for topic, channel in document["channels"].items():
        assert channel["address"] == topic
        kept = channel["bindings"]["kafka"]["topicConfiguration"]
        assert kept["cleanup.policy"] == (["compact"] if topic in COMPACTED else ["delete"])
    for operation in document["operations"].values():
        assert operation["action"] in ("send", "receive")
        assert found(document, operation["channel"]["$ref"])
    assert all(found(document, each) is not None for each in references(document))
    assert "servers" not in document


async def test_every_declared_event_is_a_message_of_its_topic(company: World) -> None:
    document = await fetched(company, "/asyncapi.json")
    ours = {name: event for name, event in REGISTRY.items() if event.__module__.startswith("shared.events.")}
    assert set(document["components"]["messages"]) == set(ours)
    for name, event in ours.items():
        assert name in document["channels"][event.topic]["messages"]
        message = document["components"]["messages"][name]
        assert message["name"] == name
        assert message["summary"]
        assert message["payload"]["type"] == ("null" if event.tombstone else "object")
        schema = {**message["payload"], "components": document["components"]}
        Draft202012Validator.check_schema(schema)


async def test_what_is_told_on_the_log_has_the_described_form(company: World) -> None:
    document = await fetched(company, "/asyncapi.json")
    told = 0
    for collection in ("deals", "customers", "members", "requests", "invoices"):
        async for event in events_of(company, collection):
            message = document["components"]["messages"][event["type"]]
            schema = {**message["payload"], "components": document["components"]}
            assert not list(Draft202012Validator(schema).iter_errors(event["data"])), event
            told += 1
    assert told > 20


async def events_of(world: World, collection: str) -> Any:
    things = (await world.admin.get(f"/v1/{collection}", params={"limit": 5})).json()["items"]
    for thing in things:
        for event in (await world.admin.get(f"/v1/{collection}/{thing['id']}/history")).json()["items"]:
            yield event


def test_the_brokers_are_named_where_there_are_any() -> None:
    document = asyncapi_of(Settings(bus="kafka", kafka_bootstrap_servers="one:9092, two:9092"))
    assert [server["host"] for server in document["servers"].values()] == ["one:9092", "two:9092"]
    assert {server["protocol"] for server in document["servers"].values()} == {"kafka"}


async def test_every_problem_leads_to_a_page_that_says_what_to_do(company: World) -> None:
    kinds = meanings()
    assert {kind.type for kind in kinds} == set(DO)
    assert Internal.type in DO
    listed = await read(company, "/problems")
    for kind in kinds:
        page = await read(company, f"/problems/{kind.type}")
        assert kind.title in page.said
        assert "What to do" in page.said
        assert f"/problems/{kind.type}" in listed.all("a", "href")


async def test_the_type_of_a_problem_is_an_address_that_answers(company: World) -> None:
    refused = await company.admin.get("/v1/deals/deal_nobody")
    page = await read(company, refused.json()["type"])
    assert "Not found" in page.said


async def test_a_fault_of_ours_is_a_page_that_names_nothing_inside(
    company: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("services.metrics.page.routes.look", broken)
    answer = await company.admin.get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 500
    page = Page(answer.text)
    assert "Something went wrong here" in page.said
    assert "secret" not in page.said
    assert re.search(r"Trace [0-9a-f]{32}", page.said)
