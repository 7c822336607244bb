"""Makes the secrets of a composed Concert at its first start: nothing that protects data has a default anybody knows.

They lie in a volume that only the containers see. A secret that is there is never made anew.
"""

import os
import secrets
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def keep(path: Path, value: str, mode: int) -> str:
    """What `path` holds; `value` from now on if it holds nothing yet."""
    if not path.exists():
        # Complete or absent, also when this is killed half way.
        unfinished = path.with_suffix(".new")
        unfinished.write_text(value)
        unfinished.chmod(mode)
        os.replace(unfinished, path)
    return path.read_text()


def main(folder: Path) -> None:
    """Fill the folder."""
    # The database's own user reads it too; both see the volume, nobody else does.
    password = keep(folder / "postgres-password", secrets.token_urlsafe(24), 0o444)
    keep(folder / "store-url", f"postgresql://concert:{password}@postgres:5432/{{service}}", 0o400)
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    keep(folder / "signing-key.pem", key.decode(), 0o400)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
