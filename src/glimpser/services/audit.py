"""Who did it: the actor that the verbs take, and the entry they leave in the audit log."""

from dataclasses import dataclass

from glimpser.core.accounts import EVERYTHING, AuditEntry, AuditFilter, Principal, Scope
from glimpser.core.clock import Clock
from glimpser.core.ids import new_id
from glimpser.core.pages import Page, PageRequest
from glimpser.core.ports import Database

LOGIN_REFUSED, SETUP_REFUSED, PASSWORD_REFUSED = "login.refused", "setup.refused", "user.password_refused"
REFUSALS = (LOGIN_REFUSED, SETUP_REFUSED, PASSWORD_REFUSED)
"""Actions that strangers can have written down as often as they are let try."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The name an audit entry carries (an email, `system` …), the address the wish came from, and what
    whoever wishes may see: nothing outside it is changed for them.
    """

    name: str
    client_ip: str | None = None
    scope: Scope = EVERYTHING

    @classmethod
    def of(cls, principal: Principal, client_ip: str | None) -> "Actor":
        """Name who makes a request; a key cannot be named so that it passes for a user."""
        name = principal.email or f"API key {principal.name}"
        return cls(name, client_ip, principal.scope)


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


class AuditLog:
    """Reading what was written."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, where: AuditFilter, page: PageRequest) -> Page[AuditEntry]:
        """Newest first."""
        return await self._database.read(lambda tx: tx.audit.list(where, page))
