"""`concert review` as it is typed: what it prints, what it holds, and how it says no."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import typer
from typer.testing import CliRunner

from concert.demo import Calendar
from concert.reviewed import review
from shared.identity.scopes import ADMIN
from shared.instant import now
from tests.serving import serving
from tests.world import World, token_headers

app = typer.Typer()
app.command()(review)


@pytest.fixture(scope="module")
async def address(demo: World) -> AsyncIterator[str]:
    async with serving(demo.origin) as url:
        yield url


@pytest.fixture(autouse=True)
def _desk(demo: World, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCERT_URL", address)
    monkeypatch.setenv("CONCERT_TOKEN", token_of(demo, ADMIN))


def token_of(demo: World, *scopes: str, member: str | None = None) -> str:
    return token_headers(demo.settings, *scopes, member=member)["Authorization"].removeprefix("Bearer ")


def the_period() -> str:
    window = Calendar(now().date()).window
    return f"{window.start}/{window.end}"


async def run(*words: str) -> tuple[int, str]:
    result = await asyncio.to_thread(CliRunner().invoke, app, words)
    assert "Traceback" not in result.output
    return result.exit_code, result.output


async def test_the_review_that_stands_is_read_by_the_name_of_the_team(demo: World) -> None:
    before = len((await demo.admin.get("/v1/reviews")).json()["items"])
    code, said = await run("north", "--period", the_period())
    assert code == 0
    lines = said.splitlines()
    assert lines[0].startswith("North, ")
    assert any(line.startswith("Recommended (R5): Encourage communication, O1b+O3.") for line in lines)
    assert "  beside it: O1c, O6" in lines
    com = next(line for line in lines if "COM communication" in line)
    assert com.rstrip().endswith("weak")
    assert next(line for line in lines if "NPS whether customers" in line).rstrip().endswith("of at least 100 answers")
    assert any(line.startswith("Ada Berg ") for line in lines)
    best = next(line for line in lines if line.startswith("O1b+O3"))
    assert "of 10 variants" in " ".join(lines[lines.index(best) : lines.index(best) + 4])
    assert len((await demo.admin.get("/v1/reviews")).json()["items"]) == before


async def test_json_is_what_concert_answers(demo: World) -> None:
    code, said = await run("ext:demo:south", "--period", the_period(), "--json")
    assert code == 0
    stored = (await demo.admin.get("/v1/reviews/ext:demo:review-south")).json()
    assert json.loads(said) == stored


async def test_where_there_is_none_yet_it_is_held(demo: World) -> None:
    code, said = await run("Vienna", "--period", "2026-W20")
    assert code == 0
    assert "Recommended (R0): Not enough data" in said
    assert "  missing: 2 of at least 3 members" in said
    held = (await demo.admin.get("/v1/reviews", params={"team": "ext:demo:vienna"})).json()["items"]
    assert [each["period"]["label"] for each in held] == ["2026-W20"]
    assert await run("Vienna", "--period", "2026-W20", "--again") == (0, said)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("Nobody", "--period", "2026"), 1, "No team is called Nobody; there are East, North, Prague, South,"),
        (("North", "--period", "2999"), 1, "cannot be reviewed on"),
        (("ext:demo:none", "--period", "2026"), 1, "none"),
        (("North", "--period", "soon"), 2, "soon"),
        (("North",), 2, "--period"),
        (("North", "--period", "2026", "--url", "http://127.0.0.1:1"), 1, "did not answer as it should"),
    ],
)
async def test_what_cannot_be_is_said_in_a_sentence(words: tuple[str, ...], code: int, says: str) -> None:
    left, said = await run(*words)
    assert left == code
    assert says in " ".join(said.split())


async def test_without_a_token_or_the_right_to_hold_one_nothing_is_shown(
    demo: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONCERT_TOKEN", "")
    left, said = await run("ext:demo:north", "--period", "2026")
    assert left == 1
    assert "concert token" in said
    monkeypatch.setenv("CONCERT_TOKEN", token_of(demo, "reviews:read", "teams:read"))
    left, said = await run("ext:demo:north", "--period", "2025")
    assert left == 1
    assert "reviews:write" in said
