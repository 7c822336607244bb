"""A few of the kills that `make chaos` does by the hundred."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.chaos.kills import run


@pytest.mark.timeout(180)
def test_nothing_acknowledged_is_lost_or_doubled_by_kills_at_random_and_at_named_points(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    tally, found = run(tmp_path, port, 5)
    assert tally.kills == 5
    assert found["acknowledged"] > 50
