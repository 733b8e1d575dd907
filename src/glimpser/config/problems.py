"""Sentences about values that are not what a setting wants. They never repeat a secret."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import ErrorDetails

from glimpser.config.catalogue import SETTINGS, Key, Setting
from glimpser.config.sources import Given
from glimpser.core.redaction import redact

_SHOWN_CHARS = 80


def describe(error: ErrorDetails, given: Mapping[Key, Given]) -> str:
    """Say where a value stands, what it should be and what to do."""
    location = error["loc"]
    key = next((known for known in given if location[: len(known)] == known), None)
    if key is None:  # a rule about several settings
        return str(error["msg"]).removeprefix("Value error, ")
    setting = SETTINGS[key]
    found = "something else" if setting.secret else _shown(error["input"])
    within = location[len(key) :]
    said = f"{_place(within[0])} is {found}" if within else f"{found} was given"
    return f"{given[key].origin}: it wants {setting.wants}, but {said}{_reason(error)}. {_remedy(setting)}"


def tell(problems: list[str]) -> str:
    """Make the text that stops the start."""
    count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
    return "\n".join([f"The configuration has {count}:", *(f"  - {problem}" for problem in problems)])


def _place(step: int | str) -> str:
    return f"item {step + 1}" if isinstance(step, int) else f"the one of {step!a}"


def _shown(value: Any) -> str:
    """Quote a value on one line, short and without passwords."""
    text = redact(value) if isinstance(value, str) else value
    quoted = ascii(text)
    return quoted if len(quoted) <= _SHOWN_CHARS else f"{quoted[:_SHOWN_CHARS]}…"


def _reason(error: ErrorDetails) -> str:
    cause = error.get("ctx", {}).get("error")
    return f" ({cause})" if isinstance(cause, ValueError) else ""


def _remedy(setting: Setting) -> str:
    if not setting.default:
        return "Correct it or leave it out."
    return f"Correct it or leave it out (then it is {setting.default})."
