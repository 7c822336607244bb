"""The tests of the kit turn red when a protection is switched off; otherwise they would prove nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants import MUTANTS

ROOT = Path(__file__).parent.parent.parent
NOTICED = 1
"""What pytest ends with when tests have failed."""


@pytest.fixture(scope="session")
def outcomes() -> dict[str, int]:
    """What the tests ended with, by mutant."""
    command = [sys.executable, "-m", "tests.mutants"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert run.returncode == 0, run.stderr[-2000:]
    return {name: int(code) for name, code in (line.split() for line in run.stdout.splitlines())}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_tests_notice_what_is_missing(outcomes: dict[str, int], mutant: str) -> None:
    assert outcomes[mutant] == NOTICED
