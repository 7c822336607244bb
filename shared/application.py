"""From a service's table of contents to a running app: its store, its relay, its applier and its routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

from shared import __version__
from shared.books import books_router
from shared.bus import PEOPLE, Bus
from shared.consumer import Consumer, Subscriptions
from shared.housekeeping import keep_house
from shared.http import gauges, problems
from shared.http.collection import Collection
from shared.http.collection_routes import routes_of
from shared.http.documents import documents_router, openapi_of
from shared.http.edge import Edge
from shared.http.parked import parked_router
from shared.http.probes import probes_router
from shared.http.pulse import Pulse
from shared.http.runtime import Runtime
from shared.http.waiting import Progress
from shared.identity.gate import Identity
from shared.identity.permissions import assert_every_route_names_its_permission
from shared.mentions import mentions_router
from shared.neighbours import Neighbours
from shared.own_log import OwnLog
from shared.rebuild import Rebuild
from shared.relay import Relay
from shared.settings import Settings
from shared.store import Entity, Row, Store, open_store
from shared.store.tables import KIT_TABLES

log = structlog.get_logger(__name__)
STOP_SECONDS = 6
Background = Callable[[Runtime], Awaitable[None]]


@dataclass(frozen=True)
class Service:
    """The table of contents of a service: what it keeps, what it offers, what it listens to."""

    name: str
    description: str
    collections: Sequence[Collection[Any]] = ()
    routers: Sequence[APIRouter] = ()
    tables: Sequence[type[Row]] = ()
    subscriptions: Subscriptions | None = None
    background: Sequence[Background] = ()
    prepare: Sequence[Background] = ()
    """What is set up before the first request."""
    speaks_for_all: bool = False
    """Whether it publishes one document of all services, by a route of its own, instead of only its own."""

    @property
    def owned(self) -> list[type[Entity]]:
        """The kinds of things whose books the service keeps; people are told on a topic that forgets."""
        entities = [each.entity for each in self.collections]
        entities += [table for table in self.tables if issubclass(table, Entity) and table.kind != "person"]
        return entities

    @property
    def topics(self) -> list[str]:
        """Where the service tells what it does; what is told of people has a topic of its own, which forgets."""
        of_people = any(issubclass(table, Entity) and table.kind == "person" for table in self.tables)
        return [f"concert.{self.name}", *([PEOPLE] if of_people else [])]

    @property
    def all_tables(self) -> list[type[Row]]:
        """Every table of the service's database."""
        facts = self.subscriptions.facts.values() if self.subscriptions else ()
        models = [
            *KIT_TABLES,
            *(each.entity for each in self.collections),
            *self.tables,
            *(keeper.model for keeper in facts),
            *(sums for keeper in facts for sums in keeper.tables),
        ]
        return list(dict.fromkeys(models))

    @cached_property
    def routes(self) -> list[BaseRoute]:
        """Everything it answers. What each route takes and gives is worked out once, however often the service is
        started: that is most of what a start costs. Raises RouteWithoutPermission."""
        app = _app_of(self)
        for router in _routers_of(self):
            app.include_router(router)
        assert_every_route_names_its_permission(app)
        return app.router.routes


@dataclass(slots=True)
class Running:
    """A service that has been started."""

    service: Service
    runtime: Runtime
    app: FastAPI
    entry: Edge
    tasks: dict[str, asyncio.Task[Any]] = field(default_factory=dict)


def build_app(service: Service, runtime: Runtime, identity: Identity) -> FastAPI:
    """The HTTP face of a service; refuses a route that does not name its permission."""
    app = _app_of(service)
    app.state.runtime, app.state.identity = runtime, identity
    problems.install(app)
    app.router.routes.extend(service.routes)
    app.openapi = lambda: openapi_of(app)  # type: ignore[method-assign]
    return app


def _app_of(service: Service) -> FastAPI:
    return FastAPI(
        title=f"Concert {service.name}",
        description=service.description,
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )


def _routers_of(service: Service) -> Iterator[APIRouter]:
    yield from (routes_of(collection) for collection in service.collections)
    yield from service.routers
    yield books_router(service.name, service.owned)
    yield mentions_router(service.name, service.all_tables)
    if service.subscriptions is not None:
        yield parked_router(service.name, speaks_for_all=service.speaks_for_all)
    yield probes_router(service.name, speaks_for_all=service.speaks_for_all)
    if not service.speaks_for_all:
        yield documents_router(service.name)


@asynccontextmanager
async def running(service: Service, settings: Settings, bus: Bus, identity: Identity) -> AsyncIterator[Running]:
    """A service at work on a database that is up to date: relaying, applying, ready to answer. Stops in order and
    within seconds."""
    async with AsyncExitStack() as stack:
        store: Store = open_store(settings.store, service.name, connections=settings.store_connections)
        await store.start()
        stack.push_async_callback(store.close)
        own_log = OwnLog(store, bus, service.name, service.topics)
        await own_log.verify()
        runtime = Runtime(service.name, settings, store, Progress(store, service.name), bus)
        runtime.relay = Relay(store, bus, service.name)
        runtime.pulse = Pulse(store, runtime.relay)
        stack.push_async_callback(runtime.pulse.close)
        store.committed = runtime.relay.wake
        app = build_app(service, runtime, identity)
        started = Running(service, runtime, app, Edge(app, service.name, settings.body_limit))
        runtime.extras["tasks"] = started.tasks
        runtime.extras["neighbours"] = neighbours = Neighbours(settings, service.name)
        stack.push_async_callback(neighbours.close)
        for prepare in service.prepare:
            await prepare(runtime)
        stack.push_async_callback(_stop, started)
        _watch(started, "relay", runtime.relay.run)
        if service.subscriptions is not None:
            runtime.consumer = Consumer(store, bus, service.subscriptions)
            runtime.consumer.moved = runtime.progress.moved
            runtime.consumer.hear_anew = Rebuild(store, bus, service.subscriptions, None).run
            _watch(started, "applier", runtime.consumer.run)
        if identity.published is not None:
            runtime.issuer = identity.published
            _watch(started, "identity", identity.published.keep)
        _watch(started, "housekeeping", partial(keep_house, store))
        _watch(started, "own log", own_log.keep)
        for work in service.background:
            _watch(started, work.__name__, partial(work, runtime))
        gauges.begin(runtime)
        stack.callback(gauges.end, runtime)
        yield started


def _watch(started: Running, name: str, work: Callable[[], Awaitable[Any]]) -> None:
    """Run something beside the requests; when it dies, readiness turns red and says of what."""

    async def guarded() -> None:
        try:
            await work()
        except asyncio.CancelledError:
            raise
        except BaseException as fault:
            log.critical("task_died", service=started.service.name, task=name, exc_info=fault)
            raise

    task = asyncio.create_task(guarded(), name=f"{started.service.name} {name}")
    started.tasks[name] = task


async def _stop(started: Running) -> None:
    """The relay finishes what it is sending, then all that runs is cancelled."""
    relay = started.tasks.get("relay")
    if started.runtime.relay is not None and relay is not None:
        started.runtime.relay.stop()
        await asyncio.wait([relay], timeout=4)
    pending = {task for task in started.tasks.values() if not task.done()}
    for _ in range(STOP_SECONDS // 3):
        if not pending:
            return
        # Again and again: a library may swallow a cancellation that comes at the wrong moment.
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=3)
