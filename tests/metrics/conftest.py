"""Worlds for the tests of metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests import world as worlds
from tests.metrics.stream import relayed


@pytest.fixture
async def embedded_world(tmp_path: Path) -> AsyncIterator[worlds.World]:
    """A whole Concert on embedded engines, for what does not depend on them."""
    async with worlds.world(tmp_path) as concert:
        yield concert


@pytest.fixture
async def near_world(ground: worlds.Ground, tmp_path: Path) -> AsyncIterator[worlds.World]:
    """A whole Concert, on each kind of engines, that may send webhooks to this machine."""
    async with worlds.world(tmp_path, ground, webhook_private_targets=True) as concert:
        # What a new organisation begins with is told before a test begins.
        await relayed(concert)
        yield concert
