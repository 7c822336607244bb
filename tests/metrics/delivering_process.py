"""A Concert that meets customers for ever and delivers what it tells; it is there to be killed.

It prints the id of each customer once it is acknowledged. One that is to end meets nobody, and ends when all has been
delivered.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from uuid import uuid4

from tests.metrics.receiver import idle
from tests.metrics.stream import relayed
from tests.world import World, world


async def meet(concert: World) -> None:
    """Meet customers, each twice."""
    while True:
        made = await concert.made("/v1/customers", {"name": uuid4().hex})
        answer = await concert.admin.patch(
            f"/v1/customers/{made['id']}", json={"region": "EMEA"}, headers={"If-Match": "*"}
        )
        if answer.status_code == 200:
            sys.stdout.write(f"{made['id']}\n")
            sys.stdout.flush()


def deliver(folder: Path, url: str, ending: bool) -> None:
    """Meet and deliver until all is delivered, or for ever."""
    asyncio.run(_deliver(folder, url, ending))


async def _deliver(folder: Path, url: str, ending: bool) -> None:
    async with world(folder, webhook_private_targets=True) as concert:
        found = (await concert.admin.get("/v1/webhooks")).json()["items"]
        body = {"url": url, "types": ["concert.targets.*"], "from": "beginning"}
        webhook = found[0] if found else await concert.made("/v1/webhooks", body)
        if not ending:
            await asyncio.gather(*(meet(concert) for _ in range(4)))
        await relayed(concert)
        while (await concert.admin.get("/v1/events", params={"after": webhook["cursor"]})).text:
            await asyncio.sleep(0.05)
            webhook = await idle(concert, webhook)
