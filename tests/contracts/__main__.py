"""The published face of Concert in `contracts/`, and the guard that it stays what others rely on.

python -m tests.contracts                   write contracts/ anew from the code
python -m tests.contracts check [BASE]      say what would break since BASE: a folder, or a commit of this
                                            repository; contracts/released unless told
python -m tests.contracts release           what the code says now is what the next changes must keep
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.contracts.breaks import breaks
from tests.contracts.published import (
    RELEASED,
    Published,
    at_commit,
    committed,
    expected,
    in_code,
    in_folder,
    store,
    written,
)


def check(base: Published) -> int:
    """Say what breaks since a base; how many places these are."""
    found = breaks(base, in_code().bare())
    sys.stdout.writelines(f"{each}\n" for each in found)
    sys.stdout.write(f"{len(found)} incompatible changes.\n" if found else "Nothing breaks.\n")
    return len(found)


def release() -> int:
    """Keep what the code says, unless it breaks what was kept."""
    found = check(in_folder(RELEASED))
    if not found:
        files = {RELEASED / name: written(document) for name, document in in_code().bare().files()}
        store(files, {file: "" for file in RELEASED.rglob("*.json")})
    return found


def main(arguments: list[str]) -> int:
    """Do what was typed; leaves with 1 when something breaks."""
    match arguments:
        case []:
            store(expected(in_code()), committed())
            return 0
        case ["check"]:
            return check(in_folder(RELEASED)) and 1
        case ["check", base]:
            return check((in_folder(Path(base)) if Path(base).is_dir() else at_commit(base)).bare()) and 1
        case ["release"]:
            return release() and 1
    sys.stderr.write(__doc__ or "")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
