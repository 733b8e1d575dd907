"""How a form shows the fields of a kind: what JSON Schema has no words for, under its keyword `x-ui`."""

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue


def shown(
    *,
    section: str | None = None,
    advanced: bool = False,
    half: bool = False,
    unit: str | None = None,
    placeholder: str | None = None,
    names: Mapping[str, str] | None = None,
    secret: bool = False,
) -> dict[str, JsonValue]:
    """Describe how a field is shown, as its `json_schema_extra`.

    `section` is the title of the part of the form that the field belongs to, `advanced` those that few
    people need. Two `half` fields stand side by side. `unit` stands behind a number, `placeholder` in an
    empty field. `names` say in words what can be chosen; the empty one stands for no choice (null). A
    `secret` is taken and never given out (`writeOnly`).
    """
    hints: dict[str, JsonValue] = {}
    flags = {"advanced": advanced, "half": half}
    texts = {"section": section, "unit": unit, "placeholder": placeholder}
    hints |= {name: True for name, is_set in flags.items() if is_set}
    hints |= {name: text for name, text in texts.items() if text is not None}
    if names is not None:
        hints["names"] = dict(names)
    return ({"x-ui": hints} if hints else {}) | ({"writeOnly": True} if secret else {})


def login_last(schema: dict[str, Any]) -> None:
    """Put user name and password behind the address they are for."""
    properties = schema["properties"]
    for name in ("username", "password"):
        properties[name] = properties.pop(name)
