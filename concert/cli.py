"""The command `concert`: runs Concert, and the tools around it."""

from __future__ import annotations

import asyncio
import socket
import sys
from datetime import timedelta
from typing import Annotated, NoReturn

import httpx
import typer
from rich.console import Console

from concert import doctor, parked, reviewed, tokens, views
from concert.databases import DatabaseUnfit, bring_up_to_date
from concert.demo import make_demo
from concert.demo_reviews import AsMember
from concert.imports import cli as imports
from concert.imports.asking import Stopped
from concert.imports.send import Outcome
from concert.origin import Origin
from concert.port import CannotListen, claimed
from concert.runner import alone, listen, together
from concert.services import SERVICES
from shared import logs, settings
from shared.application import Service
from shared.bus import BusError
from shared.identity.gate import signing_key
from shared.identity.keys import BadKey
from shared.identity.scopes import ADMIN, member_scopes
from shared.identity.tokens import mint
from shared.instant import now
from shared.own_log import DatabaseBehindLog
from shared.settings import BadSettings, Settings
from shared.store.sqlite import StoreInUse

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console(highlight=False)
app.command("token")(tokens.token)
app.command("doctor")(doctor.doctor)
app.command("review")(reviewed.review)
app.add_typer(imports.app, name="import")
app.add_typer(parked.app, name="parked")
app.add_typer(views.app, name="views")


@app.command()
def run() -> None:
    """All of Concert in one process on one port, with the embedded engines."""
    chosen = _settings()
    with claimed(chosen) as sockets:
        asyncio.run(_run(chosen, sockets))


async def _run(chosen: Settings, sockets: list[socket.socket]) -> None:
    async with together(chosen) as (origin, identity):
        if chosen.demo:
            await _fill(origin, chosen)
        ready = asyncio.Event()
        serving = asyncio.create_task(listen(origin, chosen, ready, origin.stopping, sockets))
        await asyncio.wait({asyncio.create_task(ready.wait()), serving}, return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            console.print(f"\nConcert is ready. Open it once with this link (good for ten minutes):\n"
                          f"  {identity.login_link()}\n"
                          f"The API is described at {chosen.origin}/docs\n"
                          f"A token for tools: .venv/bin/concert token --scope admin\n")  # fmt: skip
        await serving


async def _fill(origin: Origin, chosen: Settings) -> None:
    """The demo company, if nothing is stored yet."""
    transport = httpx.ASGITransport(origin)
    async with httpx.AsyncClient(transport=transport, base_url=chosen.origin, timeout=60) as client:
        key = signing_key(chosen)
        token = mint(key, subject="demo", scopes=[ADMIN], expires=timedelta(minutes=10), audience=chosen.jwt_audience)
        client.headers["Authorization"] = f"Bearer {token}"
        for collection in ("members", "teams", "customers", "deals"):
            if (await client.get(f"/v1/{collection}", params={"limit": "1"})).json()["items"]:
                return
        with console.status("Filling in the demo company (CONCERT_DEMO=0 leaves the store empty) ..."):
            await make_demo(client, now().date(), members_of(chosen))


def members_of(chosen: Settings) -> AsMember | None:
    """Tokens that speak for the members of the demo company; none where tokens are not ours to sign."""
    if not (chosen.signing_key_file or chosen.key_file.exists()):
        return None
    key = signing_key(chosen)

    def as_member(member: str) -> str:
        scopes = member_scopes("sales") | {"targets:write"}
        return mint(key, subject=member, scopes=scopes, member=member, expires=timedelta(minutes=10),
                    audience=chosen.jwt_audience)  # fmt: skip

    return as_member


@app.command()
def demo(
    url: Annotated[str, typer.Option(envvar="CONCERT_URL", help="Where Concert answers.")] = "http://127.0.0.1:8000",
    token: Annotated[str, typer.Option(envvar="CONCERT_TOKEN", help="A token with admin.")] = "",
) -> None:
    """Fill in the demo company; doing it again changes nothing. With the key that signs tokens also its reviews."""
    chosen = _settings()

    async def make() -> Outcome:
        async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
            return await make_demo(client, now().date(), members_of(chosen))

    try:
        outcome = asyncio.run(make())
    except Stopped as fault:
        _stop(str(fault), 1)
    else:
        console.print(f"The demo company: {outcome.created} created, {outcome.unchanged} there already.")


@app.command()
def serve(service: Annotated[str, typer.Argument(help="teams, targets, meetings or metrics")]) -> None:
    """One service, for a container."""
    chosen = _settings()
    if service not in SERVICES.names:
        _stop(f"There is no service {service!r}; there are {', '.join(SERVICES.names)}.")
    silent = [each for each in SERVICES.names if each != service and not getattr(chosen, f"{each}_url")]
    if silent:
        unset = ", ".join(f"CONCERT_{each.upper()}_URL" for each in silent)
        _stop(
            f"{service} asks the other services, and it is not set where they answer: set {unset}, such as"
            f" CONCERT_{silent[0].upper()}_URL=http://{silent[0]}:8000."
        )
    with claimed(chosen) as sockets:
        asyncio.run(_serve(SERVICES.named(service), chosen, sockets))


async def _serve(service: Service, chosen: Settings, sockets: list[socket.socket]) -> None:
    async with alone(service, chosen) as started:
        await listen(started.entry, chosen, stopping=[started.runtime.stopping], sockets=sockets)


@app.command()
def migrate() -> None:
    """Bring the database of every service to the shape that this version needs."""
    chosen = _settings()
    for service in SERVICES:
        bring_up_to_date(service, chosen.store)
        console.print(f"{service.name}: up to date")


@app.command()
def topics(
    replicas: Annotated[int, typer.Option(help="Copies that the cluster keeps of each topic; 0: as is set.")] = 0,
) -> None:
    """Create the topics that the log lacks; waits a minute for the brokers."""
    chosen = _settings()
    if chosen.bus != "kafka":
        _stop("The embedded log makes its topics by itself; set CONCERT_BUS=kafka for Kafka.")
    asyncio.run(_create_topics(chosen, replicas or chosen.kafka_replicas))


async def _create_topics(chosen: Settings, replicas: int) -> None:
    from shared.bus.kafka import create_topics

    deadline = asyncio.get_running_loop().time() + 60
    while True:
        try:
            await create_topics(chosen.kafka_bootstrap_servers, replicas=replicas)
        except BusError as fault:
            if asyncio.get_running_loop().time() > deadline:
                _stop(str(fault))
            await asyncio.sleep(1)
        else:
            console.print("The topics are there.")
            return


def _settings() -> Settings:
    try:
        chosen = settings.load()
    except BadSettings as fault:
        _stop(str(fault))
    logs.configure(chosen.log_level, chosen.log_format)
    for sentence in settings.unknown():
        console.print(f"[yellow]{sentence}[/yellow]", soft_wrap=True)
    return chosen


def _stop(message: str, code: int = 2) -> NoReturn:
    _say(message)
    raise typer.Exit(code)


def _say(message: str) -> None:
    Console(stderr=True, highlight=False).print(message, soft_wrap=True, markup=False)


def main() -> None:
    """The entry point."""
    try:
        app()
    except (CannotListen, StoreInUse) as fault:
        _say(str(fault))
        sys.exit(2)
    except (BadKey, BusError, DatabaseBehindLog, DatabaseUnfit) as fault:
        _say(str(fault))
        sys.exit(1)
