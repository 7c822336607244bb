"""`python -m migrations "what changes"`: write the next revision of every service whose tables have changed.

The tables as declared are compared with those that the history so far makes, on an empty SQLite database.
"""

from __future__ import annotations

import sys
import tempfile

from concert.services import SERVICES
from shared.store.migrate import migrate, revise

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for service in SERVICES:
            migrate(service, f"sqlite:{folder}")
            revise(service, f"sqlite:{folder}", sys.argv[1])
