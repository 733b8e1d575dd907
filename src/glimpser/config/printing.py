"""The configuration for people to read: as TOML, without its secrets."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from glimpser.config.secret import MASK, Secret
from glimpser.config.sections import Config
from glimpser.core.redaction import redact


def redacted(config: Config) -> dict[str, Any]:
    """Give the configuration as plain values: secrets are `***`, URLs lose their passwords."""
    return _plain_section(config)


def render_config(config: Config) -> str:
    """Write the redacted configuration as TOML; settings without a value stand in comments."""
    return "\n".join(_section_lines(redacted(config), ())) + "\n"


def _plain_section(section: BaseModel) -> dict[str, Any]:
    return {name: _plain(getattr(section, name)) for name in type(section).model_fields}


def _plain(value: Any) -> Any:
    match value:
        case BaseModel():
            return _plain_section(value)
        case Secret():
            return MASK
        case Mapping():
            return {str(name): _plain(item) for name, item in value.items()}
        case tuple():
            return [_plain(item) for item in value]
        case None | bool() | int() | float():
            return value
        case _:
            return redact(str(value))


_TABLES = frozenset({("observability", "log_levels")})
"""Values that are tables themselves: written on one line, for their names may hold dots."""


def _section_lines(section: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[str]:
    tables = {n: v for n, v in section.items() if isinstance(v, dict) and (*above, n) not in _TABLES}
    for name, value in section.items():
        if name not in tables:
            yield f"# {name} =" if value is None else f"{name} = {_literal(value)}"
    for name, table in tables.items():
        path = (*above, name)
        yield from ("", f"[{'.'.join(path)}]")
        yield from _section_lines(table, path)


def _literal(value: Any) -> str:
    """Write a TOML value. Its strings are those of JSON, which leaves only DEL to be escaped."""
    match value:
        case dict():
            return (
                "{" + ", ".join(f"{_literal(name)} = {_literal(item)}" for name, item in value.items()) + "}"
            )
        case list():
            return "[" + ", ".join(_literal(item) for item in value) + "]"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case _:
            return json.dumps(value)
