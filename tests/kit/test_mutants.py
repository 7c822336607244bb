"""The tests turn red when a protection is switched off, and only then; otherwise they would prove nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.engines import Kafka, Unavailable
from tests.mutants import MUTANTS, SOUND
from tests.mutants_of_people import OF_PEOPLE

ROOT = Path(__file__).parent.parent.parent
PASSED, NOTICED = 0, 1
"""What pytest ends with when all tests have passed, and when some have failed."""


CHOSEN = [pytest.param(each, marks=[pytest.mark.nightly] if each in OF_PEOPLE else []) for each in MUTANTS]


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest) -> dict[str, int]:
    """What the tests ended with, by those of the mutants that this run is about."""
    given = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    command = [sys.executable, "-m", "tests.mutants", *(each["mutant"] for each in given if "mutant" in each)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=550)
    print(run.stderr[-20_000:])  # noqa: T201  # pytest shows it where a test fails
    assert run.returncode == 0
    parts = (line.partition(" ") for line in run.stdout.splitlines())
    return {name: int(code) for code, _, name in parts}


@pytest.mark.parametrize("mutant", CHOSEN)
def test_the_tests_notice_what_is_missing(outcomes: dict[str, int], mutant: str) -> None:
    if mutant == "producer":
        try:
            Kafka().start().remove()
        except Unavailable as reason:
            pytest.skip(str(reason))
    assert outcomes[mutant] == NOTICED


def test_the_same_tests_pass_when_nothing_is_missing(outcomes: dict[str, int]) -> None:
    assert outcomes[SOUND] == PASSED
