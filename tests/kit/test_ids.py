"""Ids are nobody else's, whichever process gives them."""

from __future__ import annotations

from pathlib import Path

from shared.ids import event_id, new_id
from tests.starting import forked

MANY = 1000


def print_ids() -> None:
    for _ in range(MANY):
        print(new_id("deal").removeprefix("deal_")[10:], event_id())  # noqa: T201


def test_processes_forked_from_one_that_was_ready_give_no_id_twice(tmp_path: Path) -> None:
    files = [tmp_path / str(number) for number in range(3)]
    for process in [forked(print_ids, said=file) for file in files]:
        process.join()
    ids = [each for file in files for each in file.read_text().split()]
    assert len(set(ids)) == len(ids) == len(files) * MANY * 2
