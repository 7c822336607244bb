"""What the commands that talk to a running Concert share: where it is, who asks, and how a no is said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeVar

import httpx
import typer
from rich.console import Console

from concert.imports.asking import Asking, Stopped
from concert.imports.cli import HERE, Url, refuse_bad_address

T = TypeVar("T")
__all__ = ["HERE", "Url", "ask", "plain", "refuse"]


def ask(url: str, token: str, work: Callable[[Asking], Awaitable[T]]) -> T:
    """What Concert answers; leaves with 1 and a sentence when it says no, or nothing."""
    refuse_bad_address(url)
    if not (token.isascii() and token.isprintable()):
        raise typer.BadParameter("this is no token; `concert token` prints one", param_hint="--token")

    async def talk() -> T:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
            return await work(Asking(client, tries=3))

    try:
        return asyncio.run(talk())
    except Stopped as fault:
        refuse(str(fault))


def refuse(message: str) -> NoReturn:
    """Say why not, and leave with 1."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(plain(message), markup=False)
    raise typer.Exit(1)


def plain(value: object) -> str:
    """A text without what would steer the terminal: a broken event may hold anything."""
    return "".join(each if each.isprintable() or each == "\n" else "�" for each in str(value))
