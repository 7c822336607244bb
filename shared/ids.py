"""Names for things: opaque ids that sort by birth, subjects, and the small hashes that consistency stands on."""

from __future__ import annotations

import os
import time
from hashlib import blake2b

SHARDS = 64
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(kind: str) -> str:
    """An id that nobody else has, prefixed by its kind; younger ids sort after older ones (to the millisecond)."""
    return f"{kind}_{_base32(time.time_ns() // 1_000_000, 9)}{_base32(int.from_bytes(os.urandom(10)), 16)}"


def derived_id(kind: str, cause: str) -> str:
    """The id of something that exists because of an event: the same cause always gives the same id."""
    return f"{kind}_{_base32(int.from_bytes(blake2b(cause.encode(), digest_size=15).digest()), 25)}"


def shard_of(subject: str) -> int:
    """Which of the 64 shards of the books a subject is counted in."""
    return blake2b(subject.encode(), digest_size=1).digest()[0] % SHARDS


def mark_of(subject: str, version: int) -> int:
    """40 bits that stand for a subject at a version; sums of marks tell whether two books know the same versions."""
    return int.from_bytes(blake2b(f"{subject}@{version}".encode(), digest_size=5).digest())


def fingerprint(content: bytes) -> str:
    """A short name for a content, to see whether it has been sent before."""
    return blake2b(content, digest_size=12).hexdigest()


def _base32(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        digits.append(_ALPHABET[number & 31])
        number >>= 5
    return "".join(reversed(digits))
