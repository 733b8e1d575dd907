"""The database: tables, migrations, and the repositories of `core.ports` over SQLAlchemy Core.

`open_database` gives the port, `migrate` brings a file to this version. SQL stays inside this package.
"""

from glimpser.db.engine import SqlDatabase, open_database
from glimpser.db.migrate import current, head, migrate
from glimpser.db.settings import DatabaseSettings

__all__ = ["DatabaseSettings", "SqlDatabase", "current", "head", "migrate", "open_database"]
