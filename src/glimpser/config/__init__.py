"""The configuration as one typed value; the only reader of the environment.

`load` gathers what is given in five places, each stronger than the one before: defaults,
`glimpser.toml`, `.env`, the environment, the command line. Everything after it receives sections.
"""

from glimpser.config.kinds import Network
from glimpser.config.loading import load
from glimpser.config.printing import redacted, render_config
from glimpser.config.secret import Secret
from glimpser.config.sections import (
    Argon2,
    Capture,
    Config,
    Database,
    Observability,
    Security,
    Server,
    Storage,
)

__all__ = [
    "Argon2",
    "Capture",
    "Config",
    "Database",
    "Network",
    "Observability",
    "Secret",
    "Security",
    "Server",
    "Storage",
    "load",
    "redacted",
    "render_config",
]
