"""What every test can ask for."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

import hypothesis
import pytest
import structlog
from structlog.dev import plain_traceback

from concert.runner import settle
from tests import engines
from tests import world as worlds
from tests.demo import filled

E = TypeVar("E", bound=engines.Engine)
POSTGRES, KAFKA = "CONCERT_TEST_POSTGRES_URL", "CONCERT_TEST_KAFKA"


def speak_little() -> None:
    """Log warnings only, and tracebacks without every local variable, which take seconds to print."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain_traceback),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(),
    )


speak_little()
# What is loaded until the first test begins is no garbage; `pytest_collection_finish` looks for some again.
gc.disable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What stands above the engines is tested on embedded ones by day, and by night on real ones too."""
    for item in items:
        given = item.callspec.params.values() if hasattr(item, "callspec") else ()
        if "real" in given and item.get_closest_marker("embedded_by_day"):
            item.add_marker("nightly")


def pytest_collection_finish() -> None:
    """Tune the interpreter as Concert does at its start: a seventh of the tests' work was looking for garbage."""
    gc.enable()
    settle()


# How quick a busy machine is, is none of a test's business.
hypothesis.settings.register_profile(
    "concert", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)  # fmt: skip
hypothesis.settings.load_profile("concert")


@pytest.fixture(autouse=True)
def _as_quiet_as_before() -> Iterator[None]:
    """A test may change how the product logs; the next one begins as the first did."""
    yield
    speak_little()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Several workers share the engines that are started here, before them; each would otherwise warm up its own."""
    if hasattr(session.config, "workerinput") or not session.config.getoption("numprocesses", None):
        return
    for variable, engine in ((POSTGRES, engines.Postgres()), (KAFKA, engines.Kafka())):
        if variable not in os.environ:
            # Where one cannot be had, the fixtures say why.
            with suppress(engines.Unavailable):
                os.environ[variable] = engine.start().address
                session.config.add_cleanup(engine.remove)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[engines.Postgres]:
    """A real PostgreSQL for the whole run; `create_database` gives each test its own."""
    yield from _lend(engines.Postgres(os.environ.get(POSTGRES)))


@pytest.fixture(scope="session")
def kafka_broker() -> Iterator[engines.Kafka]:
    """A real Kafka broker for the whole run; `create_topic` gives each test its own."""
    yield from _lend(engines.Kafka(os.environ.get(KAFKA)))


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[engines.Postgres]:
    """A PostgreSQL that nobody else uses, to be killed or paused."""
    yield from _lend(engines.Postgres())


@pytest.fixture(scope="module")
def own_broker() -> Iterator[engines.Kafka]:
    """A Kafka broker that nobody else uses, to be killed."""
    yield from _lend(engines.Kafka())


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """The system's Chromium; start it with `engines.CHROMIUM_FLAGS`."""
    try:
        return engines.chromium()
    except engines.Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(params=["embedded", "real"])
async def ground(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[worlds.Ground]:
    """The engines under a test, which runs once on each kind; skipped with the reason where real ones are missing."""
    async with _grounded(request, tmp_path) as lent:
        yield lent


@pytest.fixture
async def world(ground: worlds.Ground, tmp_path: Path) -> AsyncIterator[worlds.World]:
    """A whole Concert, on each kind of engines."""
    async with worlds.world(tmp_path, ground) as concert:
        yield concert


@pytest.fixture(scope="module", params=["embedded", "real"])
async def standing(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[worlds.World]:
    """A whole Concert shared by the tests of a file, on each kind of engines: for tests that mind only their own.

    It may send webhooks to this machine.
    """
    folder = tmp_path_factory.mktemp("standing")
    async with (
        _grounded(request, folder) as lent,
        worlds.world(folder, lent, webhook_private_targets=True) as concert,
    ):
        yield concert


@asynccontextmanager
async def _grounded(request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[worlds.Ground]:
    if request.param == "embedded":
        async with worlds.embedded(folder) as lent:
            yield lent
    else:
        server, broker = request.getfixturevalue("postgres_server"), request.getfixturevalue("kafka_broker")
        async with worlds.real(server, broker) as lent:
            yield lent


def _lend(engine: E) -> Iterator[E]:
    try:
        engine.start()
    except engines.Unavailable as reason:
        pytest.skip(str(reason))
    try:
        yield engine
    finally:
        engine.remove()


@pytest.fixture(scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[worlds.World]:
    """A Concert with the demo company in it and its reviews, on embedded engines."""
    async with worlds.world(tmp_path_factory.mktemp("demo")) as concert:
        await filled(concert)
        yield concert
