"""Views that give one picture at a time: web pages, still images, documents, folders, what is pushed in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from glimpser.core.errors import Unavailable
from glimpser.core.health import WELL, HealthState, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One picture as a source gave it: a whole JPEG (JFIF), its size in pixels, and what came with it.

    `text` is the readable text of a page. `verdict` is what the source knows of the view's health, such as
    that a sign-in stands before it. `details` are plain JSON values for whoever looks for a cause: the HTTP
    status, the address that answered in the end, errors of the page's scripts.
    """

    jpeg: bytes = field(repr=False)
    width: int
    height: int
    text: str | None = field(default=None, repr=False)
    verdict: Verdict = WELL
    details: Mapping[str, object] = field(default_factory=dict)


class Source(Protocol):
    """A view that gives one picture each time it is asked; it may be asked again while a call runs."""

    async def snapshot(self) -> Shot:
        """Take a picture, within a minute.

        Raises:
            ViewFailed: it does not work now; says what that means for the view's health.
            Unavailable: it does not work now for a reason of our own (no browser, no room).
            InvalidInput, Denied, Misconfigured: it will never work this way.
        """
        ...


class ViewFailed(Unavailable):
    """A view gave no good picture. `shot` is what was to be seen instead, where there was something."""

    def __init__(
        self,
        detail: str,
        retry_after_s: int = 5,
        *,
        state: HealthState = HealthState.DOWN,
        shot: Shot | None = None,
    ) -> None:
        super().__init__(detail, retry_after_s)
        self.state = state
        self.shot = shot
