"""Every list that can be read in several orders: how to read it, and things to put into it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from glimpser.core import orders
from glimpser.core.accounts import AuditFilter
from glimpser.core.alerts import AlertFilter
from glimpser.core.events import EventFilter
from glimpser.core.jobs import JobFilter
from glimpser.core.pages import Orders, Page, PageRequest
from glimpser.core.repositories import Transaction
from glimpser.core.stream_tickets import TicketFilter
from glimpser.core.templates import TemplateFilter
from tests.contract.samples import (
    VIEW,
    alert,
    api_key,
    at,
    audit_entry,
    capture,
    channel,
    event,
    export,
    job,
    stream_ticket,
    template,
    user,
)

NAMES = ("zebra", "Apfel", "ähre", "ÄRGER", "Zoo", "zebra", "0")
"""Cases and letters that databases order differently; two are the same."""


@dataclass(frozen=True, slots=True)
class Listed:
    orders: Orders
    read: Callable[[Transaction, PageRequest], Page[Any]]
    items: Callable[[], Sequence[Any]]


LISTS: Mapping[str, Listed] = {
    "templates": Listed(
        orders.TEMPLATE_ORDERS,
        lambda tx, page: tx.templates.list(TemplateFilter(), page),
        lambda: [replace(template(name=name), updated_at=at(len(name))) for name in NAMES],
    ),
    "events": Listed(
        orders.EVENT_ORDERS,
        lambda tx, page: tx.events.lines(EventFilter(), page),
        lambda: [event(number // 3) for number in range(7)],
    ),
    "captures": Listed(
        orders.CAPTURE_ORDERS,
        lambda tx, page: tx.captures.list(None, page),
        lambda: [capture(number // 3) for number in range(7)],
    ),
    "alerts": Listed(
        orders.ALERT_ORDERS,
        lambda tx, page: tx.alerts.list(AlertFilter(), page),
        lambda: [alert(number // 3) for number in range(7)],
    ),
    "jobs": Listed(
        orders.JOB_ORDERS,
        lambda tx, page: tx.jobs.list(JobFilter(), page),
        lambda: [job(number // 3) for number in range(7)],
    ),
    "exports": Listed(
        orders.EXPORT_ORDERS,
        lambda tx, page: tx.exports.list(page),
        lambda: [export(number // 3) for number in range(7)],
    ),
    "audit": Listed(
        orders.AUDIT_ORDERS,
        lambda tx, page: tx.audit.list(AuditFilter(), page),
        lambda: [audit_entry(number) for number in range(7)],
    ),
    "channels": Listed(
        orders.CHANNEL_ORDERS,
        lambda tx, page: tx.channels.list(page),
        lambda: [channel(number, name=name) for number, name in enumerate(NAMES)],
    ),
    "users": Listed(
        orders.USER_ORDERS,
        lambda tx, page: tx.users.list(page),
        lambda: [user(f"{letter}@example.org") for letter in "bDaCzEy"],
    ),
    "api_keys": Listed(
        orders.API_KEY_ORDERS,
        lambda tx, page: tx.api_keys.list(page),
        lambda: [api_key(number, name=name) for number, name in enumerate(NAMES)],
    ),
    "stream_tickets": Listed(
        orders.TICKET_ORDERS,
        lambda tx, page: tx.stream_tickets.list(TicketFilter(template_id=VIEW, now=at(0)), page),
        lambda: [stream_ticket(number) for number in range(7)],
    ),
}
CASES = [(name, sort) for name, listed in LISTS.items() for sort in listed.orders.names]
