"""Checks of this machine: Python, folders, the port, and the keys that tokens are checked with."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

import httpx

from concert.checks.finding import Finding, bare, reason
from concert.port import CannotListen, claimed
from shared.identity import gate
from shared.identity.issuer import DISCOVERY, published_keys
from shared.identity.keys import BadKey
from shared.settings import Settings

OLDEST_PYTHON = (3, 11)
LEAST_FREE = 10**9
VERSION_SECONDS = 2.0


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Whether this Python is new enough."""
    said = "Python " + ".".join(map(str, version))
    if version < OLDEST_PYTHON:
        return Finding("wrong", f"{said} is too old", "install Python 3.11 or later and make the environment anew")
    return Finding("ok", said)


def folder(path: Path) -> Finding:
    """Whether files can be made in a folder, or the folder itself."""
    there = _nearest(path)
    if not there.is_dir():
        return Finding(
            "wrong", f"{there} is a file, not a folder", "let CONCERT_DATA and CONCERT_STORE_URL name folders"
        )
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as fault:
        remedy = "give the user that runs Concert the right to write there, or let CONCERT_DATA name another folder"
        return Finding("wrong", f"{there} cannot be written", remedy, reason(fault))
    return Finding("ok", f"{path} can be written" if there == path else f"{path} is made at the first start")


def space(path: Path) -> Finding:
    """Whether what is to come has room."""
    there = _nearest(path)
    free = shutil.disk_usage(there).free
    said = f"{free / 10**9:.1f} GB free in {there}"
    if free < LEAST_FREE:
        return Finding("wrong", said, f"make room, there should be {LEAST_FREE / 10**9:.0f} GB, or move the folder")
    return Finding("ok", said)


def port(settings: Settings) -> Finding:
    """Whether the port can be had, or is Concert's already."""
    try:
        with claimed(settings):
            return Finding("ok", f"{settings.host}:{settings.port} is free")
    except CannotListen as fault:
        answered = _version_at(settings) if fault.taken else ""
        if answered:
            return Finding("ok", f"{settings.host}:{settings.port} is answered by {answered}")
        said, _, remedy = str(fault).rstrip(".").partition(": ")
        return Finding("wrong", said, remedy)


def signing_key(settings: Settings) -> Finding:
    """Whether the key that signs our own tokens can be read."""
    if settings.signing_key_file is None and not settings.key_file.exists():
        return Finding("ok", f"{settings.key_file} is made at the first start")
    try:
        gate.signing_key(settings)
    except BadKey as fault:
        return Finding("wrong", str(fault).rstrip("."), "mend the file, or name another by CONCERT_SIGNING_KEY_FILE")
    return Finding("ok", f"{settings.key_file} can be read")


def issuer(settings: Settings) -> Finding:
    """Whether the keys of the issuer can be fetched."""
    said, name = settings.jwt_jwks_url, "CONCERT_JWT_JWKS_URL"
    where = f"{bare(said)}, where {settings.jwt_issuer} publishes its keys,"
    if not said:
        said, name = settings.jwt_issuer.removesuffix("/") + DISCOVERY, "CONCERT_JWT_ISSUER"
        where = f"{bare(said)}, which says where the keys are,"
    try:
        keys = asyncio.run(published_keys(settings.jwt_issuer, settings.jwt_jwks_url))
    except (ValueError, httpx.HTTPError, httpx.InvalidURL, TimeoutError) as fault:
        remedy = f"see that it can be reached from here, and that {name} is right"
        return Finding("wrong", f"{where} is of no use", remedy, reason(fault))
    return Finding("ok", f"{where} gives {len(keys)} that can be used")


def _version_at(settings: Settings) -> str:
    """What Concert says it is, where it is to listen; empty if it is something else."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    shown = f"[{host}]" if ":" in host else host
    try:
        answer = httpx.get(f"http://{shown}:{settings.port}/version", timeout=VERSION_SECONDS, trust_env=False).json()
        name, version = str(answer["name"]), str(answer["version"])
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
        return ""
    return f"{name} {version}" if name.startswith("concert ") else ""


def _nearest(path: Path) -> Path:
    """The path, or what of it is there."""
    path = path.absolute()
    while not path.exists() and path != path.parent:
        path = path.parent
    return path
