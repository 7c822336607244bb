"""The system's Prometheus, for who watches with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines import Unavailable, prometheus


@pytest.fixture(scope="session")
def prometheus_path() -> Path:
    """Where it lies; promtool is beside it."""
    try:
        return prometheus()
    except Unavailable as reason:
        pytest.skip(str(reason))
