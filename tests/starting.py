"""Processes of Concert's own code, without the seconds that every start takes to import it and to work out its routes.

A server that has done so forks one for each start. What runs is the code itself, with the environment and the words
of a command line, in a process that can be killed like any other.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(["concert.cli", "tests.world", "tests.routes"])


def started(
    words: Sequence[str], environment: Mapping[str, str], said: Path | None = None, mutant: str | None = None
) -> ForkServerProcess:
    """`concert` with these words, perhaps broken by one of `tests.mutants`."""
    return forked(_concert, list(words), mutant, environment=environment, said=said)


def forked(
    run: Callable[..., None], *given: Any, environment: Mapping[str, str] = os.environ, said: Path | None = None
) -> ForkServerProcess:
    """A function in a process that ends with this one, if not before; all it says goes to a file, or what it prints to
    nowhere."""
    process = _server.Process(target=_run, args=(run, given, dict(environment), said), daemon=True)
    process.start()
    return process


def _run(run: Callable[..., None], given: Sequence[Any], environment: dict[str, str], said: Path | None) -> None:
    # What was there before the fork is never garbage; looking through it would also copy all of it.
    gc.freeze()
    os.environ.clear()
    os.environ.update(environment)
    out = os.open(said or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    if said is not None:
        os.dup2(out, 2)
    run(*given)


def _concert(words: list[str], mutant: str | None) -> None:
    if mutant is not None:
        from tests.mutants import MUTANTS

        MUTANTS[mutant][0]()
    from concert.cli import main

    sys.argv = ["concert", *words]
    main()
