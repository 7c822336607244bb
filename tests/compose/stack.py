"""The containers of a composed Concert under a name and a port of their own, and what can be done to them."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import httpx

from tests.chaos.victims import _free_port

ROOT = Path(__file__).parent.parent.parent
PROJECT = "concert-compose-test"
SERVICES = ("teams", "targets", "meetings", "metrics")
READ = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/metrics', timeout=8).read().decode())"


class Failed(Exception):
    """A command about containers did not do what it was to do."""


class Stack:
    """One composed Concert."""

    def __init__(self, engine: dict[str, str]) -> None:
        self.port = _free_port()
        files = [ROOT / "docker-compose.yml", ROOT / "tests" / "compose" / "small-volume.yml"]
        self.environment = os.environ | engine | {
            "COMPOSE_PROJECT_NAME": PROJECT, "COMPOSE_FILE": ":".join(map(str, files)),
            "CONCERT_PORT": str(self.port), "CONCERT_IMAGE": "concert:compose-test",
            # The volume is in memory, and counts as the database's.
            "CONCERT_POSTGRES_MEMORY": "2g",
        }  # fmt: skip
        if "PIP_CONFIG_FILE" not in self.environment and Path("/etc/pip.conf").exists():
            self.environment["PIP_CONFIG_FILE"] = "/etc/pip.conf"
        self._docker = [self.environment.get("DOCKER", "docker")]
        self._compose = shlex.split(self.environment.get("COMPOSE", "docker compose"))
        self._token = ""
        self.spent: Counter[str] = Counter()
        """Milliseconds in commands about containers, by their first words."""

    @property
    def address(self) -> str:
        """Where the gateway answers."""
        return f"http://127.0.0.1:{self.port}"

    async def compose(self, *arguments: str, fed: bytes | None = None, **environment: str) -> str:
        """What compose says. Raises Failed."""
        return await self.ran(*self._compose, *arguments, fed=fed, **environment)

    async def docker(self, *arguments: str, fed: bytes | None = None) -> str:
        """What the engine says. Raises Failed."""
        return await self.ran(*self._docker, *arguments, fed=fed)

    async def inside(self, service: str, *command: str, fed: bytes | None = None) -> str:
        """What a command says in the (first) container of a service. Raises Failed."""
        return await self.docker("exec", "--interactive", await self.container(service), *command, fed=fed)

    async def doctor(self, service: str) -> str:
        """What `concert doctor` says there, whether or not something is wrong. Raises Failed."""
        return await self.inside(service, "sh", "-c", "concert doctor || test $? = 1")

    async def asked(self, database: str, question: str) -> str:
        """What a database answers, asked in its own container. Raises Failed."""
        psql = ("psql", "--username=concert", f"--dbname={database}", "--tuples-only", "--no-align")
        return (await self.inside("postgres", *psql, f"--command={question}")).strip()

    async def ran(self, *command: str, fed: bytes | None = None, **environment: str) -> str:
        """What a command prints. Raises Failed with what it complains of."""
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=self.environment | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            stdin=subprocess.PIPE if fed is not None else subprocess.DEVNULL,
        )  # fmt: skip
        said, complained = await process.communicate(fed)
        words = command[len(self._compose) :] if list(command[: len(self._compose)]) == self._compose else command
        self.spent[" ".join(Path(word).name for word in words[:2])] += round((time.monotonic() - began) * 1000)
        if process.returncode:
            raise Failed(f"{' '.join(command[:6])}: {(complained or said).decode()[-3000:]}")
        return said.decode()

    async def build(self) -> None:
        """Make the image, if it is not that of this tree already."""
        await self.compose("build")

    async def up(self) -> None:
        """Start everything, and take a token."""
        await self.compose("up", "--detach", "--wait", "--wait-timeout", "240")
        said = await self.inside("teams", "concert", "token", "--scope", "admin", "--expires", "2h", "--name", "ops")
        self._token = said.split()[-1]

    async def measured(self) -> str:
        """How large the image is, and how much memory each container takes now."""
        size = int(await self.docker("image", "inspect", "--format", "{{.Size}}", self.environment["CONCERT_IMAGE"]))
        shown = await self.docker("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", *await self._all())
        used = (line.removeprefix(f"{PROJECT}-").partition(" / ")[0] for line in shown.splitlines())
        return f"image {size / 1e6:.0f} MB; memory: {', '.join(sorted(used))}"

    async def _all(self) -> list[str]:
        return (await self.compose("ps", "--quiet")).split()

    async def remove(self) -> None:
        """End everything and drop its data."""
        await self.compose("down", "--volumes", "--timeout", "5")

    def client(self, service: str = "", *, seconds: float = 10) -> httpx.AsyncClient:
        """An administrator's client of the gateway, whichever service it is for."""
        headers = {"Authorization": f"Bearer {self._token}"}
        return httpx.AsyncClient(base_url=self.address, headers=headers, timeout=seconds)

    async def crash(self, *containers: str) -> None:
        """End the main processes of containers as the kernel would, so that nobody has asked for it."""
        for pid in (await self.docker("inspect", "--format", "{{.State.Pid}}", *containers)).split():
            os.kill(int(pid), signal.SIGKILL)

    async def pause(self, service: str) -> None:
        """Let a container stand still."""
        await self.docker("pause", await self.container(service))

    async def resume(self, service: str) -> None:
        """Let it go on."""
        await self.docker("unpause", await self.container(service))

    async def cut_off(self, service: str) -> None:
        """Pull the cable of a container."""
        await self.docker("network", "disconnect", f"{PROJECT}_stores", await self.container(service))

    async def join(self, service: str) -> None:
        """Plug it in again, under its name."""
        await self.docker("network", "connect", "--alias", service, f"{PROJECT}_stores", await self.container(service))

    async def figures(self, container: str) -> str:
        """What a container tells Prometheus, asked inside it."""
        return await self.docker("exec", container, "python", "-c", READ)

    async def scale(self, copies: int, *services: str) -> None:
        """Let so many copies of services run."""
        wanted = [word for service in services for word in ("--scale", f"{service}={copies}")]
        # Who goes depends on nobody: without this the jobs would run once more.
        alone = ["--no-deps", *services] if copies == 1 else []
        await self.compose("up", "--detach", "--wait", "--no-recreate", *wanted, *alone)

    async def begun(self, *services: str) -> list[str]:
        """Which containers services have, also such as do not run, in which state, and since when."""
        each = [container for service in services for container in await self.containers(service, "--all")]
        shown = await self.docker("inspect", "--format", "{{.Id}} {{.State.Status}} {{.State.StartedAt}}", *each)
        return sorted(shown.splitlines())

    async def container(self, service: str) -> str:
        """What the engine calls the (first) container of a service."""
        return (await self.containers(service))[0]

    async def containers(self, service: str, *options: str) -> list[str]:
        """What it calls all of them, the newest last; each calls itself so too."""
        labels = {"project": PROJECT, "service": service, "oneoff": "False"}
        only = [f"--filter=label=com.docker.compose.{name}={value}" for name, value in labels.items()]
        found = (await self.docker("ps", "--format", "{{.ID}}", *options, *only)).split()
        if not found:
            raise Failed(f"no container of {service} is there")
        return found[::-1]


def engine() -> dict[str, str]:
    """How a working engine is reached, started where that may be done, with the images that are needed. Raises
    Failed."""
    started = subprocess.run([ROOT / "deploy" / "engine.sh", "start"], capture_output=True, text=True)
    if started.returncode:
        raise Failed(started.stderr.strip())
    words = shlex.split(started.stdout.replace("export ", " "))
    chosen = dict(word.split("=", 1) for word in words)
    built = subprocess.run([ROOT / "deploy" / "images.sh"], env=os.environ | chosen, capture_output=True, text=True)
    if built.returncode:
        raise Failed(built.stderr.strip())
    return chosen
