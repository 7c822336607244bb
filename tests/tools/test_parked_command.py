"""`concert parked` as it is typed: what it prints, what it does to the views, and how it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from concert.parked import app
from services.metrics.app import service as metrics
from shared.bus import Record
from shared.identity.scopes import ADMIN
from tests.serving import serving
from tests.world import World, token_headers

pytestmark = pytest.mark.embedded_by_day

SUBJECT = "deal/deal_x"


@pytest.fixture
async def desk(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """Concert on a port of its own, and an administrator's token in the environment."""
    monkeypatch.setenv("CONCERT_TOKEN", token_of(world, ADMIN))
    async with serving(world.origin) as url:
        monkeypatch.setenv("CONCERT_URL", url)
        yield url


def token_of(world: World, *scopes: str) -> str:
    return token_headers(world.settings, *scopes)["Authorization"].removeprefix("Bearer ")


async def run(*words: str, answer: str = "") -> tuple[int, str]:
    result = await asyncio.to_thread(CliRunner().invoke, app, words, input=answer)
    assert "Traceback" not in result.output
    return result.exit_code, result.output


async def tell(world: World, version: int, data: bytes = b'{"on": "never"}', subject: str = SUBJECT) -> None:
    """Put an event on the log as a service would."""
    headers = (
        ("ce_id", f"{version:032x}"), ("ce_type", "concert.targets.deal-won.v1"), ("ce_source", "/targets"),
        ("ce_subject", subject), ("ce_sequence", str(version)), ("ce_time", "2026-01-01T00:00:00Z"),
    )  # fmt: skip
    await world.bus.publish([Record("concert.targets", subject, data, headers)])


async def held(world: World, number: int) -> list[dict[str, Any]]:
    """What is held, once it is so many."""
    async with asyncio.timeout(15):
        while len(found := (await world.admin.get("/v1/parked")).json()["items"]) != number:
            await asyncio.sleep(0.02)
    return list(found)


async def test_with_nothing_parked_the_list_says_so(desk: str) -> None:
    assert await run("list") == (0, "Nothing is parked, and nothing waits.\n")


async def test_the_list_has_a_line_for_each_event_that_is_held(world: World, desk: str) -> None:
    await tell(world, 1)
    await tell(world, 3)
    await held(world, 2)
    code, said = await run("list")
    assert code == 0
    header, first, second = said.splitlines()
    assert header.split() == ["service", "subject", "version", "type", "since", "reason"]
    assert first.split()[:4] == ["metrics", SUBJECT, "1", "concert.targets.deal-won.v1"]
    assert "it is not as it is declared (/on: Input should be a valid date" in first
    assert second.split()[:3] == ["metrics", SUBJECT, "3"]
    assert second.rstrip().endswith("waits for an earlier version")


async def test_one_event_is_shown_in_full_with_how_many_wait_behind_it(world: World, desk: str) -> None:
    await tell(world, 1, b'{"on": "never", "x": "\x1b[31m[red]"}')
    await tell(world, 2)
    await tell(world, 1, subject="deal/deal_y")
    first = next(each for each in await held(world, 3) if each["version"] == 1 and each["subject"] == SUBJECT)
    code, said = await run("show", SUBJECT)
    assert code == 0
    shown = dict(line.split(maxsplit=1) for line in said.splitlines() if line[0] != " ")
    assert shown["id"].strip() == first["id"]
    assert shown["version"].strip() == "1"
    assert shown["data"].strip() == '{"on": "never", "x": "�[31m[red]"}'
    assert shown["behind"].strip() == "it  1 more of this subject"


async def test_an_event_that_can_be_applied_now_is_applied_by_a_retry(
    world: World, desk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert metrics.subscriptions is not None
    with monkeypatch.context() as broken:
        broken.setattr(metrics.subscriptions.facts["deal"], "fold", _faulty)
        hired = await world.post("/v1/members", {"name": "Ada", "department": "sales", "starts_on": "2026-01-01"})
        await world.settled("/v1/deals", hired)
        deal = await world.made("/v1/deals", {"owner": hired.json()["id"], "opened_on": "2026-01-02"})
        (parked,) = await held(world, 1)
        code, said = await run("retry", f"deal/{deal['id']}")
        assert code == 1
        assert said.endswith(f"deal/{deal['id']}@1 was tried again and is still held: {parked['reason']}.\n")
    assert await run("retry", f"deal/{deal['id']}") == (0, f"deal/{deal['id']}@1 has been applied.\n")
    await held(world, 0)


def _faulty(fact: object, event: object) -> None:
    raise ValueError("a fault in the program")


async def test_an_event_that_is_given_up_lets_those_behind_it_go_on(world: World, desk: str) -> None:
    await tell(world, 1)
    await tell(world, 2)
    await held(world, 2)
    code, said = await run("discard", SUBJECT, "--yes")
    assert code == 0
    assert f"{SUBJECT}@1 (concert.targets.deal-won.v1) is parked: " in said
    assert "1 more of deal/deal_x wait behind it and go on." in said
    assert f"{SUBJECT}@1 has been given up.\nStill held of this subject: {SUBJECT}@2.\n" in said
    (left,) = await held(world, 1)
    assert (left["version"], left["reason"] is None) == (2, False)


async def test_nothing_is_given_up_without_a_yes(world: World, desk: str) -> None:
    await tell(world, 1)
    await held(world, 1)
    for answer in ("n\n", ""):
        code, said = await run("discard", SUBJECT, answer=answer)
        assert code == 1
        assert "Give it up for ever?" in said
    await held(world, 1)
    code, said = await run("discard", SUBJECT, answer="y\nA stranger sent it\n")
    assert code == 0
    await held(world, 0)
    said = (await run("list"))[1]
    assert said.startswith("Nothing is parked, and nothing waits.\n")
    assert f"metrics lacks {SUBJECT}@1, given up by tester on " in said
    assert said.endswith(": A stranger sent it\n")


async def test_why_something_was_given_up_may_be_said_afterwards(world: World, desk: str) -> None:
    await tell(world, 1)
    await held(world, 1)
    assert (await run("discard", SUBJECT, "--yes"))[0] == 0
    assert (await run("list"))[1].endswith(", without a word why\n")
    kept = f"It is kept why {SUBJECT}@1 may be lost.\n"
    assert await run("discard", SUBJECT, "--reason", "A stranger sent it") == (0, kept)
    assert (await run("list"))[1].endswith(": A stranger sent it\n")
    assert (await run("discard", SUBJECT, "--reason", "Again"))[0] == 1


async def test_an_event_that_only_waits_is_not_given_up(world: World, desk: str) -> None:
    await tell(world, 2)
    await held(world, 1)
    waits = f"{SUBJECT}@2 is not parked: it waits for an earlier version, so there is nothing to give up.\n"
    assert await run("discard", SUBJECT, "--yes") == (1, waits)
    code, said = await run("retry", SUBJECT)
    assert (code, said) == (1, f"{SUBJECT}@2 was tried again and is still held: waits for an earlier version.\n")


@pytest.mark.parametrize("words", [("show",), ("retry",), ("discard", "--yes")])
async def test_a_subject_of_which_nothing_is_held_is_said_to_be_none(desk: str, words: tuple[str, ...]) -> None:
    said = "Nothing is held for deal/no; `concert parked list` shows what is.\n"
    assert await run(*words, "deal/no") == (1, said)


@pytest.mark.parametrize("subject", ["deal", "deal/", "/x", "deal/x/y", ""])
async def test_what_is_no_subject_is_wrong_usage(subject: str) -> None:
    code, said = await run("show", subject)
    assert code == 2
    assert "is no subject" in said


async def test_who_may_not_mend_is_told_what_it_takes(world: World, desk: str) -> None:
    await tell(world, 1)
    await held(world, 1)
    reader = token_of(world, "parked:read")
    assert (await run("list", "--token", reader))[0] == 0
    code, said = await run("discard", SUBJECT, "--yes", "--token", reader)
    assert code == 1
    assert said.splitlines()[-1].startswith(f"/v1/parked/{SUBJECT}/discard answered 403: ")
    assert "parked:write" in said.splitlines()[-1]
    await held(world, 1)


async def test_without_a_token_it_says_how_to_get_one(desk: str) -> None:
    code, said = await run("list", "--token", "")
    assert code == 1
    assert "Say --token or set CONCERT_TOKEN" in said


async def test_where_nobody_answers_it_says_where_it_asked() -> None:
    code, said = await run("list", "--url", "http://127.0.0.1:1")
    assert code == 1
    assert said.startswith("Concert at http://127.0.0.1:1 did not answer as it should: ")
    assert said.count("\n") == 1


async def test_what_answers_but_is_not_concert_is_named() -> None:
    async def other(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"<html>"})

    async with serving(other) as url:
        code, said = await run("list", "--url", url)
    assert (code, said) == (1, f"What answers at {url} is not Concert: it shows no list of events.\n")


@pytest.mark.parametrize("address", ["localhost:8000", "http://", "http://[::1", "ftp://127.0.0.1", ""])
async def test_what_is_no_address_is_wrong_usage(address: str) -> None:
    code, said = await run("list", "--url", address)
    assert code == 2
    assert "is no address" in said


async def test_what_cannot_be_a_token_is_wrong_usage() -> None:
    code, said = await run("list", "--url", "http://127.0.0.1:1", "--token", "tökén")
    assert code == 2
    assert "this is no token" in said


@pytest.mark.parametrize("subject", ["\0", "' or 1=1 --", "deal/" + "x" * 5000, "\ufffd"])
async def test_what_can_be_no_subject_is_asked_for_without_harm(world: World, subject: str) -> None:
    answer = await world.admin.get("/v1/parked", params={"subject": subject})
    assert answer.status_code in (200, 422), answer.text
    assert answer.status_code == 422 or answer.json()["items"] == []


async def test_what_several_services_hold_is_mended_in_each_by_its_name(world: World, desk: str) -> None:
    subject = "member/mbr_x"
    headers = (
        ("ce_id", f"{1:032x}"), ("ce_type", "concert.teams.member-recruited.v1"), ("ce_source", "/teams"),
        ("ce_subject", subject), ("ce_sequence", "1"), ("ce_time", "2026-01-01T00:00:00Z"),
    )  # fmt: skip
    await world.bus.publish([Record("concert.teams", subject, b"{}", headers)])
    assert {each["service"] for each in await held(world, 3)} == {"meetings", "metrics", "targets"}
    ready = (await world.admin.get("/readyz")).json()
    assert (ready["ready"], ready["parked"]) == (True, 3)
    assert (await world.admin.get("/readyz", params={"others": "false"})).json()["parked"] == 1

    code, said = await run("discard", subject, "--yes")
    assert code == 1
    assert "is held by meetings and metrics and targets, each with its own trouble; say which by --service" in said
    code, said = await run("discard", subject, "--yes", "--service", "targets")
    assert code == 0, said
    assert "the certificate" not in said
    assert {each["service"] for each in await held(world, 2)} == {"meetings", "metrics"}
    of_targets = await world.admin.get("/v1/parked", params={"service": "targets"})
    (lost,) = of_targets.json()["discarded"]
    assert of_targets.json() == {"items": [], "next": None, "discarded": [lost], "silent": []}
    assert (lost["service"], lost["subject"], lost["reason"]) == ("targets", subject, None)
    wrong = await world.admin.get("/v1/parked", params={"service": "sales"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/service")


async def test_a_service_that_does_not_answer_is_named(world: World, desk: str) -> None:
    neighbours = world.services["metrics"].runtime.extras["neighbours"]

    neighbours._clients["targets"] = httpx.AsyncClient(base_url="http://127.0.0.1:1")
    assert (await world.admin.get("/v1/parked")).json()["silent"] == ["targets"]
    ready = await world.admin.get("/readyz")
    assert (ready.status_code, ready.json()["parts"]["targets"]) == (503, "does not answer")
    code, said = await run("list")
    assert code == 0
    assert "Not answered, so nothing is known of what they hold: targets." in said
