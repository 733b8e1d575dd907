"""API keys: list, make, revoke. A key is shown once, when it is made; kept is what it hashes to."""

from dataclasses import dataclass, field
from datetime import datetime

from glimpser.core.accounts import ApiKey, Role
from glimpser.core.clock import Clock
from glimpser.core.errors import InvalidInput
from glimpser.core.ids import ApiKeyId, new_id
from glimpser.core.pages import Page, PageRequest
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction
from glimpser.services.audit import Actor, entry
from glimpser.services.key_text import digest_of, make_key_text
from glimpser.services.principals import Principals

MAX_NAME_CHARS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDraft:
    """A key to be. `groups` empty: all templates; `expires_at` None: it lasts until it is revoked."""

    name: str
    role: Role
    groups: tuple[str, ...] = ()
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made, with its text, which nobody sees again."""

    key: ApiKey
    text: str = field(repr=False)


class ApiKeys:
    """The verbs on API keys. Event loop's thread."""

    def __init__(self, database: Database, *, clock: Clock, principals: Principals) -> None:
        self._database = database
        self._clock = clock
        self._principals = principals

    async def list(self, page: PageRequest) -> Page[ApiKey]:
        """Oldest first."""
        return await self._database.read(lambda tx: tx.api_keys.list(page))

    async def get(self, key_id: ApiKeyId) -> ApiKey:
        """Raises: NotFound."""
        return await self._database.read(lambda tx: tx.api_keys.get(key_id))

    async def create(self, draft: KeyDraft, *, by: Actor) -> NewKey:
        """Make a key.

        Raises:
            InvalidInput: it would be over before it is used.
        """
        now = self._clock.now()
        if not 1 <= len(draft.name.strip()) <= MAX_NAME_CHARS:
            raise InvalidInput.field("/name", f"A key needs a name of 1 to {MAX_NAME_CHARS} characters.")
        if draft.expires_at is not None and draft.expires_at <= now:
            raise InvalidInput.field("/expires_at", "This time has passed: give a later one, or none.")
        key_id = ApiKeyId(new_id())
        text = make_key_text(key_id)
        key = ApiKey(
            id=key_id,
            name=draft.name,
            role=draft.role,
            key_hash=digest_of(text),
            groups=draft.groups,
            expires_at=draft.expires_at,
            created_by=by.name,
            created_at=now,
        )
        detail = f"{draft.name}, {draft.role.label}"
        made = entry(by, "api_key.created", key_id, clock=self._clock, detail=detail)

        def add(tx: Transaction) -> None:
            tx.api_keys.add(key)
            tx.audit.add(made)

        await self._database.write(add)
        return NewKey(key, text)

    async def revoke(self, key_id: ApiKeyId, *, by: Actor) -> None:
        """Remove a key; what uses it is refused from now on. Raises: NotFound."""

        def remove(tx: Transaction) -> None:
            name = tx.api_keys.get(key_id).name
            tx.api_keys.remove(key_id)
            tx.audit.add(entry(by, "api_key.revoked", key_id, clock=self._clock, detail=name))

        await self._database.write(remove)
        self._principals.forget(key_id)
