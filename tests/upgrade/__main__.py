"""`python -m tests.upgrade`: keep what databases of this version hold, for the next version to be upgraded from.

Run with a release, on the commit that is released. `CONCERT_TEST_POSTGRES_URL` and `CONCERT_TEST_KAFKA` name running
engines to use; pg_dump must be that of the server.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import world as worlds
from tests.engines import Kafka, Postgres
from tests.metrics.company import settle_in
from tests.metrics.test_certificate import settled_verdict
from tests.upgrade.dumped import RELEASED, SERVICES, dump_of_file, without_comments, written
from tests.world import World, world


async def _fill(concert: World) -> dict[str, object]:
    """A small company; what its views say."""
    tokens = await settle_in(concert.admin)
    query = {"after": tokens, "period": "2025"}
    answer = await concert.admin.get("/v1/views", params=query, headers={"Prefer": "wait=30"})
    await settled_verdict(concert, "consistent")
    return {name: view["figures"] for name, view in answer.json()["views"].items() if name != "it"}


async def _keep_files(folder: Path) -> None:
    async with world(folder) as concert:
        figures = await _fill(concert)
    for name in (*SERVICES, "log"):
        written(f"sqlite-{name}", list(dump_of_file(folder / f"{name}.db")))
    (RELEASED / "figures.json").write_text(json.dumps(figures, sort_keys=True, indent=1) + "\n")


async def _keep_databases(folder: Path, server: Postgres, broker: Kafka, pg_dump: str) -> None:
    async with worlds.real(server, broker) as ground:
        async with world(folder, ground) as concert:
            await _fill(concert)
        for name in SERVICES:
            url = ground.store_url.replace("{service}", name)
            command = [pg_dump, "--column-inserts", "--no-owner", "--no-privileges", url]
            said = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
            written(f"postgresql-{name}", without_comments(said.stdout))


async def main(pg_dump: str) -> None:
    """Fill both kinds of stores, and keep them."""
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        await _keep_files(Path(first))
        server, broker = Postgres(os.environ["CONCERT_TEST_POSTGRES_URL"]), Kafka(os.environ["CONCERT_TEST_KAFKA"])
        await _keep_databases(Path(second), server, broker, pg_dump)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "pg_dump"))
