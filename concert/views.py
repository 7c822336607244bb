"""`concert views`: looking after the views of a running Concert."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from concert.imports.asking import Asking
from concert.talking import HERE, Url, ask, refuse

app = typer.Typer(no_args_is_help=True, help="Look after the five views.")
console = Console(highlight=False)
Token = Annotated[str, typer.Option(envvar="CONCERT_TOKEN", help="A token with admin.")]
PATH = "/v1/views/rebuild"
LOOK_SECONDS = 0.3


@app.command()
def rebuild(url: Url = HERE, token: Token = "") -> None:
    """Build the views anew from the log, while they are read; says how many of their rows were not what the log
    gives."""
    outcome = ask(url, token, _rebuild)
    if outcome["state"] != "adopted":
        refuse(f"The views are as they were. {outcome['reason']}")
    console.print(_told(outcome))


async def _rebuild(asking: Asking) -> dict[str, Any]:
    await asking.tell(PATH)
    return await _follow(asking)


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
    if differences is None:
        return "The views were built anew from the log. Events came meanwhile, so rows that were false are not counted."
    if not differences:
        return "The views were built anew from the log, and every row was as it should be."
    rows = ", ".join(f"{count} in {table}" for table, count in sorted(differences.items()))
    return f"The views were built anew from the log. Rows that were not what the log gives, and now are: {rows}."
