"""A database as the first version left it when it was killed, and one of its pictures.

It was made by that version itself (0.1.0 with database revision 0002): `glimpser up --demo`, an account, two
webhooks and rules by its API, alerts from its samples, a logout, some kills while alerts were made, and an
artifact removed by its repository, for nothing else left garbage behind. `/DATA` stands for its directory.
"""

import gzip
import shutil
import sqlite3
from pathlib import Path

HERE = Path(__file__).parent
PICTURE = "01M82DXNS125KZFMY1AAEGFG34"
"""The artifact whose object is here."""


def restore(data_dir: Path) -> Path:
    """Lay the first version's data directory out, without most of its pictures; gives the database's path."""
    path = data_dir / "glimpser.db"
    pictures = data_dir / "objects/artifacts/2026/11/22"
    pictures.mkdir(parents=True)
    shutil.copy(HERE / f"{PICTURE}.jpg", pictures)
    script = gzip.decompress((HERE / "database.sql.gz").read_bytes()).decode()
    connection = sqlite3.connect(path)
    connection.executescript(script.replace("/DATA", str(data_dir)))
    connection.close()
    return path
