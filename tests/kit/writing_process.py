"""A process that writes for ever and prints the id of each customer it was acknowledged; it is there to be killed."""

from __future__ import annotations

import asyncio
import sys
from uuid import uuid4

from shared.store import open_store
from tests.kit.customers import meet

WRITERS = 16


async def main(url: str) -> None:
    store = open_store(url, "targets")
    await store.start()

    async def write() -> None:
        while True:
            name = uuid4().hex
            customer = await store.write(meet(name, crm=name))
            sys.stdout.write(f"{customer.id}\n")
            sys.stdout.flush()

    await asyncio.gather(*(write() for _ in range(WRITERS)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
