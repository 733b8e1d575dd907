"""Gathers the configuration and makes what it needs: the data directory and the key of sessions."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from glimpser.config.catalogue import CONFIG_FILE, Key
from glimpser.config.kinds import database_url, directory
from glimpser.config.problems import describe, tell
from glimpser.config.secret import Secret
from glimpser.config.sections import JWT_SECRET_BYTES, Config
from glimpser.config.sources import (
    Given,
    Layer,
    Problems,
    merge,
    nest,
    read_arguments,
    read_dotenv,
    read_environment,
    read_toml,
    system_environment,
)
from glimpser.core.errors import Misconfigured

_DATA_DIR: Key = ("data_dir",)
_JWT_SECRET: Key = ("security", "jwt_secret")
_LONGEST_SECRET_BYTES = 4096


def load(
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    dotenv: Path = Path(".env"),
) -> Config:
    """Read the configuration, make the data directory (mode 0700) and, once, the key of sessions.

    Args:
        overrides: what the command line gave, as `{"server.port": 80}`; None values are not given.
        environ: the environment; None takes that of the process.
        dotenv: a file of variables; one that is not there is ignored.

    Raises:
        Misconfigured: with a line for every problem found.
    """
    variables = system_environment() if environ is None else environ
    problems: Problems = []
    above = merge(
        read_dotenv(dotenv, problems) if dotenv.exists() else {},
        read_environment(variables, "", problems),
        read_arguments(overrides or {}, problems),
    )
    file_layer = _file_layer(above, variables, problems)
    data_dir = _data_dir(merge(file_layer, above), variables)
    given = merge(_defaults(data_dir), file_layer, above)
    given.setdefault(_DATA_DIR, Given(data_dir, "data_dir"))
    given.pop(CONFIG_FILE.key, None)
    config = _validated(given, data_dir, problems)
    _make_directory(data_dir)
    return config if _JWT_SECRET in {**file_layer, **above} else _with_kept_secret(config)


def _file_layer(above: Layer, variables: Mapping[str, str], problems: Problems) -> Layer:
    """Read the file that is named, else the one in the data directory if it is there."""
    named = above.get(CONFIG_FILE.key)
    if named is not None:
        return read_toml(Path(str(named.value)).expanduser(), problems)
    path = _data_dir(above, variables) / "glimpser.toml"
    layer = read_toml(path, problems) if path.exists() else {}
    if _DATA_DIR in layer:
        problems.append(
            f"data_dir in {path}: the file lies in the data directory already."
            " Give GLIMPSER_DATA_DIR or --data-dir, or name the file by GLIMPSER_CONFIG."
        )
    return layer


def _data_dir(given: Layer, variables: Mapping[str, str]) -> Path:
    if _DATA_DIR in given:
        with suppress(ValueError):  # which the validation reports
            return directory(given[_DATA_DIR].value)
    base = Path(variables.get("XDG_DATA_HOME", ""))
    if not base.is_absolute():  # relative ones are to be ignored (XDG base directory specification)
        base = Path(variables.get("HOME") or Path.home()) / ".local" / "share"
    return base / "glimpser"


def _defaults(data_dir: Path) -> Layer:
    """Give the defaults that depend on the data directory; the key is a placeholder until it is read."""
    values: dict[Key, Any] = {
        ("database", "url"): database_url(data_dir / "glimpser.db"),
        ("storage", "object_store_url"): (data_dir / "objects").as_uri(),
        ("capture", "file_roots"): [str(data_dir / "media")],
        _JWT_SECRET: "-" * JWT_SECRET_BYTES,
    }
    return {key: Given(value, ".".join(key)) for key, value in values.items()}


def _validated(given: Mapping[Key, Given], data_dir: Path, problems: Problems) -> Config:
    """Make the typed value. The error has no cause on purpose: pydantic's holds what was given."""
    config = None
    try:
        config = Config.model_validate(nest(given), context={"data_dir": data_dir})
    except ValidationError as error:
        problems += [describe(detail, given) for detail in error.errors(include_url=False)]
    if config is None or problems:
        raise Misconfigured(tell(problems))
    return config


def _make_directory(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(
            f"The data directory {path} cannot be made ({error.strerror})."
            " Give another one by --data-dir or GLIMPSER_DATA_DIR, or mend its permissions."
        ) from error


def _with_kept_secret(config: Config) -> Config:
    path = config.data_dir / "jwt_secret"
    try:
        kept = _kept_secret(path)
    except OSError as error:
        raise Misconfigured(
            f"The key of sessions {path} cannot be read or made ({error.strerror})."
            " It is a file of mode 0600 that belongs to the program's user."
        ) from error
    if len(kept) < JWT_SECRET_BYTES:
        raise Misconfigured(
            f"The key of sessions {path} has less than {JWT_SECRET_BYTES} bytes."
            " Remove the file: a new one is made, and everybody signs in again."
        )
    security = config.security.model_copy(update={"jwt_secret": Secret(kept)})
    return config.model_copy(update={"security": security})


def _kept_secret(path: Path) -> str:
    """Read the key, made by whoever comes first.

    The lock lets nobody read a file that another process has made and not yet written; a file left empty
    by a crash in between is filled. A link in its place is refused.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+", encoding="ascii", errors="replace") as file:
        flock(file, LOCK_EX)
        os.fchmod(file.fileno(), 0o600)
        kept = file.read(_LONGEST_SECRET_BYTES).strip()
        if not kept:
            kept = secrets.token_urlsafe(2 * JWT_SECRET_BYTES)
            file.seek(0)
            file.write(kept + "\n")
            file.flush()
            os.fsync(file.fileno())
    return kept
