"""Places on the log: how far a reader has come in every partition, and the text that stands for that.

The text is opaque, means the same on every replica, and outlives every rebuild of the views, because it speaks of the
log alone. A few bytes of a hash tell a cursor from something that only looks like one.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Final

from shared.bus import PARTITIONS, TOPICS, Message, Position
from shared.errors import Invalid

Places = Mapping[Position, int]
BEGINNING: Final = "beginning"
NOW: Final = "now"
_FORM = 1
_ALL: Final = tuple((topic, partition) for topic in TOPICS for partition in range(PARTITIONS))
_LARGEST = 2**63 - 1


def text_of(places: Places) -> str:
    """The cursor of these places: the next offset of each partition."""
    body = bytes([_FORM]) + b"".join(_packed(places.get(place, 0)) for place in _ALL)
    return b64encode(body + _sum(body), b"-_").decode().rstrip("=")


def read(text: str, at: str = "/after") -> dict[Position, int]:
    """The places of a cursor; raises Invalid for a text that no cursor has."""
    try:
        raw = b64decode(text.encode() + b"=" * (-len(text) % 4), b"-_", validate=True)
        body, given = raw[:-4], raw[-4:]
        if body[0] != _FORM or _sum(body) != given or b64encode(raw, b"-_").decode().rstrip("=") != text:
            raise ValueError
        # A cursor of a version with fewer topics has read nothing of the others.
        return dict(zip(_ALL, _unpacked(body[1:]), strict=False))
    except (ValueError, IndexError):
        detail = f'this is no cursor; send one that an answer gave, "{BEGINNING}" or "{NOW}"'
        raise Invalid.at(at, detail) from None


def earlier(one: Places, other: Places) -> dict[Position, int]:
    """Of two vectors of places the earlier place in each partition."""
    return {place: min(one.get(place, 0), other.get(place, 0)) for place in _ALL}


def move(places: dict[Position, int], messages: Iterable[Message]) -> None:
    """Move the places past these messages."""
    for message in messages:
        places[message.record.topic, message.partition] = message.offset + 1


def _sum(body: bytes) -> bytes:
    return blake2b(body, digest_size=4, person=b"concert-cursor").digest()


def _packed(number: int) -> bytes:
    """A whole number in as few bytes as it needs: seven bits each, the highest bit says that more follow."""
    packed = bytearray()
    while number > 127:
        packed.append(number & 127 | 128)
        number >>= 7
    packed.append(number)
    return bytes(packed)


def _unpacked(body: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in body:
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            if number > _LARGEST:
                raise ValueError
            yield number
            number = shift = 0
    if shift:
        raise ValueError
