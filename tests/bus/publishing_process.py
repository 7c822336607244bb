"""A process that publishes to an embedded log until it is killed, and says on standard output what was acknowledged."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from shared.bus.embedded import EmbeddedBus
from tests.bus.logs import record

PUBLISHERS = 8


async def publish_for_ever(bus: EmbeddedBus, who: int, first: int) -> None:
    """Count up under a key of one's own, by one to four at a time."""
    number = first
    while True:
        several = 1 + (who + number) % 4
        await bus.publish([record(f"deal/{who}", str(number + i)) for i in range(several)])
        number += several
        os.write(1, f"{who} {number}\n".encode())


async def main(path: Path, first: list[int]) -> None:
    """Publish from several sides at once."""
    bus = EmbeddedBus(path)
    await bus.start()
    await asyncio.gather(*(publish_for_ever(bus, who, first[who]) for who in range(PUBLISHERS)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), [int(number) for number in sys.argv[2:]]))
