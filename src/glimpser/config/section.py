"""How settings are declared."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def setting(default: Any, *, wants: str, meaning: str, shown: str | None = None) -> Any:
    """Declare one setting.

    `wants` ends the sentence "what was given is not …"; `shown` is the text of a default that depends
    on the data directory (then `default` is `...` and `load` fills it in).
    """
    return Field(default, description=meaning, json_schema_extra={"wants": wants, "shown": shown})


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
