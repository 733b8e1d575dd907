"""Small things the program remembers about itself."""

from sqlalchemy import Connection, bindparam, insert, select, update

from glimpser.db.tables import settings

_GET = select(settings.c.value).where(settings.c.key == bindparam("key"))


class SqlSettings:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, key: str) -> str | None:
        value: str | None = self._connection.scalar(_GET, {"key": key})
        return value

    def put(self, key: str, value: str) -> None:
        change = update(settings).where(settings.c.key == key).values(value=value)
        if self._connection.execute(change).rowcount == 0:
            self._connection.execute(insert(settings), {"key": key, "value": value})
