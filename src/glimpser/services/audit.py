"""Who did it: the actor that the verbs take, and the entry they leave in the audit log."""

from dataclasses import dataclass

from glimpser.core.accounts import AuditEntry
from glimpser.core.clock import Clock
from glimpser.core.ids import new_id


@dataclass(frozen=True, slots=True)
class Actor:
    """The name an audit entry carries (an email, or `system`) and the address the wish came from."""

    name: str
    client_ip: str | None = None


def entry(actor: Actor, action: str, subject: str, *, clock: Clock, detail: str = "") -> AuditEntry:
    """Make an entry; the caller adds it in the transaction of the change it tells of."""
    return AuditEntry(
        id=new_id(),
        at=clock.now(),
        actor=actor.name,
        action=action,
        subject=subject,
        client_ip=actor.client_ip,
        detail=detail,
    )
