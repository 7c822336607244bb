"""A store, or the log, is looked at from outside without disturbing whoever has it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from concert.services import SERVICES
from shared.peek import peek
from shared.store.migrate import lacking, standing
from shared.store.sqlite import connect
from tests.world import empty_files

SERVICE = SERVICES[0]


def test_it_sees_what_a_running_writer_has_committed_and_cannot_write(tmp_path: Path) -> None:
    file = tmp_path / "a file with a ?.db"
    with closing(connect(file)) as writer:
        writer.execute("CREATE TABLE fact (n)")
        writer.execute("INSERT INTO fact VALUES (7)")
        with closing(peek(file)) as seen:
            assert seen.execute("SELECT n FROM fact").fetchall() == [(7,)]
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                seen.execute("INSERT INTO fact VALUES (8)")
            writer.execute("INSERT INTO fact VALUES (9)")


def test_it_leaves_nothing_beside_a_file_that_is_nobodys(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "a.db")) as writer:
        writer.execute("CREATE TABLE fact (n)")
    with closing(peek(tmp_path / "a.db")) as seen:
        assert seen.execute("SELECT count(*) FROM fact").fetchone() == (0,)
    assert [each.name for each in tmp_path.iterdir()] == ["a.db"]


def test_it_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError), closing(peek(tmp_path / "a.db")) as seen:
        seen.execute("SELECT 1")
    assert list(tmp_path.iterdir()) == []


def test_a_store_says_at_which_revision_it_is_and_what_it_lacks(tmp_path: Path) -> None:
    url = empty_files(tmp_path)
    found = standing(SERVICE, url)
    assert found is not None
    assert lacking(SERVICE, found.revision) == []
    history = lacking(SERVICE, None)
    assert history[-1] == found.revision
    assert lacking(SERVICE, history[0]) == history[1:]
    with pytest.raises(LookupError):
        lacking(SERVICE, "of another version")


def test_a_store_that_is_not_there_has_no_standing(tmp_path: Path) -> None:
    assert standing(SERVICE, f"sqlite:{tmp_path}/none") is None
    assert list(tmp_path.iterdir()) == []
