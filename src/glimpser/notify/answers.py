"""What a receiver's HTTP answer means for a delivery: sent, try again, or never. No I/O."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from glimpser.core.alerts import Receipt
from glimpser.core.errors import DeliveryFailed, Rejected
from glimpser.core.redaction import redact

SHOWN_CHARS = 200
"""How much of an answer's text is kept."""
MAX_RETRY_AFTER_S = 86_400
_PLAIN_RETRY_S = 5
_TRY_AGAIN = frozenset((408, 425, 429))
"""Client errors that pass by themselves (RFC 9110, 15.5.9; RFC 8470, 5.2; RFC 6585, 4)."""
_SECONDS = re.compile(r"[0-9]{1,9}")


def receipt_of(status: int, text: str, *, retry_after: str | None, now: datetime) -> Receipt:
    """Judge an answer that is no redirect.

    Raises:
        DeliveryFailed: it may be taken later, not before the time in `Retry-After`.
        Rejected: it will never be taken this way.
    """
    answer = f"HTTP {status}" + (f": {shown(text)}" if shown(text) else "")
    if 200 <= status < 300:
        return Receipt(answer)
    if status in _TRY_AGAIN or status >= 500:
        raise DeliveryFailed(f"The receiver answered {answer}", retry_after_s(retry_after, now))
    if status == 410:
        raise Rejected(f"The receiver is gone for good and wants no more messages (answered {answer}).")
    raise Rejected(f"The receiver refuses the message (answered {answer}).")


def shown(text: str) -> str:
    """Shorten a receiver's words to one harmless line without credentials."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    return redact(" ".join(printable.split()))[:SHOWN_CHARS]


def retry_after_s(header: str | None, now: datetime) -> int:
    """Read `Retry-After`: seconds or a date (RFC 9110, section 10.2.3), at most a day."""
    if header is None:
        return _PLAIN_RETRY_S
    if _SECONDS.fullmatch(header.strip()):
        wanted_s = int(header)
    else:
        try:
            moment = parsedate_to_datetime(header)
            wanted_s = int((moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())
        except (ValueError, OverflowError):
            return _PLAIN_RETRY_S
    return min(max(wanted_s, 0), MAX_RETRY_AFTER_S)
