"""Three brokers for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engines import KafkaCluster, Unavailable


@pytest.fixture(scope="module")
def cluster() -> Iterator[KafkaCluster]:
    """A cluster of three brokers that a test may kill, one by one."""
    try:
        with KafkaCluster() as started:
            yield started
    except Unavailable as reason:
        pytest.skip(str(reason))
