"""Looking into a SQLite file beside whoever has it, without disturbing them and without leaving anything behind."""

from __future__ import annotations

import sqlite3
from pathlib import Path

PATIENCE = 2.0


def peek(path: Path) -> sqlite3.Connection:
    """A connection that only reads. Raises sqlite3.Error when the file is not there or is none of SQLite's."""
    # A file without a write-ahead log is nobody's just now; opened as it stands, it is given none.
    left = path.with_name(path.name + "-wal").exists()
    mode = "mode=ro" if left else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None, timeout=PATIENCE)
