"""What each list can be ordered by. Names are those of the fields people see; each has an index."""

from datetime import datetime

from glimpser.core.clock import to_microseconds
from glimpser.core.pages import BY_ID, MAX_MICROSECONDS, Field, Order, Orders, by_moment, by_words


def _end_or(moment: datetime | None) -> int:
    """Put what never comes behind all that does."""
    return MAX_MICROSECONDS if moment is None else to_microseconds(moment)


TEMPLATE_ORDERS = Orders(
    Order("created_at"),
    {"created_at": BY_ID, "name": by_words("settings.name"), "updated_at": by_moment("updated_at")},
)
EVENT_ORDERS = Orders(Order("started_at", is_descending=True), {"started_at": by_moment("started_at")})
CAPTURE_ORDERS = EVENT_ORDERS
ALERT_ORDERS = Orders(Order("created_at", is_descending=True), {"created_at": by_moment("created_at")})
JOB_ORDERS = ALERT_ORDERS
EXPORT_ORDERS = ALERT_ORDERS
AUDIT_ORDERS = Orders(Order("at", is_descending=True), {"at": by_moment("at")})
CHANNEL_ORDERS = Orders(Order("created_at"), {"created_at": BY_ID, "name": by_words("name")})
USER_ORDERS = Orders(Order("created_at"), {"created_at": BY_ID, "email": by_words("email")})
API_KEY_ORDERS = Orders(Order("created_at"), {"created_at": BY_ID, "name": by_words("name")})
SCHEDULE_ORDERS = Orders(
    Order("created_at"), {"created_at": BY_ID, "next_run": Field(int, lambda one: _end_or(one.next_run))}
)
TICKET_ORDERS = Orders(Order("created_at"), {"created_at": BY_ID})
