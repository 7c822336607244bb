"""Keys that tokens are signed with and checked against. The kind of key fixes the algorithm; a token never does."""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from jwt import PyJWK, PyJWTError

OWN_ALGORITHM: Final = "EdDSA"
MIN_RSA_BITS: Final = 2048
_ALGORITHMS: Final[dict[tuple[str, str], str]] = {
    ("OKP", "Ed25519"): "EdDSA",
    ("EC", "P-256"): "ES256",
    ("RSA", ""): "RS256",
}
_PUBLIC_MEMBERS = ("kty", "crv", "x", "y", "n", "e")


class BadKey(Exception):
    """A signing key cannot be used; the message says which file and what to do."""


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """A public key under its name, with the one algorithm it is used with."""

    kid: str
    algorithm: str
    key: Any


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Our own private key (Ed25519) and the name its tokens give it."""

    private: Ed25519PrivateKey
    kid: str

    @classmethod
    def of(cls, private: Ed25519PrivateKey) -> Self:
        """A private key under the name made from it (RFC 7638)."""
        raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        canonical = f'{{"crv":"Ed25519","kty":"OKP","x":"{_base64(raw)}"}}'
        return cls(private, _base64(sha256(canonical.encode()).digest()))

    @property
    def public(self) -> VerifyKey:
        """What its tokens are checked against."""
        return VerifyKey(self.kid, OWN_ALGORITHM, self.private.public_key())

    def __repr__(self) -> str:
        return f"SigningKey({self.kid!r})"


def mounted_key(path: Path) -> SigningKey:
    """The key somebody put there for us, with whatever mode their secrets have. Raises BadKey."""
    try:
        return _read(path)
    except FileNotFoundError:
        advice = f"openssl genpkey -algorithm ed25519 -out {path}"
        raise BadKey(f"There is no signing key at {path}; make one: {advice}") from None


def own_key(path: Path) -> SigningKey:
    """The key at this path, made with mode 0600 when there is none yet. Raises BadKey when others may read it."""
    with suppress(FileExistsError):
        if not path.exists():
            _make(path)
    try:
        mode = path.stat().st_mode & 0o777
    except OSError as error:
        raise BadKey(f"The signing key {path} cannot be read: {error.strerror}.") from None
    if mode & 0o077:
        raise BadKey(f"Others may read the signing key {path} (mode {mode:04o}); take that away: chmod 600 {path}")
    return _read(path)


def key_set(document: object) -> dict[str, VerifyKey]:
    """The usable keys of a JWKS document by name; what is too weak, unknown or not for signing is left out."""
    entries = document.get("keys") if isinstance(document, Mapping) else None
    found: dict[str, VerifyKey] = {}
    for entry in entries if isinstance(entries, Iterable) else ():
        key = _usable(entry) if isinstance(entry, Mapping) else None
        if key is not None:
            found.setdefault(key.kid, key)
    return found


def _usable(entry: Mapping[str, Any]) -> VerifyKey | None:
    kid = entry.get("kid")
    algorithm = _ALGORITHMS.get((str(entry.get("kty")), str(entry.get("crv", ""))))
    if not isinstance(kid, str) or algorithm is None:
        return None
    if entry.get("use", "sig") != "sig" or entry.get("alg", algorithm) != algorithm:
        return None
    try:
        # Only the public members: a set that leaks a private key must not make us hold it.
        key = PyJWK({name: entry[name] for name in _PUBLIC_MEMBERS if name in entry}, algorithm).key
    except (PyJWTError, ValueError, TypeError):
        return None
    if isinstance(key, RSAPublicKey) and key.key_size < MIN_RSA_BITS:
        return None
    return VerifyKey(kid, algorithm, key)


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    # Written aside and linked into place: of two first starts at once, both end up with the same whole key.
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        draft.unlink()


def _read(path: Path) -> SigningKey:
    try:
        private = load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BadKey(f"The signing key {path} cannot be read: {error.strerror}.") from None
    except (ValueError, TypeError):
        raise BadKey(f"{path} is not a private key in PEM form without a password.") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise BadKey(f"The signing key {path} is not an Ed25519 key.")
    return SigningKey.of(private)


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
