"""How a database is reached."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """Settings of one database.

    Attributes:
        url: `sqlite:///relative.db` or `sqlite:////absolute.db`; special characters percent-encoded.
        pool_size: connections that read at the same time.
        busy_timeout_s: how long a call waits for a lock somebody else holds; at worst it takes twice that.
        sqlite_wal: write-ahead log; to be switched off where the file lies on a network disk.
    """

    url: str
    pool_size: int = 4
    busy_timeout_s: float = 5.0
    sqlite_wal: bool = True
