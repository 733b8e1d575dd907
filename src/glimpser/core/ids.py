"""ULIDs: 26 characters that sort by the time they were made (https://github.com/ulid/spec)."""

from datetime import datetime
from typing import NewType

from ulid import ULID

from glimpser.core.errors import NotFound

TemplateId = NewType("TemplateId", str)
CaptureId = NewType("CaptureId", str)
ArtifactId = NewType("ArtifactId", str)
EventId = NewType("EventId", str)
UserId = NewType("UserId", str)
ApiKeyId = NewType("ApiKeyId", str)
StreamTicketId = NewType("StreamTicketId", str)
RuleId = NewType("RuleId", str)
ChannelId = NewType("ChannelId", str)
AlertId = NewType("AlertId", str)
DeliveryId = NewType("DeliveryId", str)
JobId = NewType("JobId", str)
ExportId = NewType("ExportId", str)


ID_PATTERN = "^[0-6][0-9A-HJKMNP-TV-Z]{25}$"
"""What ids look like to whoever reads a description (those of the years to 9000): `is_id` decides."""

_LAST_TIME = "76EZ91ZPZZ"
"""How an id begins that was made in the last millisecond a datetime can hold (31 December 9999)."""


def new_id() -> str:
    """Make a ULID. Two made in the same millisecond are ordered at random."""
    return str(ULID())


def is_id(text: str) -> bool:
    """Tell whether `text` has the form of a ULID in its canonical upper case, with a time that exists."""
    try:
        return str(ULID.from_str(text)) == text and text[: len(_LAST_TIME)] <= _LAST_TIME
    except ValueError:
        return False


def require_id(text: str, what: str) -> str:
    """Give `text` back if it has the form of an id; nothing can exist under another name.

    Raises:
        NotFound: it has not; `what` names the thing that was looked for.
    """
    if not is_id(text):
        raise NotFound(f"There is no {what} with this id.")
    return text


def time_of(identifier: str) -> datetime:
    """Tell when an id was made (aware UTC, to the millisecond). `is_id` must hold for it."""
    return ULID.from_str(identifier).datetime
