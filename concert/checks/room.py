"""Checks of whether what keeps the data takes more of it."""

from __future__ import annotations

import asyncio

from concert.checks.finding import Finding, bare
from concert.services import SERVICES
from shared.settings import Settings
from shared.store.postgres import TakesNothing, try_to_write


def database(settings: Settings) -> Finding:
    """Whether the database server has room: a table is begun there that nobody sees, and taken back."""
    url = settings.store.replace("{service}", SERVICES[0].name)
    try:
        asyncio.run(try_to_write(url))
    except TakesNothing as fault:
        remedy = "make room on its disk, or let it write; the services go on by themselves"
        return Finding("wrong", f"{bare(url)} takes no more", remedy, str(fault))
    except Exception:  # the check of the store says what
        return Finding("warning", f"not tried: {bare(url)} cannot be asked, or lets us make no table for a moment")
    return Finding("ok", f"{bare(url)} takes what is written")
