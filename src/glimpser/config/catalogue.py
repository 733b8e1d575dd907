"""What settings there are and how people write their names: read off the sections, once."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from glimpser.config.secret import Secret
from glimpser.config.sections import Config

PREFIX = "GLIMPSER_"

Key = tuple[str, ...]
"""A setting's place: section and name, `("server", "port")`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting; `default` is text for people, `structured` values are JSON in the environment."""

    key: Key
    wants: str
    meaning: str
    default: str
    structured: bool = False
    secret: bool = False

    @property
    def name(self) -> str:
        """How `glimpser.toml` names it."""
        return ".".join(self.key)

    @property
    def variable(self) -> str:
        """How the environment names it."""
        return variable_of(self.key)


def variable_of(key: Key) -> str:
    return PREFIX + "__".join(key).upper()


def _walk(model: type[BaseModel], above: Key = ()) -> Iterator[Setting]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _walk(field.annotation, (*above, name))
        else:
            yield _setting((*above, name), field)


def _setting(key: Key, field: FieldInfo) -> Setting:
    extra: Any = field.json_schema_extra
    parts = list(_parts(field.annotation))
    return Setting(
        key=key,
        wants=extra["wants"],
        meaning=field.description or "",
        default=extra["shown"] or _default_text(field.default),
        structured=any(part in (tuple, Mapping) for part in parts),
        secret=Secret in parts,
    )


def _parts(annotation: Any) -> Iterator[Any]:
    """Give every type an annotation is made of."""
    yield get_origin(annotation) or annotation
    for argument in get_args(annotation):
        yield from _parts(argument)


def _default_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return json.dumps([str(item) for item in value])
    return value if isinstance(value, str) else json.dumps(value)


DATABASE_PATH = Setting(
    key=("database", "path"),
    wants="a file",
    meaning="Another way to say `database.url`: the path of the SQLite file.",
    default="",
)
CONFIG_FILE = Setting(
    key=("config",),
    wants="a TOML file",
    meaning="The configuration file; only in the environment or `.env`.",
    default="<data_dir>/glimpser.toml",
)
SETTINGS: Mapping[Key, Setting] = {
    setting.key: setting for setting in (*_walk(Config), DATABASE_PATH, CONFIG_FILE)
}
SECTIONS = frozenset(key[:depth] for key in SETTINGS for depth in range(1, len(key)))


def nearest(key: Key) -> tuple[Key, ...]:
    """Give the settings somebody may have meant: those of the same last word, else the most alike one."""
    flat = "_".join(key).replace("__", "_").lower()
    words = {"_".join(known): known for known in SETTINGS}
    if flat in words:
        return (words[flat],)
    same = tuple(known for known in SETTINGS if known[-1] == key[-1])
    if 0 < len(same) <= 2:
        return same
    return tuple(words[word] for word in get_close_matches(flat, words, n=1, cutoff=0.6))
