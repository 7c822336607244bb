"""Where the public data sets lie. Nothing of them is kept in the project; tests that need them are skipped without."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"


def place_of(name: str) -> Path:
    """Where a data set lies, if it is there."""
    return Path(os.environ.get("CONCERT_DATA_SETS") or _BESIDE) / name


def folder(name: str) -> Path:
    """A data set's folder; skips the test where it is absent."""
    found = place_of(name)
    if not found.exists():
        pytest.skip(f"the data set {name} is not there; CONCERT_DATA_SETS names the folder it lies in")
    return found
