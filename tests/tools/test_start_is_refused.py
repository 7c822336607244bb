"""What cannot be had at the start is said in one sentence, before anything is opened."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from concert.port import CannotListen, claimed
from shared.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program holds."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def environment(folder: Path, port: int, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONCERT_")}
    return kept | {"CONCERT_PORT": str(port), "CONCERT_DATA": str(folder), "CONCERT_DEMO": "0", **more}


async def concert(
    words: tuple[str, ...], settings: dict[str, str], stdout: int = asyncio.subprocess.PIPE
) -> asyncio.subprocess.Process:
    command = (sys.executable, "-c", "from concert.cli import main; main()", *words)
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=settings, stdout=stdout, stderr=pipe)


async def said(words: tuple[str, ...], settings: dict[str, str]) -> tuple[int | None, str]:
    """How a start ended, and everything that was said."""
    async with asyncio.timeout(60):
        process = await concert(words, settings)
        out, err = await process.communicate()
    return process.returncode, (out + err).decode()


@pytest.mark.parametrize("words", [("run",), ("serve", "teams")])
async def test_a_taken_port_is_named_with_the_setting_to_change_and_nothing_is_opened(
    taken: int, tmp_path: Path, words: tuple[str, ...]
) -> None:
    data = tmp_path / "data"
    sentence = f"Another program listens at 127.0.0.1:{taken}: end it, or set CONCERT_PORT to another port.\n"
    assert await said(words, environment(data, taken)) == (2, sentence)
    assert not data.exists()


async def test_an_address_that_is_not_here_is_named_too(tmp_path: Path) -> None:
    settings = environment(tmp_path / "data", 8000, CONCERT_HOST="192.0.2.1")
    code, sentence = await said(("run",), settings)
    assert (code, sentence) == (
        2, "192.0.2.1 is no address of this machine: set CONCERT_HOST to one that is, such as 127.0.0.1.\n",
    )  # fmt: skip


async def test_a_key_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    settings = environment(tmp_path / "data", free_port(), CONCERT_SIGNING_KEY_FILE=str(tmp_path / "none.pem"))
    code, sentence = await said(("run",), settings)
    assert code == 1
    assert sentence.startswith(f"There is no signing key at {tmp_path}/none.pem")
    assert "Traceback" not in sentence


async def test_a_second_start_on_the_same_folder_is_a_sentence(tmp_path: Path) -> None:
    port = free_port()
    first = await concert(("run",), environment(tmp_path, port), asyncio.subprocess.DEVNULL)
    try:
        await answers(f"http://127.0.0.1:{port}/livez")
        code, sentence = await said(("run",), environment(tmp_path, free_port()))
        assert code == 2
        assert sentence.endswith(" is in use by another process; a data folder serves one at a time.\n")
        assert "Traceback" not in sentence
    finally:
        first.terminate()
        _, told = await first.communicate()
    assert f'"address": "127.0.0.1:{port}", "event": "listening"'.encode() in told


def test_what_is_claimed_is_kept_until_the_end_and_no_longer() -> None:
    settings = Settings(port=free_port())
    with claimed(settings) as (held,):
        assert held.proto == socket.IPPROTO_TCP
        with pytest.raises(OSError, match="in use"), socket.socket() as other:
            other.bind(("127.0.0.1", settings.port))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", settings.port))
        held.listen()
        with pytest.raises(CannotListen), claimed(settings):
            pass
    with claimed(settings):
        pass


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


async def answers(url: str) -> None:
    """Return once something answers there."""
    async with asyncio.timeout(60), httpx.AsyncClient() as client:
        while True:
            try:
                await client.get(url)
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return


async def test_a_broker_that_cannot_be_reached_is_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kafka = {"CONCERT_BUS": "kafka", "CONCERT_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    code, told = await said(("run",), environment(tmp_path, port, **kafka))
    assert code == 1
    assert told.splitlines()[-1].startswith("Kafka at 127.0.0.1:1 cannot be reached")
    assert "Traceback" not in told
