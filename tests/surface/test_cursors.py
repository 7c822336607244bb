"""The cursor of a list is one that a page gave: every list of every service refuses any other, by its name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.errors import Invalid
from shared.http.pages import Cursor
from tests.surface.inhabited import Ids, inhabit, is_a_thing
from tests.world import World, world

BROKEN = ("!", "!!!!", "=", "AAA!", "a b", "ZGVhbA==", "ZGVhbB", "é", "_w", "AAAA")
MUST_ASK = {"/v1/views/{department}/rows": {"department": "sales", "period": "2025", "figure": "deals_won"},
            "/v1/series/{ref}/meetings": {"from": "2026-01-01", "to": "2026-03-01"}}  # fmt: skip
EVENTS = "/v1/events"
"""A stream, whose cursors are places in the log; its own tests say what it refuses."""


@pytest.fixture(scope="module")
async def concert(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(Path(tmp_path_factory.mktemp("lists"))) as started:
        yield started


@pytest.fixture(scope="module")
async def ids(concert: World) -> Ids:
    return await inhabit(concert)


def lists_of(concert: World) -> Iterator[str]:
    """The path of every list that takes a cursor."""
    for running in concert.services.values():
        for path, operations in running.app.openapi()["paths"].items():
            asked = [each["name"] for each in operations.get("get", {}).get("parameters", ())]
            if "cursor" in asked and path != EVENTS:
                yield path


async def test_every_list_refuses_a_cursor_that_no_page_gave(concert: World, ids: Ids) -> None:
    asked = sorted(lists_of(concert))
    assert len(asked) > 30
    for path in asked:
        query = dict(MUST_ASK.get(path, {}))
        address = path.replace("{department}", query.pop("department", ""))
        if is_a_thing(path):
            thing = ids[path.split("/")[2]][0]
            address = path.replace("{ref}", thing).replace("{id}", thing)
        first = await concert.admin.get(address, params=query)
        assert first.status_code == 200, f"{address}: {first.text}"
        for cursor in BROKEN:
            answer = await concert.admin.get(address, params={**query, "cursor": cursor})
            assert answer.status_code == 422, f"{address}?cursor={cursor}: {answer.text}"
            assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/cursor"]


@given(some.text(min_size=1).filter(lambda last: "\x00" not in last))
def test_a_cursor_that_a_page_gave_is_read_as_it_was_given(last: str) -> None:
    assert Cursor.read(Cursor(last).text()) == Cursor(last)


@given(some.text(min_size=1))
def test_what_is_read_as_a_cursor_is_written_so(text: str) -> None:
    try:
        cursor = Cursor.read(text)
    except Invalid:
        return
    assert cursor.last
    assert cursor.text() == text
