"""Where the command begins."""

from __future__ import annotations

import gc


def main() -> None:
    """Load the command, and run it.

    What loading makes is there to stay: looking for garbage among it took a fifth of the time until the first word, and
    would go on as long as the process lives.
    """
    gc.disable()
    from concert.cli import main as command

    gc.freeze()
    gc.enable()
    command()
