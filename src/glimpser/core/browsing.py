"""What a browser is asked for, and what it gives: the picture of a page, its text, and what was noticed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from glimpser.core.errors import Unavailable

MAX_TEXT_BYTES = 1 << 20
"""More of a page's text is left out, in UTF-8."""
MAX_PAGE_PX = 16_000
"""Edge of the largest picture of a page. Chromium repeats itself beyond 16,384 pixels."""
MAX_PICTURE_PX = 40_000_000
"""Pixels of the largest picture of a page."""
LOGIN_CHARS = 256


@dataclass(frozen=True, slots=True)
class Login:
    """Answers a site's challenge, Basic (RFC 7617) or Digest (RFC 7616)."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """One to send from the first request on (RFC 6265). `domain` None: the page's host alone."""

    name: str
    value: str = field(repr=False)
    domain: str | None = None
    path: str = "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Which part of a page is the picture: an element, by CSS or XPath, in an iframe if `frame` finds one."""

    selector: str | None = None
    by: Literal["css", "xpath"] = "css"
    frame: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """What is waited for once the page has loaded, one after the other; `timeout_s` bounds load and waits."""

    selector: str | None = None
    network_idle: bool = False
    delay_s: float = 0.0
    timeout_s: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who the site takes us for. Login, headers and cookies go to the page's own origin alone."""

    login: Login | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    cookies: tuple[Cookie, ...] = ()
    user_agent: str | None = None
    language: str | None = None
    dark: bool = False
    stealth: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSpec:
    """One page to take a picture of.

    Attributes:
        url: http or https, without credentials.
        height_px: of the window; a full page is as high as it is, to `MAX_PAGE_PX`.
        remove: CSS selectors of what is taken off the page first, in the page and in its frames.
        text_selector: CSS selector of the text that is wanted; None: all that is visible.
        proxy: the way out for this page instead of the browser's own: scheme, host and port.
        attached: show it in the browser that is attached to, with the sessions that are open there.
        quality: of the JPEG, 1 to 100.
    """

    url: str = field(repr=False)
    width_px: int = 1280
    height_px: int = 720
    full_page: bool = False
    part: Part = Part()
    remove: tuple[str, ...] = ()
    waits: Waits = Waits()
    visitor: Visitor = Visitor()
    text_selector: str | None = None
    proxy: str | None = None
    attached: bool = False
    quality: int = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """What was noticed on a page; all of it is said by strangers.

    Attributes:
        url: where the page was in the end.
        status: of the page's HTTP answer; None where there was none.
        content_type: in lower case, without parameters.
        loaded: False: it was still loading when its time was over, or replaced while its picture was taken.
        password_fields: how many are visible.
        walls: names of the known consent and bot walls that cover the page.
        console_errors: the first few, cut.
        cut: the picture does not show all of the page.
    """

    url: str = field(repr=False)
    title: str = ""
    status: int | None = None
    content_type: str = ""
    loaded: bool = True
    password_fields: int = 0
    walls: tuple[str, ...] = ()
    console_errors: tuple[str, ...] = ()
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PageShot:
    """The picture of a page as JPEG, its size in pixels, and its text (see `MAX_TEXT_BYTES`)."""

    jpeg: bytes = field(repr=False)
    width: int
    height: int
    text: str = field(repr=False)
    facts: PageFacts


class PageFailed(Unavailable):
    """A page gave no picture of what was wanted. `shot` is what was to be seen instead, if anything was."""

    def __init__(self, detail: str, *, shot: PageShot | None = None) -> None:
        super().__init__(detail)
        self.shot = shot


class Browser(Protocol):
    """Shows pages, each to a visitor without a past, several at a time."""

    async def capture(self, page: PageSpec) -> PageShot:
        """Take a picture of a page, within a minute.

        Raises:
            PageFailed: this page gives none now.
            Unavailable: the browser is not to be had now.
            InvalidInput: a selector is none; the pointer says which.
            Misconfigured: there is no browser, or it cannot do this.
        """
        ...
