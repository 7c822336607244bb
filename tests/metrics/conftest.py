"""Worlds for the tests of metrics: a small company to look at, and an empty one to fill."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from tests.engines import CHROMIUM_FLAGS
from tests.metrics.company import settle_in
from tests.metrics.stream import relayed
from tests.world import Ground, World, world


@pytest.fixture
async def embedded_world(tmp_path: Path) -> AsyncIterator[World]:
    """A whole Concert on embedded engines, for what does not depend on them."""
    async with world(tmp_path) as concert:
        yield concert


@pytest.fixture(scope="module")
async def company(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A running Concert with the small company in it, whose views hold everything."""
    folder: Path = tmp_path_factory.mktemp("company")
    async with world(folder) as running:
        tokens = await settle_in(running.admin)
        query = {"after": tokens, "period": "2025"}
        answer = await running.admin.get("/v1/views", params=query, headers={"Prefer": "wait=20"})
        assert answer.status_code == 200, answer.text
        yield running


@pytest.fixture
async def near_world(ground: Ground, tmp_path: Path) -> AsyncIterator[World]:
    """A whole Concert, on each kind of engines, that may send webhooks to this machine."""
    async with world(tmp_path, ground, webhook_private_targets=True) as concert:
        # What a new organisation begins with is told before a test begins.
        await relayed(concert)
        yield concert


@pytest.fixture(scope="module")
async def browser(chromium_path: Path) -> AsyncIterator[Browser]:
    """The system's Chromium."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium_path, args=list(CHROMIUM_FLAGS))
        yield started
        await started.close()
