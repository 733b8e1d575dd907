"""Column types that mean the same on every database."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Dialect, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from glimpser.core.clock import from_microseconds, to_microseconds


class Instant(TypeDecorator[datetime]):
    """A moment, as whole microseconds since 1970 in UTC.

    An integer sorts and compares like the moment itself, loses nothing, has no zone to get wrong, and
    "the hour of" is one division in every database. A naive datetime is refused with TypeError.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - fixed by the base class
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - fixed by the base class
        return None if value is None else from_microseconds(value)


Id = String(26)
"""A ULID."""

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""A JSON value; what `msgspec.json` can encode can be stored, dataclasses included."""
