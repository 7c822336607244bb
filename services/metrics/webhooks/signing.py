"""Signatures as Standard Webhooks has them: the receiver can tell who sent a delivery, when, and that it is whole."""

from __future__ import annotations

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence

PREFIX = "whsec_"


def new_secret() -> str:
    """A secret of 256 random bits, in the form that the libraries of Standard Webhooks take."""
    return PREFIX + b64encode(secrets.token_bytes(32)).decode()


def signed_headers(keys: Sequence[str], message: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of a delivery; with two secrets two signatures, of which the receiver needs one."""
    content = f"{message}.{timestamp}.".encode() + body
    return {
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{_signature(key, content)}" for key in keys),
    }


def _signature(secret: str, content: bytes) -> str:
    return b64encode(hmac.digest(b64decode(secret.removeprefix(PREFIX)), content, "sha256")).decode()
