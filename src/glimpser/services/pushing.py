"""Pictures that are sent to views instead of being fetched."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from glimpser.core.errors import Conflict
from glimpser.core.ids import TemplateId
from glimpser.core.live import Pushed
from glimpser.core.sources import Shot
from glimpser.core.templates import Template
from glimpser.services.feeds import Feeds

Read = Callable[[bytes], Awaitable[Shot]]
"""Makes one whole JPEG of the bytes of a picture. Raises: InvalidInput."""


class PictureTaker(Protocol):
    """What runs the views that pictures are sent to."""

    async def offer(self, template_id: TemplateId, shot: Shot) -> None:
        """Show a picture. Raises: Unavailable, Conflict."""
        ...


class Runs(Protocol):
    """What has views run; `services.live.Live` is one."""

    def running(self, template: Template) -> AbstractAsyncContextManager[None]:
        """Have the view run while the context is open, and a little longer. Raises: Unavailable."""
        ...


class Pushing:
    """Event loop's thread."""

    def __init__(self, feeds: Feeds, live: Runs, taker: PictureTaker, *, read: Read) -> None:
        self._feeds = feeds
        self._live = live
        self._taker = taker
        self._read = read

    async def push(self, template: Template, data: bytes) -> None:
        """Show what was sent to a view.

        Raises:
            Conflict: nothing is sent to views of this kind.
            InvalidInput: this is no picture; the sentence says what it is.
            Unavailable: the view is switched off.
        """
        if not isinstance(self._feeds.of(template.settings), Pushed):
            raise Conflict(
                f"A view of kind {template.settings.kind} fetches its pictures itself: send them to one of"
                " kind push."
            )
        shot = await self._read(data)
        async with self._live.running(template):
            await self._taker.offer(template.id, shot)
