"""Pages of lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[T]):
    """One page of a list; `next_cursor` is null on the last.

    The list of each resource says again what its `items` are: descriptions are made of fields as they are
    written, and know nothing of type variables.
    """

    items: Sequence[T]
    next_cursor: str | None
