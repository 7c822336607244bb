"""What every test can ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from tests import engines

E = TypeVar("E", bound=engines.Engine)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[engines.Postgres]:
    """A real PostgreSQL for the whole run; `create_database` gives each test its own."""
    yield from _lend(engines.Postgres(os.environ.get("CONCERT_TEST_POSTGRES_URL")))


@pytest.fixture(scope="session")
def kafka_broker() -> Iterator[engines.Kafka]:
    """A real Kafka broker for the whole run; `create_topic` gives each test its own."""
    yield from _lend(engines.Kafka(os.environ.get("CONCERT_TEST_KAFKA")))


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """The system's Chromium; start it with `engines.CHROMIUM_FLAGS`."""
    try:
        return engines.chromium()
    except engines.Unavailable as reason:
        pytest.skip(str(reason))


def _lend(engine: E) -> Iterator[E]:
    try:
        engine.start()
    except engines.Unavailable as reason:
        pytest.skip(str(reason))
    try:
        yield engine
    finally:
        engine.remove()
