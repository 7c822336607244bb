"""Keys, tokens and apps that the tests of identity share."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from shared.identity.keys import SigningKey
from shared.identity.tokens import mint
from shared.instant import now

ISSUER = "https://login.example"
JWKS = "https://login.example/keys"


def new_key() -> SigningKey:
    """A signing key of our kind."""
    return SigningKey.of(ed25519.Ed25519PrivateKey.generate())


def claims(**changed: Any) -> dict[str, Any]:
    """The claims of a good token of ours; a claim changed to None is left out."""
    at = int(now().timestamp())
    good = {"iss": "concert", "aud": "concert", "sub": "tool", "iat": at, "exp": at + 600, "scope": "deals:read"}
    return {name: value for name, value in (good | changed).items() if value is not None}


def signed(key: SigningKey, body: dict[str, Any], **header: Any) -> str:
    """Claims of any kind, properly signed; a header changed to None is left out."""
    named = {name: value for name, value in ({"kid": key.kid} | header).items() if value is not None}
    return jwt.encode(body, key.private, "EdDSA", named)


def raw(header: dict[str, Any], body: dict[str, Any], signature: bytes = b"") -> str:
    """A token put together by hand."""
    parts = (json.dumps(header).encode(), json.dumps(body).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def bearer_text() -> str:
    """A token nobody can use any more."""
    return mint(new_key(), subject="tool", scopes=["deals:read"], expires=timedelta(seconds=-60))


class OtherIssuer:
    """An issuer with a key of each kind, and what it publishes."""

    def __init__(self) -> None:
        self.private: dict[str, Any] = {
            "EdDSA": ed25519.Ed25519PrivateKey.generate(),
            "ES256": ec.generate_private_key(ec.SECP256R1()),
            "RS256": rsa.generate_private_key(65537, 2048),
        }
        self.published = [self.entry(algorithm) for algorithm in self.private]
        self.asked = 0
        self.answer: Callable[[httpx.Request], httpx.Response] = self._publish
        self.transport = httpx.MockTransport(self._count)

    def entry(self, algorithm: str, **changed: Any) -> dict[str, Any]:
        """The public key of that algorithm as a JWKS shows it."""
        public = self.private[algorithm].public_key()
        shown = get_default_algorithms()[algorithm].to_jwk(public, as_dict=True)
        shown.pop("key_ops", None)
        return shown | {"kid": algorithm, "use": "sig", "alg": algorithm} | changed

    def token(self, algorithm: str, kid: str | None = None, **changed: Any) -> str:
        """A token of this issuer."""
        body = claims(**({"iss": ISSUER} | changed))
        return jwt.encode(body, self.private[algorithm], algorithm, {"kid": kid or algorithm})

    def _count(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        return self.answer(request)

    def _publish(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"keys": self.published})
