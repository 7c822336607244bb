"""One origin for all services: a request goes to the service that owns its address, as the gateway does in compose."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi.routing import iter_route_contexts

from shared.application import Running
from shared.http.edge import Receive, Scope, Send

EVERYBODYS = ("books", "mentions", "parked")
"""What every service has of its own, under one name; `?service=` says whose."""
SCIM = "/scim/v2"


class Origin:
    """The four services behind one address; what nobody claims is answered by metrics, which has the page."""

    def __init__(self, services: Mapping[str, Running]) -> None:
        self.services = services
        self.stopping = [running.runtime.stopping for running in services.values()]
        """What tells the services that no more requests are taken."""
        self._owners = owners_of(services)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _answer_lifespan(receive, send)
            return
        collection = collection_of(scope["path"])
        owner = self._owners.get(collection, "metrics")
        if collection in EVERYBODYS:
            owner = _asked_service(scope) or owner
        await self.services[owner].entry(scope, receive, send)


def owners_of(services: Mapping[str, Running]) -> dict[str, str]:
    """Which service answers for which collection."""
    owners = {}
    for name, running in services.items():
        # Not from the OpenAPI document, which takes longer to write than all else of a start.
        for context in iter_route_contexts(running.app.routes):
            collection = collection_of(context.path or "")
            if collection and collection not in EVERYBODYS:
                owners[collection] = name
    return owners


def collection_of(path: str) -> str:
    """The collection an address belongs to; SCIM is one, whose address a standard prescribes."""
    if path.startswith(f"{SCIM}/"):
        return SCIM
    return path[4:].partition("/")[0] if path.startswith("/v1/") else ""


def _asked_service(scope: Scope) -> str | None:
    for part in scope["query_string"].decode("latin-1").split("&"):
        name, _, value = part.partition("=")
        if name == "service" and value in ("teams", "targets", "meetings", "metrics"):
            return str(value)
    return None


async def _answer_lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
