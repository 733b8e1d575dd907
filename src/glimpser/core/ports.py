"""What the services need of the world outside; adapters implement it, `app` connects them."""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeVar

from glimpser.core.accounts import AuditEntry, User
from glimpser.core.events import Artifact, Capture, Event, EventFilter, Observation
from glimpser.core.frames import Frame
from glimpser.core.ids import ArtifactId, CaptureId, EventId, TemplateId, UserId
from glimpser.core.live import LiveEvent, LiveSpec
from glimpser.core.pages import Page, PageRequest
from glimpser.core.templates import Template, TemplateFilter, TemplateSettings

T = TypeVar("T")


class LivePool(Protocol):
    """Views that run: cameras, streams, video files. All calls on the event loop's thread."""

    async def start(self, spec: LiveSpec) -> None:
        """Begin to capture, or begin anew if `spec` differs from what runs. Returns at once."""
        ...

    async def stop(self, template_id: TemplateId) -> None:
        """End a capture; one that does not run is ignored."""
        ...

    def want(self, template_id: TemplateId, *, width: int, fps: float | None) -> AbstractContextManager[None]:
        """Have pictures of this width (0: native) made while the context is open.

        `fps` None means every frame. Pictures arrive as FrameReady.
        """
        ...

    async def snapshot(self, template_id: TemplateId, width: int | None = None) -> Frame:
        """Give the newest picture.

        Raises:
            Unavailable: the view gives none now; its state says why.
        """
        ...

    def events(self) -> AsyncIterator[LiveEvent]:
        """Give what happens, for one consumer: states and bursts in order, of frames the newest."""
        ...


@dataclass(frozen=True, slots=True)
class StoredObject:
    """`sha256` in hex, made of the bytes as they were written."""

    uri: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class StoredEntry:
    uri: str
    key: str
    size_bytes: int


class ObjectStore(Protocol):
    """Objects that are there whole or not at all. Keys are relative paths of safe characters."""

    async def put(self, key: str, data: AsyncIterable[bytes], *, content_type: str) -> StoredObject:
        """Store durably: when this returns, the object survives a power cut.

        Raises:
            Unavailable: the store cannot take it now (full, away); nothing is left behind.
        """
        ...

    def get(self, uri: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Read bytes `start` (inclusive) to `end` (exclusive) in pieces.

        Raises:
            NotFound: there is no such object.
        """
        ...

    async def delete(self, uri: str) -> None:
        """Remove an object; one that is not there is ignored."""
        ...

    def list(self, prefix: str = "") -> AsyncIterator[StoredEntry]:
        """Give all objects whose key begins with `prefix`, in key order, which is also URI order."""
        ...


class Templates(Protocol):
    def add(self, template: Template) -> None: ...
    def get(self, template_id: TemplateId) -> Template:
        """Raises: NotFound."""
        ...

    def list(self, where: TemplateFilter, page: PageRequest) -> Page[Template]:
        """Oldest first."""
        ...

    def replace(
        self, template_id: TemplateId, settings: TemplateSettings, *, expected: int, now: datetime
    ) -> Template:
        """Raises: NotFound; Stale when the version is not `expected`."""
        ...

    def remove(self, template_id: TemplateId, *, expected: int) -> None:
        """Raises: NotFound; Stale. What was captured stays until retention removes it."""
        ...


class Events(Protocol):
    """Lists are ordered by `started_at`, then id, so that `start` and `end` cut a list at its ends."""

    def add(self, event: Event) -> None: ...
    def get(self, event_id: EventId) -> Event:
        """Raises: NotFound."""
        ...

    def list(self, where: EventFilter, page: PageRequest) -> Page[Event]:
        """Newest first."""
        ...

    def update(self, event: Event) -> None:
        """Write metadata, level, message, peak, end and artifact of an event that goes on.

        Raises: NotFound.
        """
        ...

    def unfinished(self, kind: str) -> Sequence[Event]:
        """Give the events of a kind that have no end."""
        ...


class Captures(Protocol):
    def add(self, capture: Capture) -> None: ...
    def get(self, capture_id: CaptureId) -> Capture: ...
    def list(self, template_id: TemplateId | None, page: PageRequest) -> Page[Capture]:
        """Newest first."""
        ...

    def finish(self, capture: Capture) -> None:
        """Write status, end, artifact and error of a capture that ran."""
        ...

    def running(self) -> Sequence[Capture]: ...
    def session_at(self, template_id: TemplateId, moment: datetime) -> Capture | None:
        """Give the live session that had begun last at `moment`; it may have ended before."""
        ...


class Artifacts(Protocol):
    def add(self, artifact: Artifact) -> None: ...
    def get(self, artifact_id: ArtifactId) -> Artifact:
        """Raises: NotFound."""
        ...

    def remove(self, artifact_id: ArtifactId) -> None:
        """Take the row away and mark its object as garbage, in this transaction."""
        ...

    def after(self, artifact_id: ArtifactId | None, limit: int) -> Sequence[Artifact]:
        """Give artifacts in id order, for walking all of them."""
        ...

    def after_uri(self, uri: str, limit: int) -> Sequence[Artifact]:
        """Give artifacts in the order of their URIs by code point, for walking them beside a store."""
        ...

    def known(self, uris: Sequence[str]) -> AbstractSet[str]:
        """Give those of at most 500 URIs that an artifact or the garbage names."""
        ...

    def newest(self) -> Artifact | None: ...


class Garbage(Protocol):
    """URIs whose rows are gone and whose objects are still to be deleted."""

    def count(self) -> int: ...
    def list(self, limit: int) -> Sequence[str]: ...
    def forget(self, uris: Sequence[str]) -> None: ...


class Observations(Protocol):
    def add(self, observation: Observation) -> None: ...
    def list(
        self, template_id: TemplateId, name: str | None, start: datetime | None, end: datetime | None
    ) -> Sequence[Observation]:
        """Oldest first, at most 10,000."""
        ...


class Users(Protocol):
    def add(self, user: User) -> None:
        """Raises: Conflict when the email is taken (compared without case)."""
        ...

    def get(self, user_id: UserId) -> User:
        """Raises: NotFound."""
        ...

    def by_email(self, email: str) -> User | None: ...
    def count(self) -> int: ...
    def set_password_hash(self, user_id: UserId, password_hash: str) -> None: ...


class Revocations(Protocol):
    """Tokens that are refused although they have not expired."""

    def add(self, token_id: str, expires_at: datetime) -> None: ...
    def is_revoked(self, token_id: str) -> bool: ...
    def purge(self, now: datetime) -> int:
        """Forget those that have expired; gives how many."""
        ...


class Audit(Protocol):
    def add(self, entry: AuditEntry) -> None: ...
    def list(self, page: PageRequest) -> Page[AuditEntry]:
        """Newest first."""
        ...


class Settings(Protocol):
    """Small things the program remembers about itself."""

    def get(self, key: str) -> str | None: ...
    def put(self, key: str, value: str) -> None: ...


class Transaction(Protocol):
    """All repositories inside one transaction. Not to be kept beyond the function it is given to."""

    @property
    def templates(self) -> Templates: ...
    @property
    def events(self) -> Events: ...
    @property
    def captures(self) -> Captures: ...
    @property
    def artifacts(self) -> Artifacts: ...
    @property
    def garbage(self) -> Garbage: ...
    @property
    def observations(self) -> Observations: ...
    @property
    def users(self) -> Users: ...
    @property
    def revocations(self) -> Revocations: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def settings(self) -> Settings: ...


@dataclass(frozen=True, slots=True)
class DatabaseFault:
    """Damage that the program's own writes cannot make.

    `reference`: a row names a row that is gone; `mend` clears it. `structure`: restore a backup.
    """

    kind: Literal["structure", "reference"]
    subject: str
    detail: str


class Database(Protocol):
    """Whole functions run in a thread: no await inside a transaction.

    `work` does no other I/O and may be run again when the database was busy.

    Raises:
        Unavailable: the database is locked or full; nothing was written.
    """

    async def write(self, work: Callable[[Transaction], T]) -> T: ...
    async def read(self, work: Callable[[Transaction], T]) -> T: ...
    async def verify(self) -> Sequence[DatabaseFault]:
        """Read every page and reference: this takes as long as reading the whole database."""
        ...

    async def mend(self) -> int:
        """Clear the references to rows that are gone; gives how many."""
        ...
