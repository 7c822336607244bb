"""The audit trail: who did what that is not everyday, a JSON line each, in `audit.jsonl` of the data folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

from shared.instant import now

FILE = "audit.jsonl"


def record(data: Path, act: str, **facts: object) -> None:
    """Write down a privileged act, durably, before its outcome is handed out. Facts must be plain JSON values."""
    data.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"at": now().isoformat(), "act": act, "user": os.getuid(), **facts}, ensure_ascii=False)
    handle = os.open(data / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, line.encode() + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)
