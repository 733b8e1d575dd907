"""The database of the original Glimpser, read as something a stranger wrote (https://sqlite.org/security.html)."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import quote

from glimpser.core.errors import InvalidInput

MAX_ROWS = 10_000
_MAX_VALUE_BYTES = 1 << 20
_MAX_STEPS = 50_000_000
_STEPS_AT_A_TIME = 100_000
HEADER = b"SQLite format 3\0"


def read_original(path: Path) -> Sequence[Mapping[str, object]]:
    """Read the rows of the table `templates`, at most 10,000. Blocks.

    The file is not written to, nothing that it defines is run, and neither large values nor long searches
    are gone into.

    Raises:
        InvalidInput: it is no such database, or a damaged one.
    """
    try:
        # Immutable: a copy. One in use would have its newest changes in a log beside it.
        uri = f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            return _rows(connection)
    except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
        raise InvalidInput(f"The database cannot be read: {error}.") from error


def read_original_bytes(data: bytes) -> Sequence[Mapping[str, object]]:
    """Read such a database that was sent, as `read_original`; it lies in a private file meanwhile."""
    with NamedTemporaryFile(prefix="glimpser-import-") as file:
        file.write(data)
        file.flush()
        return read_original(Path(file.name))


def _rows(connection: sqlite3.Connection) -> Sequence[Mapping[str, object]]:
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE_BYTES)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA query_only = ON")
    connection.set_progress_handler(_Budget(_MAX_STEPS // _STEPS_AT_A_TIME).spend, _STEPS_AT_A_TIME)
    found = connection.execute(
        "SELECT type, sql FROM sqlite_schema WHERE name = 'templates' COLLATE NOCASE"
    ).fetchone()
    if found is None or found[0] != "table" or "VIRTUAL" in str(found[1]).upper().split("(")[0]:
        raise InvalidInput("This database has no table `templates`: is it one of the original Glimpser?")
    connection.row_factory = sqlite3.Row
    rows = connection.execute("SELECT * FROM templates LIMIT ?", (MAX_ROWS + 1,)).fetchall()
    if len(rows) > MAX_ROWS:
        raise InvalidInput(f"The database holds more than {MAX_ROWS} views.")
    return [{name: row[name] for name in row.keys()} for row in rows]  # noqa: SIM118 - no mapping


class _Budget:
    """Ends a statement that takes too many steps."""

    def __init__(self, turns: int) -> None:
        self._turns = turns

    def spend(self) -> int:
        self._turns -= 1
        return self._turns < 0
