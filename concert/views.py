"""`concert views`: looking after the views of a running Concert."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from concert.imports.asking import Asking, Stopped, detail_of

app = typer.Typer(no_args_is_help=True, help="Look after the five views.")
console = Console(highlight=False)
PATH = "/v1/views/rebuild"
LOOK_SECONDS = 0.3


@app.command()
def rebuild(
    url: Annotated[str, typer.Option(envvar="CONCERT_URL", help="Where Concert answers.")] = "http://127.0.0.1:8000",
    token: Annotated[str, typer.Option(envvar="CONCERT_TOKEN", help="A token with admin.")] = "",
) -> None:
    """Build the views anew from the log, while they are read; says how many of their rows were not what the log
    gives."""
    try:
        outcome = asyncio.run(_rebuild(url, token))
    except Stopped as fault:
        _stop(str(fault))
    else:
        if outcome["state"] != "adopted":
            _stop(f"The views are as they were. {outcome['reason']}")
        console.print(_told(outcome))


async def _rebuild(url: str, token: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
        try:
            begun = await client.post(PATH)
        except httpx.HTTPError as fault:
            raise Stopped(f"Concert at {url} does not answer ({fault or type(fault).__name__}).") from fault
        if begun.status_code == 409:
            console.print("The views are being rebuilt already; this is how far that is.")
        elif begun.status_code != 202:
            raise Stopped(f"Concert at {url} did not begin: {detail_of(begun)}.")
        return await _follow(Asking(client))


async def _follow(asking: Asking) -> dict[str, Any]:
    columns = (TextColumn("Applying the log"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        while True:
            run: dict[str, Any] = (await asking.read(PATH)).json()
            bar.update(task, completed=run["done"], total=run["records"] or None)
            if run["state"] != "running":
                return run
            await asyncio.sleep(LOOK_SECONDS)


def _told(outcome: dict[str, Any]) -> str:
    """What a rebuild found, in a sentence."""
    differences = outcome["differences"]
    if not differences:
        return "The views were built anew from the log, and every row was as it should be."
    rows = ", ".join(f"{count} in {table}" for table, count in sorted(differences.items()))
    return f"The views were built anew from the log. Rows that were not what the log gives, and now are: {rows}."


def _stop(message: str) -> None:
    Console(stderr=True, highlight=False).print(message, soft_wrap=True)
    raise typer.Exit(1)
