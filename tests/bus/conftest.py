"""The engines under the tests of the bus."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from shared.bus import TOPICS, Bus
from shared.bus.kafka import create_topics
from tests.bus.logs import EmbeddedLog, KafkaLog, Log, opened
from tests.engines import Kafka


@pytest.fixture
async def kafka_log(kafka_broker: Kafka) -> AsyncIterator[KafkaLog]:
    """Fresh topics on a real broker."""
    log = KafkaLog(kafka_broker.address, f"b{uuid4().hex[:12]}.")
    await create_topics(log.address, prefix=log.prefix)
    yield log
    await kafka_broker.delete_topics(*(log.prefix + topic for topic in TOPICS))


@pytest.fixture(params=["embedded", "kafka"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Log:
    """An empty log on each engine; skipped with the reason where there is no Kafka."""
    if request.param == "embedded":
        return EmbeddedLog(tmp_path / "log.db")
    kafka: KafkaLog = request.getfixturevalue("kafka_log")
    return kafka


@pytest.fixture
async def bus(log: Log) -> AsyncIterator[Bus]:
    """A bus on an empty log."""
    async with opened(log) as bus:
        yield bus
