"""The composition root: reads the configuration, opens every adapter, wires the services, runs them."""

from glimpser.app.composition import App, compose
from glimpser.app.offline import check_integrity, migrate_database
from glimpser.app.people import open_people
from glimpser.app.running import run, serve
from glimpser.app.single import take_snapshot
from glimpser.app.templates import import_file, open_moving

__all__ = [
    "App",
    "check_integrity",
    "compose",
    "import_file",
    "migrate_database",
    "open_moving",
    "open_people",
    "run",
    "serve",
    "take_snapshot",
]
