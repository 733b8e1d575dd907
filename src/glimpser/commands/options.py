"""What several commands take, and what they begin with."""

import os
import pwd
from pathlib import Path
from typing import Annotated, Any

import typer

from glimpser.config import Config, load
from glimpser.observability.logs import configure_logging
from glimpser.services.audit import Actor

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Where everything is kept.", show_default=False)
]
Sort = Annotated[
    str | None,
    typer.Option("--sort", help="What to order by, such as name; -name falls.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def load_config(data_dir: Path | None, overrides: dict[str, Any] | None = None) -> Config:
    given = {"data_dir": str(data_dir) if data_dir else None} | (overrides or {})
    return load(given)


def load_quietly(data_dir: Path | None) -> Config:
    """Load for a command whose output is its own: of the log only what is wrong."""
    config = load_config(data_dir)
    configure_logging(config.observability.model_copy(update={"log_level": "warning"}))
    return config


def whoever_types() -> Actor:
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user may have no name
        name = str(os.getuid())
    return Actor(f"command line ({name})")
