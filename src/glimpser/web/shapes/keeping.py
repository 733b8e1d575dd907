"""What is kept, as answers show it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PinView:
    """Whether something is kept whatever its age."""

    pinned: bool
