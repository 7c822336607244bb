"""Whatever the runbooks tell somebody to type, to look for or to look at is there: nobody finds out at night."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
import yaml  # type: ignore[import-untyped]
from typer.core import TyperArgument, TyperGroup, TyperOption

from concert import cli
from shared.settings import CLIENT_VARIABLES, Settings
from tests.watch.prometheus import WATCH

ROOT = WATCH.parents[1]
RUNBOOKS = (ROOT / "docs" / "runbooks.md").read_text()
SOURCE = "\n".join(
    file.read_text() for folder in ("shared", "services", "concert") for file in sorted((ROOT / folder).rglob("*.py"))
)
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
EVENTS = frozenset(re.findall(r"\blog\.(?:debug|info|warning|error|critical|exception)\(\s*\"(\w+)\"", SOURCE))
PLACE = re.compile(r"<[\w ]+>")
"""What whoever reads puts in: `<service>`."""
BY_COMPOSE = {"up", "exec", "restart", "logs", "ps"}
WITH_A_VALUE = {"--tail", "--env", "-e", "--scale"}


def code() -> list[str]:
    """Everything that is shown as code, a line each."""
    lines = [line.strip() for line in RUNBOOKS.splitlines() if line.startswith("    ")]
    spans = re.findall(r"`([^`]+)`", re.sub(r"^    .*$", "", RUNBOOKS, flags=re.MULTILINE))
    return [*(line.partition("   #")[0].strip() for line in lines), *spans]


def commands(*begin: str) -> list[list[str]]:
    """The commands of the runbooks that begin with one of these words, also behind a pipe, inside another, or run in a
    container."""
    return [words for words in typed() if words[0] in begin]


def typed() -> Iterator[list[str]]:
    for line in code():
        for part in re.split(r"\||\$\(|\)", line):
            words = shlex.split(part)
            while words:
                yield words
                words = in_container(words)


def in_container(words: list[str]) -> list[str]:
    """What a command runs in a container, if it does."""
    if words[:2] != ["compose", "exec"]:
        return []
    return services_and_more(words)[1:]


def services_and_more(words: list[str]) -> list[str]:
    """What is said after the options of a command about containers."""
    given, rest = iter(words[2:]), list[str]()
    for word in given:
        if word in WITH_A_VALUE and not rest:
            next(given)
        elif rest or not word.startswith("-"):
            rest.append(word)
    return rest


def named(word: str) -> str | None:
    """A word, unless whoever reads puts it in."""
    return None if PLACE.fullmatch(word) else word


def test_what_is_looked_for_in_the_log_is_written_there() -> None:
    sought = [word for words in commands("grep") for word in words[1:] if word != "-e" and named(word)]
    assert set(sought) <= EVENTS
    assert {"fault", "task_died", "event_parked", "hearing_anew"} <= set(sought), "they are found in the text"


def test_every_command_of_concert_is_there_with_its_options() -> None:
    found = commands("concert")
    for words in found:
        assert_can_be_typed(words[1:])
    assert ["concert", "parked", "discard", "<subject>"] in found
    assert ["concert", "token", "--scope", "admin"] in found, "also what is typed in a container is found"
    options = {option for each in all_commands() for parameter in each.params for option in parameter.opts}
    assert {each for each in code() if each.startswith("--")} <= options


def assert_can_be_typed(words: list[str]) -> None:
    """Fails for a command, an option or a number of words that there is not."""
    command, given = typer.main.get_command(cli.app), iter(words)
    while isinstance(command, TyperGroup):
        name = next(given, "")
        assert name in command.commands, words
        command = command.commands[name]
    options = {name: each for each in command.params if isinstance(each, TyperOption)
               for name in (*each.opts, *each.secondary_opts)}  # fmt: skip
    arguments = [each for each in command.params if isinstance(each, TyperArgument)]
    left = 0
    for word in given:
        if not word.startswith("-"):
            left += 1
        else:
            assert word in options, words
            if not options[word].is_flag:
                next(given)
    assert sum(each.required for each in arguments) <= left <= len(arguments), words


def all_commands(command: Any = None) -> Iterator[Any]:
    command = command or typer.main.get_command(cli.app)
    yield command
    for each in command.commands.values() if isinstance(command, TyperGroup) else ():
        yield from all_commands(each)


def test_every_service_that_compose_is_asked_about_is_one() -> None:
    found = [words for words in commands("compose") if len(words) > 1]
    for words in found:
        assert words[1] in BY_COMPOSE, words
        rest = services_and_more(words)
        assert {name for name in rest[: 1 if words[1] == "exec" else None] if named(name)} <= COMPOSE.keys(), words
    assert {words[1] for words in found} == BY_COMPOSE
    databases = (ROOT / "deploy" / "postgres" / "databases.sh").read_text()
    for words in commands("psql"):
        options = dict(zip(words[1::2], words[2::2], strict=True))
        assert options["-U"] == COMPOSE["postgres"]["environment"]["POSTGRES_USER"]
        assert named(options["-d"]) is None or options["-d"] in databases


def test_every_file_make_target_and_setting_is_there() -> None:
    files = {each for each in code() if re.fullmatch(r"[\w./-]+\.(?:md|yml|sh|py|json)", each)}
    files |= set(re.findall(r"\]\(([^)#]+)", RUNBOOKS))
    assert [each for each in files if not (ROOT / each).exists() and not (ROOT / "docs" / each).exists()] == []
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {words[1] for words in commands("make")} <= targets
    settings = {f"CONCERT_{name.upper()}" for name in Settings.model_fields} | CLIENT_VARIABLES
    settings |= set(re.findall(r"CONCERT_\w+", (ROOT / "docker-compose.yml").read_text()))
    assert set(re.findall(r"CONCERT_\w+", RUNBOOKS)) <= settings
    assert files


def test_every_route_is_there_with_its_query() -> None:
    routes: dict[str, dict[str, set[str]]] = {}
    for file in (ROOT / "contracts" / "openapi").glob("*.json"):
        for path, operations in json.loads(file.read_text())["paths"].items():
            known = routes.setdefault(re.sub(r"\{\w+\}", "{}", path), {})
            for method, operation in operations.items():
                known[method] = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"}
    asked = [re.search(r"(?:(GET|POST) |127\.0\.0\.1:8000|^)(/[\w/<>-]+)(?:\?(\w+)=)?", each) for each in code()]
    found = [(each[1] or "GET", PLACE.sub("{}", each[2]), each[3]) for each in asked if each is not None]
    for method, path, query in found:
        assert method.lower() in routes.get(path, {}), path
        assert query is None or query in routes[path][method.lower()], query
    assert {("GET", "/v1/consistency", "fresh"), ("GET", "/readyz", None)} <= set(found)


def test_every_panel_heading_reason_and_word_that_is_named_is_there() -> None:
    panels = {panel["title"] for file in (WATCH / "grafana" / "dashboards").glob("*.json")
              for panel in json.loads(file.read_text())["panels"]}  # fmt: skip
    headings = set(re.findall(r"^## (.+)$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE))
    said = set(re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", RUNBOOKS))
    pages = "\n".join(file.read_text() for file in sorted((ROOT / "services" / "metrics").rglob("*.html")))
    for each in said - panels - headings:
        # Of the source what it says, not what is said of it.
        assert re.search(rf'(?<!")"(?!")[^"\n]*{re.escape(each)}', SOURCE) or each in pages, each
    assert said & panels
    assert said & headings
    words = {each for each in code() if re.fullmatch(r"[a-z]+_?[a-z_]*", each)} - {"compose"}
    assert [each for each in words if re.search(rf"\b{each}\b", SOURCE) is None] == []


def test_every_alert_that_is_referred_to_has_its_heading() -> None:
    headings = set(re.findall(r"^## (\w+)$", RUNBOOKS, re.MULTILINE))
    assert set(re.findall(r"\bConcert[A-Z]\w+", RUNBOOKS)) <= headings


@pytest.mark.parametrize(
    "words",
    ["views rebuilt", "views rebuild --fast", "parked discard", "parked list deal/deal_1 deal/deal_2", "parked"],
)
def test_what_there_is_not_would_be_noticed(words: str) -> None:
    with pytest.raises(AssertionError):
        assert_can_be_typed(shlex.split(words))
