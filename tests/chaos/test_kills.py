"""A few of the kills that `make chaos` does by the hundred."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.kills import run
from tests.chaos.victims import OnOneMachine, on_servers
from tests.engines import Unavailable


@pytest.mark.timeout(300)
def test_nothing_acknowledged_is_lost_or_doubled_by_kills_at_random_and_at_named_points(tmp_path: Path) -> None:
    notes, found = run(OnOneMachine(tmp_path), 4)
    assert notes.kills >= 4
    assert found["deals"] > 20


@pytest.mark.timeout(600)
def test_nothing_acknowledged_is_lost_or_doubled_on_postgresql_and_kafka(tmp_path: Path) -> None:
    try:
        with on_servers(tmp_path) as victim:
            notes, found = run(victim, 2)
    except Unavailable as reason:
        pytest.skip(str(reason))
    assert notes.kills >= 2
    assert found["deals"] > 20
