"""How the config of a kind is validated: a pydantic model in, plain values or our own errors out."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from glimpser.core.errors import FieldError, InvalidInput


class KindConfig(BaseModel):
    """The base of all: fields nobody knows are refused, so that a typing mistake is seen."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


ConfigT = TypeVar("ConfigT", bound=KindConfig)


def parse_config(model: type[ConfigT], config: Mapping[str, object]) -> ConfigT:
    """Validate.

    Raises:
        InvalidInput: each error names its field, below `/config`, and never the value.
    """
    try:
        return model.model_validate(dict(config))
    except ValidationError as error:
        errors = [_field_error(problem) for problem in error.errors(include_input=False, include_url=False)]
        raise InvalidInput("The config of this view cannot be used.", errors) from None


def _field_error(problem: ErrorDetails) -> FieldError:
    pointer = "/".join(["", "config", *map(str, problem["loc"])])
    return FieldError(pointer, problem["msg"].removeprefix("Value error, "))
