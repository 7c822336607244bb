"""What the guard of the published face lets pass, and what it refuses: with the place and the reason."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from tests.contracts.breaks import breaks
from tests.contracts.published import Document, Published

TEXT: Document = {"type": "string"}
PERHAPS: Document = {"anyOf": [TEXT, {"type": "null"}], "default": None}
WON = "concert.targets.deal-won.v1"
EVENT: Document = {
    "type": "object",
    "properties": {
        "on": {"type": "string", "format": "date"},
        "value": {"$ref": "#/$defs/Money"},
        "team": PERHAPS,
        "stage": {"enum": ["open", "won"], "type": "string"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}, "default": []},
    },
    "required": ["on", "value"],
    "$defs": {
        "Money": {"type": "object", "properties": {"amount": TEXT}, "required": ["amount"]},
        "Line": {"type": "object", "properties": {"of": {"$ref": "#/$defs/Line"}, "quantity": TEXT}},
    },
    "x-topic": "concert.targets",
    "x-tombstone": False,
    "x-erases": "",
}
WIN = "POST /v1/deals/{id}/win"
API: Document = {
    "paths": {
        "/v1/deals/{id}/win": {
            "post": {
                "operationId": "win_deal",
                "x-permission": "deals:write",
                "parameters": [
                    {"in": "path", "name": "id", "required": True, "schema": TEXT},
                    {"in": "query", "name": "limit", "required": False,
                     "schema": {"type": "integer", "maximum": 200, "default": 50}},
                ],
                "requestBody": {
                    "required": False,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/WinDeal"}}},
                },
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/DealShown"}}}},
                    "409": {"content": {"application/problem+json": {"schema": {"type": "object"}}}},
                },
            }
        }
    },
    "components": {
        "schemas": {
            "WinDeal": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"on": PERHAPS, "kind": {"enum": ["new", "renewal"], "type": "string"},
                               "note": {"type": "string", "maxLength": 100}},
                "required": ["kind"],
            },
            "DealShown": {
                "type": "object",
                "properties": {"id": TEXT, "status": {"enum": ["open", "won"], "type": "string"}, "owner": PERHAPS},
                "required": ["id", "status"],
            },
        }
    },
}  # fmt: skip


def changed(document: Document, path: str, *value: Any) -> Document:
    """A document with another value at a place, or nothing there."""
    copy = deepcopy(document)
    *way, last = [part.replace("~", "/") for part in path.split("/")]
    place: Any = copy
    for part in way:
        place = place[int(part) if isinstance(place, list) else part]
    if not value:
        del place[int(last) if isinstance(place, list) else last]
    elif isinstance(place, list) and last == "+":
        place.append(*value)
    else:
        place[last] = value[0]
    return copy


def event_breaks(after: Document | None) -> list[str]:
    told = Published({}, {WON: EVENT})
    return list(map(str, breaks(told, Published({}, {WON: after} if after is not None else {}))))


def api_breaks(after: Document) -> list[str]:
    return list(map(str, breaks(Published({"targets": API}, {}), Published({"targets": after}, {}))))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("properties/team", (), f"{WON}/team: this field is gone"),
        ("$defs/Money/properties/amount", (), f"{WON}/value/amount: this field is gone"),
        ("properties/team", ({"type": "integer"},), f"{WON}/team: no longer string"),
        ("properties/on", (TEXT,), f"{WON}/on: its format was date and is free"),
        ("properties/on", (PERHAPS,), f"{WON}/on: may now be null"),
        ("properties/team", (TEXT,), f"{WON}/team: no longer null"),
        ("$defs/Line/properties/quantity", ({"type": "number"},), f"{WON}/lines/[]/quantity: no longer string"),
        ("required/+", ("stage",), f"{WON}/stage: is required now; events on the log lack it"),
        ("required/0", (), f"{WON}/on: was always there and may now be missing"),
        ("properties/stage/enum", (["open"],), f"{WON}/stage: the value 'won' is gone"),
        ("properties/stage/enum", (), f"{WON}/stage: was one of 'open', 'won' and may now be anything"),
        ("properties/team/default", ("none",), f"{WON}/team: what is left out meant None and now means 'none'"),
        ("x-topic", ("concert.teams",), f"{WON}: its topic was 'concert.targets' and is 'concert.teams'"),
        ("x-erases", ("person",), f"{WON}: its erases was '' and is 'person'"),
    ],
)
def test_an_event_that_readers_could_not_read_is_refused(path: str, value: tuple[Any, ...], said: str) -> None:
    assert said in event_breaks(changed(EVENT, path, *value))


def test_a_field_that_is_renamed_is_one_that_is_gone() -> None:
    renamed = changed(changed(EVENT, "properties/team"), "properties/group", PERHAPS)
    assert event_breaks(renamed) == [f"{WON}/team: this field is gone"]


def test_a_field_that_is_new_and_required_is_refused() -> None:
    more = changed(changed(EVENT, "properties/region", TEXT), "required/+", "region")
    assert event_breaks(more) == [f"{WON}/region: is required now; events on the log lack it"]


def test_an_event_that_is_gone_is_refused_for_its_records_stay() -> None:
    assert event_breaks(None) == [f"{WON}: this event is gone, but its records stay on the log: keep its class, and"
                                  " lift it"]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("properties/region", PERHAPS),
        ("properties/stage/enum", ["open", "won", "lost"]),
        ("$defs/Line/properties/cost", PERHAPS),
        ("required", ["value", "on"]),
    ],
)
def test_an_event_may_say_more(path: str, value: Any) -> None:
    assert event_breaks(changed(EVENT, path, value)) == []


def test_versions_of_an_event_live_side_by_side_and_new_events_come() -> None:
    second = WON.replace("v1", "v2")
    old = Published({}, {WON: EVENT})
    assert breaks(old, Published({}, {WON: EVENT, second: changed(EVENT, "properties/team")})) == []


BODY = "components/schemas/WinDeal"
SHOWN = "components/schemas/DealShown"
OPERATION = "paths/~v1~deals~{id}~win/post"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("paths/~v1~deals~{id}~win", (), f"{WIN}: this route is gone"),
        (OPERATION, (), f"{WIN}: this route is gone"),
        (f"{OPERATION}/operationId", ("win",), f"{WIN}: its name was win_deal and is win"),
        (f"{OPERATION}/x-permission", ("admin",), f"{WIN}: needed deals:write and needs admin"),
        (f"{OPERATION}/parameters/1", (), f"{WIN} query limit: this parameter is gone"),
        (f"{OPERATION}/parameters/1/required", (True,), f"{WIN} query limit: this parameter is required now"),
        (f"{OPERATION}/parameters/1/schema/maximum", (100,), f"{WIN} query limit: its maximum was 200 and is 100"),
        (
            f"{OPERATION}/parameters/1/schema/default",
            (20,),
            f"{WIN} query limit: what is left out meant 50 and now means 20",
        ),
        (
            f"{OPERATION}/parameters/+",
            ({"in": "query", "name": "on", "required": True, "schema": TEXT},),
            f"{WIN} query on: this parameter is required now",
        ),
        (f"{OPERATION}/requestBody", (), f"{WIN} body: no body is taken any more"),
        (f"{OPERATION}/requestBody/required", (True,), f"{WIN} body: a body is required now"),
        (f"{OPERATION}/requestBody/content/application~json", (), f"{WIN} body application/json: this form is gone"),
        (f"{OPERATION}/responses/200", (), f"{WIN} 200: this status is no longer answered"),
        (f"{OPERATION}/responses/409", (), f"{WIN} 409: this status is no longer answered"),
        (f"{OPERATION}/responses/201", ({},), f"{WIN} 201: this status is answered now"),
        (f"{BODY}/required/+", ("on",), f"{WIN} body/on: is required now"),
        (f"{BODY}/properties/note", (), f"{WIN} body/note: this field is gone"),
        (f"{BODY}/properties/note/maxLength", (50,), f"{WIN} body/note: its maxLength was 100 and is 50"),
        (f"{BODY}/properties/note/minLength", (1,), f"{WIN} body/note: its minLength was free and is 1"),
        (f"{BODY}/properties/note/pattern", ("^a",), f"{WIN} body/note: its pattern was free and is ^a"),
        (f"{BODY}/properties/kind/enum", (["new"],), f"{WIN} body/kind: the value 'renewal' is gone"),
        (f"{BODY}/properties/on", (TEXT,), f"{WIN} body/on: no longer null"),
        (f"{SHOWN}/properties/owner", (), f"{WIN} 200/owner: this field is gone"),
        (f"{SHOWN}/properties/id", (PERHAPS,), f"{WIN} 200/id: may now be null"),
        (f"{SHOWN}/properties/id", ({"type": "integer"},), f"{WIN} 200/id: may now be integer"),
        (f"{SHOWN}/properties/status/enum", (["won"],), f"{WIN} 200/status: the value 'open' is gone"),
        (f"{SHOWN}/required/0", (), f"{WIN} 200/id: was always there and may now be missing"),
    ],
)
def test_a_route_that_its_callers_could_not_use_is_refused(path: str, value: tuple[Any, ...], said: str) -> None:
    assert said in api_breaks(changed(API, path, *value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("paths/~v1~deals", {"get": {"operationId": "list_deals", "responses": {"200": {}}}}),
        (f"{OPERATION}/x-permission", "public"),
        (f"{OPERATION}/parameters/+", {"in": "query", "name": "on", "required": False, "schema": TEXT}),
        (f"{OPERATION}/parameters/1/schema/maximum", 500),
        (f"{OPERATION}/responses/404", {}),
        (f"{OPERATION}/description", "Win it."),
        (f"{BODY}/properties/credits", PERHAPS),
        (f"{BODY}/properties/kind/enum", ["new", "renewal", "upgrade"]),
        (f"{BODY}/properties/kind", TEXT),
        (f"{BODY}/required", []),
        (f"{SHOWN}/properties/stage", TEXT),
        (f"{SHOWN}/required", ["id", "status", "owner"]),
        (f"{SHOWN}/properties/status/enum", ["open", "won", "lost"]),
        (f"{SHOWN}/properties/owner", TEXT),
    ],
)
def test_a_route_may_take_and_answer_more(path: str, value: Any) -> None:
    assert api_breaks(changed(API, path, value)) == []


def test_a_route_may_move_to_another_service() -> None:
    assert breaks(Published({"targets": API}, {}), Published({"teams": API}, {})) == []
