"""The published face is committed as the code has it, the same on every machine, and nothing released is broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.events import Event, event
from tests.contracts import __main__ as command
from tests.contracts import published
from tests.contracts.breaks import breaks
from tests.contracts.published import (
    RELEASED,
    ROOT,
    Published,
    at_commit,
    committed,
    event_document,
    expected,
    in_code,
    in_folder,
    written,
)

AGAIN = "`make contracts` writes them anew"


def test_the_committed_documents_are_what_the_code_says() -> None:
    found, wanted = committed(), expected(in_code())
    different = {file for file in found.keys() | wanted.keys() if found.get(file) != wanted.get(file)}
    assert not different, AGAIN


def test_nothing_that_was_released_is_broken() -> None:
    assert [str(each) for each in breaks(in_folder(RELEASED), in_code().bare())] == []


def test_what_was_released_is_there() -> None:
    released = in_folder(RELEASED)
    assert set(released.services) == {"meetings", "metrics", "targets", "teams"}
    assert len(released.events) > 100


def test_the_documents_are_the_same_in_another_process_with_another_order_of_sets() -> None:
    say = "import sys; from tests.contracts.published import *; " + (
        "sys.stdout.write(written({str(k): v for k, v in expected(in_code()).items()}))"
    )
    environment = os.environ | {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    said = subprocess.run([sys.executable, "-c", say], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout) == {str(file): text for file, text in expected(in_code()).items()}


def test_words_for_people_are_no_part_of_what_is_kept_but_fields_of_such_names_are() -> None:
    form = {"title": "Duty", "properties": {"title": {"type": "string", "description": "what is to be done"}}}
    (bare,) = Published({}, {"duty": form}).bare().events.values()
    assert bare == {"properties": {"title": {"type": "string"}}}


def test_a_document_is_written_by_lines() -> None:
    assert written({"b": list(range(60)), "a": {"x": 1}}) == f'{{\n "a": {{"x": 1}},\n "b": {list(range(60))}\n}}\n'


def test_a_release_keeps_what_the_code_says_and_refuses_to_break_what_it_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @event("concert.test.thing-made.v1")
    class ThingMade(Event):
        """A thing is made."""

        size: int

    @event("concert.test.thing-made-otherwise.v1")
    class ThingMadeOtherwise(Event):
        """A thing is made."""

        size: str

    said = {"concert.test.thing-made.v1": event_document(ThingMade)}
    monkeypatch.setattr(command, "RELEASED", tmp_path)
    monkeypatch.setattr(command, "in_code", lambda: Published({}, said))
    assert command.main(["release"]) == 0
    assert in_folder(tmp_path).events.keys() == said.keys()
    said["concert.test.thing-made.v1"] = event_document(ThingMadeOtherwise)
    capsys.readouterr()
    assert command.main(["release"]) == 1
    assert capsys.readouterr().out.startswith("concert.test.thing-made.v1/size: no longer integer\n")
    assert in_folder(tmp_path).events["concert.test.thing-made.v1"]["properties"]["size"] == {"type": "integer"}


def test_a_state_can_be_compared_with_a_commit() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no clone")
    with pytest.raises(LookupError):
        at_commit("0" * 40)
    assert published.at_commit("HEAD").services.keys() <= in_code().services.keys()
