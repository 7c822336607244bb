from __future__ import annotations
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

PARTITIONS = 4
Position = tuple[str, int]
class BusError(Exception): ...
def partition_of(key: str) -> int:
    return zlib.crc32(key.encode()) % PARTITIONS
@dataclass(frozen=True, slots=True)
class Record:
    topic: str
    key: str
    value: bytes | None
    headers: tuple[tuple[str, str], ...]
@dataclass(frozen=True, slots=True)
class Message:
    record: Record
    partition: int
    offset: int
class Bus(Protocol):
    async def start(self) -> None: ...
    async def close(self) -> None: ...
    async def publish(self, records: Sequence[Record]) -> None: ...
    def messages(self, topics: Sequence[str], start: Mapping[Position, int]) -> AsyncIterator[Sequence[Message]]: ...
    @property
    def healthy(self) -> str | None: ...
