"""What the services need of the world outside; adapters implement it, `app` connects them."""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from glimpser.core.alerts import Notification, Receipt
from glimpser.core.encoding import Encoding, VideoSpec
from glimpser.core.frames import Frame
from glimpser.core.ids import TemplateId
from glimpser.core.live import Feed, LiveEvent, LiveSpec
from glimpser.core.repositories import Transaction

T = TypeVar("T")


class Notifier(Protocol):
    """One kind of channel."""

    async def send(self, notification: Notification) -> Receipt:
        """Tell the other side, within seconds.

        Raises:
            DeliveryFailed: it may work later; `retry_after_s` if the other side said when.
            Rejected: it will never work this way.
        """
        ...


class JobQueue(Protocol):
    """Tells workers that jobs were committed. Losing an announcement costs time, never a job."""

    def announce(self, kind: str) -> None:
        """Say that there is a job of this kind to claim."""
        ...

    async def wait(self, kinds: Sequence[str], *, timeout_s: float) -> None:
        """Return when one of these kinds was announced, or after the time: look in the table then."""
        ...


class LivePool(Protocol):
    """Views that run: cameras, streams, video files. All calls on the event loop's thread."""

    async def start(self, spec: LiveSpec[Feed]) -> None:
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


class VideoEncoder(Protocol):
    """Makes videos of pictures, somewhere where that slows nothing else down."""

    def open(self, spec: VideoSpec) -> AbstractAsyncContextManager[Encoding]:
        """Begin a video; when the context closes, nothing of it is left. Entering raises: Unavailable."""
        ...


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

    `work` does no other I/O and may be run again, when the database was busy or refused those that shared a
    transaction with it. It sees what they did before it; nobody else does before all is durable.

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
