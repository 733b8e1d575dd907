"""A browser without a browser: it draws a picture and says what a test has it say."""

from dataclasses import replace

import numpy as np
import simplejpeg

from glimpser.core.browsing import MAX_PAGE_PX, PageFacts, PageFailed, PageShot, PageSpec
from glimpser.core.errors import GlimpserError

_ELEMENT_PX = (120, 80)
_PAGE_HEIGHT_PX = 2000


class FakeBrowser:
    """Implements `core.browsing.Browser`.

    A test sets what is noticed (`facts`, whose `url` is filled in), the text of pages, and `failure`, which
    is raised instead of anything else. `asked` holds every page that was asked for.
    """

    def __init__(self) -> None:
        self.facts = PageFacts(url="", title="A page", status=200, content_type="text/html")
        self.text = "What is to be read on the page"
        self.failure: GlimpserError | None = None
        self.missing: set[str] = set()
        """Selectors that find nothing."""
        self.asked: list[PageSpec] = []

    async def capture(self, page: PageSpec) -> PageShot:
        """Draw the picture of a page."""
        self.asked.append(page)
        if self.failure is not None:
            raise self.failure
        for selector in (page.waits.selector, page.part.frame, page.part.selector):
            if selector in self.missing:
                whole = self._shot(page, (page.width_px, page.height_px))
                raise PageFailed(f"Nothing on the page matches {selector}.", shot=whole)
        return self._shot(page, _size_of(page))

    def _shot(self, page: PageSpec, size: tuple[int, int]) -> PageShot:
        width, height = size
        facts = replace(self.facts, url=self.facts.url or page.url)
        return PageShot(
            jpeg=synthetic_jpeg(width, height, quality=page.quality),
            width=width,
            height=height,
            text=self.text,
            facts=facts,
        )


def _size_of(page: PageSpec) -> tuple[int, int]:
    if page.part.selector or page.part.frame:
        return _ELEMENT_PX
    if page.full_page:
        return page.width_px, min(max(page.height_px, _PAGE_HEIGHT_PX), MAX_PAGE_PX)
    return page.width_px, page.height_px


def synthetic_jpeg(width: int, height: int, *, quality: int = 80) -> bytes:
    """Draw a picture with something in it: shades from left to right and from top to bottom."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, :, 0] = np.linspace(0, 255, width, dtype=np.uint8)[None, :]
    picture[:, :, 1] = np.linspace(255, 0, height, dtype=np.uint8)[:, None]
    return bytes(simplejpeg.encode_jpeg(picture, quality=quality, colorspace="RGB"))
