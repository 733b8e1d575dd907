"""The composition root: reads the configuration, opens every adapter, wires the services, runs them."""

from glimpser.app.composition import App, compose
from glimpser.app.offline import check_integrity, migrate_database, take_snapshot
from glimpser.app.running import run, serve

__all__ = ["App", "check_integrity", "compose", "migrate_database", "run", "serve", "take_snapshot"]
