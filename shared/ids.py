"""Names for things: opaque ids that sort by birth, subjects, and the small hashes that consistency stands on."""

from __future__ import annotations

import os
import time
from hashlib import blake2b
from random import Random, SystemRandom

SHARDS = 64
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
# Ids must differ, not be secret: what may be read is decided by permissions. Asking the kernel for each one releases
# the interpreter lock and costs a hundred times as much under load.
_random = Random(SystemRandom().getrandbits(256))
# Processes forked from one that has imported this would otherwise give the same ids as each other.
os.register_at_fork(after_in_child=lambda: _random.seed(SystemRandom().getrandbits(256)))


def new_id(kind: str) -> str:
    """An id that nobody else has, prefixed by its kind; younger ids sort after older ones (to the millisecond)."""
    return f"{kind}_{_base32(time.time_ns() // 1_000_000, 10)}{_base32(_random.getrandbits(80), 16)}"


def event_id() -> str:
    """The id of one writing of an event: 128 random bits in hexadecimal."""
    return f"{_random.getrandbits(128):032x}"


def derived_id(kind: str, cause: str) -> str:
    """The id of something that exists because of an event: the same cause always gives the same id."""
    return f"{kind}_{_base32(int.from_bytes(blake2b(cause.encode(), digest_size=16).digest()), 26)}"


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
    """The last `length` base-32 digits of a number; `length` is even."""
    pairs = [_PAIRS[(number >> shift) & 1023] for shift in range(5 * (length - 2), -1, -10)]
    return "".join(pairs)
