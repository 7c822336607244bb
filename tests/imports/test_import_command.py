"""`concert import` as it is typed: what is printed, what is written, and how it leaves."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from rich.console import Console
from typer.testing import CliRunner

from concert.imports import cli
from concert.imports.report import Report
from tests.imports.desk import Desk
from tests.imports.test_crm_files import GOOD, HEADER

BAD = "A2,=Ada,X,C,Won,2017-01-01,2017-03-01,-5"


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONCERT_URL", raising=False)
    monkeypatch.delenv("CONCERT_TOKEN", raising=False)
    monkeypatch.setattr(cli, "out", Console(highlight=False, soft_wrap=True))
    monkeypatch.setattr(cli, "err", Console(stderr=True, highlight=False, soft_wrap=True))


@pytest.fixture
def deals(tmp_path: Path) -> Path:
    path = tmp_path / "deals.csv"
    path.write_text("\n".join([HEADER, GOOD, "A3,Ada Berg,GTXPro,,Prospecting,,,"]), encoding="utf-8")
    return path


@pytest.fixture
def desk() -> Iterator[tuple[Desk, str]]:
    """A desk on a port of its own."""
    found = Desk()
    config = uvicorn.Config(found, port=0, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield found, f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def run(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, [str(word) for word in words])
    return result.exit_code, result.output


def test_a_dry_run_says_what_would_happen_and_sends_nothing(deals: Path) -> None:
    code, said = run("crm", deals, "--dry-run", "--url", "http://127.0.0.1:1")
    assert code == 0
    assert "Nothing was sent. Would send 6 rows: 1 members, 1 customers, 1 products, 3 deals." in said
    assert "They make 2 deals: 1 won for 1,054.00 USD, 0 lost, 1 open." in said
    assert "repaired      1: product GTXPro taken as GTX Pro" in said


def test_an_import_ends_with_what_the_views_show(deals: Path, desk: tuple[Desk, str]) -> None:
    told, url = desk
    code, said = run("crm", deals, "--url", url, "--token", "secret")
    assert code == 0
    assert "5 created, 1 done, 0 there already, 0 refused by Concert; 6 facts stored." in said
    assert (
        "The views of the deals (2016-01-01 until 2018-01-01): deals won 1, revenue not known, target 7.00 USD." in said
    )
    assert told.tokens == {"Bearer secret"}
    path, after, _ = told.waited_for[-1]
    assert (path, len(after)) == ("/v1/views", 4)
    code, said = run("crm", deals, "--url", url)
    assert code == 0
    assert "0 created, 0 done, 6 there already, 0 refused by Concert; 0 facts stored." in said


def test_the_address_and_the_token_come_from_the_environment_too(
    deals: Path, desk: tuple[Desk, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONCERT_URL", desk[1])
    monkeypatch.setenv("CONCERT_TOKEN", "from outside")
    assert run("crm", deals)[0] == 0
    assert desk[0].tokens == {"Bearer from outside"}


def test_refused_rows_are_listed_and_make_the_command_fail(deals: Path, desk: tuple[Desk, str], tmp_path: Path) -> None:
    with deals.open("a", encoding="utf-8") as file:
        file.write(f"\n{BAD}\n")
    written = tmp_path / "report.csv"
    code, said = run("crm", deals, "--url", desk[1], "--report", written)
    assert code == 1
    assert "1 rows were refused:\ndeals.csv, line 4: close_value is '-5'; it must not be negative" in said
    with written.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    assert lines[:2] == [
        ["what", "file", "line", "how or why"],
        ["refused", "deals.csv", "4", "close_value is '-5'; it must not be negative"],
    ]
    assert len(lines) == 4
    assert desk[0].things["deals"].keys() == {"A1", "A3"}


def test_the_report_is_json_if_it_is_named_so(deals: Path, tmp_path: Path) -> None:
    written = tmp_path / "report.json"
    assert run("crm", deals, "--dry-run", "--report", written)[0] == 0
    document = json.loads(written.read_text())
    assert document["refused"] == []
    assert document["repaired"][0] == {"file": "deals.csv", "line": 3, "how": "product GTXPro taken as GTX Pro"}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["crm", "{folder}/nowhere.csv"], "nowhere.csv cannot be read"),
        (["crm", "{folder}"], "does not hold sales_pipeline.csv"),
        (["crm", "{deals}", "--currency", "usd"], "--currency"),
        (["crm", "{deals}", "--url", "localhost"], "--url"),
        (["crm", "{deals}", "--report", "{folder}/no/report.csv"], "--report"),
        (["adventureworks", "{folder}"], "does not hold FactResellerSales.csv"),
        (["crm"], "Missing argument"),
        (["sap", "x"], "No such command"),
    ],
)
def test_wrong_usage_leaves_with_2(deals: Path, words: list[str], why: str) -> None:
    code, said = run(*(word.format(folder=deals.parent, deals=deals) for word in words))
    assert code == 2
    assert why in said


def test_an_import_that_is_stopped_says_why_and_that_it_can_go_on(deals: Path, desk: tuple[Desk, str]) -> None:
    desk[0].turned_away = [(401, {})]
    code, said = run("crm", deals, "--url", desk[1])
    assert code == 1
    assert "Stopped: /v1/members/bulk answered 401: Come back later. Say --token or set CONCERT_TOKEN" in said
    assert "the same command goes on from there" in said


def test_each_run_is_told_of_with_what_became_of_its_rows(deals: Path, desk: tuple[Desk, str]) -> None:
    told, url = desk
    for _ in range(2):
        assert run("crm", deals, "--url", url)[0] == 0
    told.turned_away = [(401, {})]
    assert run("crm", deals, "--url", url)[0] == 1
    assert run("crm", deals, "--url", url, "--dry-run")[0] == 0
    counts = [
        (each["complete"], each.get("created"), each.get("changed"), each.get("unchanged")) for each in told.imports
    ]
    assert counts == [(True, 5, 1, 0), (True, 0, 0, 6), (False, None, None, None)]
    assert {each["source"] for each in told.imports} == {"crm"}


def test_who_may_not_tell_of_imports_imports_all_the_same(deals: Path, desk: tuple[Desk, str]) -> None:
    desk[0].forbidden = True
    code, said = run("crm", deals, "--url", desk[1])
    assert code == 0
    assert "5 created, 1 done" in said
    assert "Note: The view of IT does not know of this import: The token lacks imports:write." in said


def test_no_cell_of_a_written_report_is_a_formula(tmp_path: Path) -> None:
    report = Report()
    report.refuse("=cmd.csv", 3, "@name is empty")
    report.write(tmp_path / "r.csv")
    assert "refused,'=cmd.csv,3,'@name is empty" in (tmp_path / "r.csv").read_text()
