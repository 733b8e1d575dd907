"""Which browser shows pages, and what is asked of it. Without what drives one: that loads slowly."""

from dataclasses import dataclass, field
from typing import Protocol

from glimpser.core.browsing import PageShot, PageSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserSettings:
    """Which browser, and when it is replaced by a fresh one.

    Attributes:
        proxy_url: the only way out of a browser of ours; None: it goes out by itself, which only tests want.
        view_proxies: single views may have ways out of their own.
        webdriver_url: a Grid or driver to use instead of a browser of ours; may hold credentials.
        attach: host and port of the DevTools of a browser that already runs.
        max_memory_bytes: a browser that has more when a page is done is replaced; one that has
            `ENOUGH_IS_ENOUGH` times as much is ended at once.
    """

    proxy_url: str | None = None
    sandbox: bool = True
    concurrency: int = 2
    view_proxies: bool = False
    webdriver_url: str | None = field(default=None, repr=False)
    attach: str | None = None
    max_captures: int = 80
    max_age_s: float = 3600.0
    max_memory_bytes: int = 700 << 20
    idle_s: float = 600.0


class Shows(Protocol):
    """What the pool needs of a browser."""

    async def capture(self, page: PageSpec) -> PageShot:
        """As `Browser.capture`. Raises: BrowserLost."""
        ...

    async def memory_bytes(self) -> int: ...
    async def end(self, *, at_once: bool = False) -> None:
        """End it with all its processes. Does not raise; who uses it is told that it is lost."""
        ...

    @property
    def lost(self) -> bool: ...
    @property
    def pid(self) -> int | None: ...
