"""A container that serves one service loads no other, and misses nothing that the others tell."""

from __future__ import annotations

import asyncio
import sys

from concert.services import SERVICES
from shared.events import REGISTRY

ALONE = """
import sys
import concert.cli
from concert.services import SERVICES
from shared.events import REGISTRY
assert SERVICES.named("teams").name == "teams"
print(*sorted(REGISTRY))
print(*sorted({name.split(".")[1] for name in sys.modules if name.startswith("services.") and name.endswith(".app")}))
"""


async def test_a_service_alone_loads_no_other_and_knows_the_words_of_all() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", ALONE, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    words, loaded = said.decode().splitlines()
    assert loaded == "teams"
    assert len(SERVICES) == 4, "all are loaded here"
    told = {name for name, each in REGISTRY.items() if each.__module__.startswith("shared.events.")}
    assert set(words.split()) == told
