"""A text that nothing prints by accident."""

from pydantic import SecretStr

MASK = "***"
"""What stands in the place of a secret."""


class Secret(SecretStr):
    """Shows itself as `***`; `get_secret_value()` gives the text. Equal secrets compare equal."""

    def _display(self) -> str:
        return MASK
