"""What the OpenAPI documents promise holds: Schemathesis asks every operation of every service for what it should take
and for what it should refuse, over real HTTP, and finds no answer that is not described and none that is a fault.

`FUZZ` says how many random requests an operation gets: 1 unless told, and then the document that all services have in
common is asked; by `make fuzz` it is 100, beside thousands of systematic ones, of each service by its own document.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from concert.services import SERVICES
from shared.http.documents import openapi_of
from tests.metrics.company import settle_in
from tests.metrics.stream import served
from tests.world import token_headers, world

RANDOM = os.environ.get("FUZZ")
PHASES = ("--phases", "examples,coverage,fuzzing" if RANDOM else "examples,fuzzing", "--max-examples", RANDOM or "1")
WHOSE = [each.name for each in SERVICES] if RANDOM else ["all"]
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("whose", WHOSE)
async def test_no_answer_is_undescribed_and_none_is_a_fault(tmp_path: Path, whose: str) -> None:
    document = tmp_path / "openapi.json"
    async with world(tmp_path) as concert, served(concert) as client:
        await settle_in(concert.admin)
        service = concert.services.get(whose)
        described = openapi_of(service.app) if service else (await concert.admin.get("/openapi.json")).json()
        document.write_text(json.dumps(described))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "run", str(document)),
            *("--url", str(client.base_url), "--checks", CHECKS, *PHASES),
            *("-H", f"Authorization: {token_headers(concert.settings, 'admin')['Authorization']}"),
            *("--seed", "1", "--continue-on-failure", "--request-timeout", "30"),
            *("--warnings", "off", "--no-color"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=tmp_path,
        )
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()[-6000:]
    assert b"generated" in said, said.decode()[-2000:]
