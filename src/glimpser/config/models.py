"""Plain values from outside become models, or our own errors that say by JSON Pointer what is wrong."""

from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from glimpser.core.errors import FieldError, InvalidInput

ModelT = TypeVar("ModelT", bound=BaseModel)


def parse_model(model: type[ModelT], value: object, *, pointer: str) -> ModelT:
    """Make a model of JSON values that stand at `pointer` (RFC 6901) in what was sent.

    Raises:
        InvalidInput: each error names its field and never the value, which may be a secret.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        errors = [
            FieldError(pointer_of(pointer, item["loc"]), item["msg"].removeprefix("Value error, "))
            for item in found
        ]
        raise InvalidInput(_sentence(errors), errors) from None


def pointer_of(base: str, steps: Sequence[int | str]) -> str:
    """Go on from a pointer; `~` and `/` in names are escaped (RFC 6901, section 3)."""
    return base + "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def _sentence(errors: Sequence[FieldError]) -> str:
    first = errors[0]
    return f"{first.pointer or 'It'} cannot be used: {first.message}."
