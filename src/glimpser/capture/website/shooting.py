"""Takes the picture of what a tab shows: the window, the whole page, or one element of it."""

import base64
import json
from dataclasses import dataclass

import simplejpeg

from glimpser.capture.website.bidi import BidiError
from glimpser.capture.website.scripts import (
    ELEMENT_BOX,
    FRAME_BOX,
    INTO_VIEW,
    PAGE_HEIGHT,
    SCROLL_THROUGH,
    SCROLLED,
    WINDOW,
)
from glimpser.capture.website.tab import Tab
from glimpser.core.browsing import MAX_PAGE_PX, MAX_PICTURE_PX, PageFailed, PageSpec, Part

_SCROLL_PAUSE_MS = 30
_MAX_FRAMES = 30
_RESTLESS = "The page does not hold still."


@dataclass(frozen=True, slots=True)
class Box:
    """An area of a page, in CSS pixels from its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    def bounded(self) -> "Box":
        """Give as much of it, from the top, as a picture may show."""
        width = min(self.width, MAX_PAGE_PX)
        height = min(self.height, MAX_PAGE_PX, MAX_PICTURE_PX // max(1, width))
        return Box(self.x, self.y, width, height)


@dataclass(frozen=True, slots=True)
class Picture:
    """`cut`: not all of what was wanted is on it."""

    jpeg: bytes
    width: int
    height: int
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """An element, and the frame it is in."""

    element: dict[str, object]
    context: str


async def shoot(tab: Tab, page: PageSpec) -> Picture:
    """Take the picture.

    Raises:
        PageFailed: the element is not there, or nothing of it is to be seen.
    """
    if page.part.selector or page.part.frame:
        return await _shoot_element(tab, page)
    if page.full_page:
        return await _shoot_whole(tab, page)
    return await shoot_window(tab, page)


async def shoot_unfinished(tab: Tab, page: PageSpec) -> Picture:
    """Take what the window shows of a page that is replaced all the time, which BiDi waits for in vain.

    Raises:
        PageFailed: something else than the window was wanted.
    """
    if page.full_page or page.part != Part():
        raise PageFailed(_RESTLESS)
    reply = await tab.cdp("Page.captureScreenshot", format="jpeg", quality=page.quality)
    return _picture(reply["data"])


async def shoot_window(tab: Tab, page: PageSpec) -> Picture:
    """Take what the window shows."""
    return await _take(tab, page, None)


async def _shoot_whole(tab: Tab, page: PageSpec) -> Picture:
    await tab.call(SCROLL_THROUGH, json.dumps([MAX_PAGE_PX, _SCROLL_PAUSE_MS]))
    height = int(await tab.call(PAGE_HEIGHT))
    return await _take(tab, page, Box(0, 0, page.width_px, height))


async def _shoot_element(tab: Tab, page: PageSpec) -> Picture:
    found = await find_part(tab, page.part)
    if found is None:
        raise PageFailed(f"Nothing on the page matches {page.part.selector or page.part.frame}.")
    await tab.call(INTO_VIEW, found.element, within=found.context)
    box = await _place_of(tab, found)
    if box.width < 1 or box.height < 1:
        raise PageFailed(f"Of {page.part.selector or page.part.frame} nothing is to be seen.")
    return await _take(tab, page, box)


async def find_part(tab: Tab, part: Part) -> Found | None:
    """Find the element: in the named frame, else in the page, else in the first frame that has one.

    Raises:
        PageFailed: the named frame is not there.
    """
    if part.frame is None:
        contexts = [tab.context, *(frame for frame, _ in await tab.frames())][:_MAX_FRAMES]
        return await _first(tab, {"type": part.by, "value": part.selector}, contexts)
    frame = await _first(tab, {"type": "css", "value": part.frame}, [tab.context])
    if frame is None:
        raise PageFailed(f"Nothing on the page matches {part.frame}.")
    if part.selector is None:
        return frame
    window = await tab.call(WINDOW, frame.element)
    contexts = [window["context"]] if isinstance(window, dict) else []
    return await _first(tab, {"type": part.by, "value": part.selector}, contexts)


async def _first(tab: Tab, locator: dict[str, object], contexts: list[str]) -> Found | None:
    for context in contexts:
        try:
            element = await tab.find(locator, within=context)
        except BidiError:  # a frame that is gone or not there yet
            if context == tab.context:
                raise
            continue
        if element is not None:
            return Found(dict(element), context)
    return None


async def _place_of(tab: Tab, found: Found) -> Box:
    """Say where on the page the element lies, through all frames around it."""
    x, y, width, height = await tab.json(ELEMENT_BOX, found.element, within=found.context)
    parents = dict(await tab.frames())
    context = found.context
    while context != tab.context:
        frame = await tab.find({"type": "context", "value": {"context": context}}, within=parents[context])
        if frame is None:
            raise PageFailed("The frame of the element has gone.")
        dx, dy = await tab.json(FRAME_BOX, frame, within=parents[context])
        x, y, context = x + dx, y + dy, parents[context]
    left, top, *_ = await tab.json(SCROLLED)
    return Box(max(0, x + left), max(0, y + top), width, height)


async def _take(tab: Tab, page: PageSpec, box: Box | None) -> Picture:
    params: dict[str, object] = {"format": {"type": "image/jpeg", "quality": page.quality / 100}}
    shown = box.bounded() if box else None
    if shown:
        clip = {"type": "box", "x": shown.x, "y": shown.y, "width": shown.width, "height": shown.height}
        params |= {"origin": "document", "clip": clip}
    reply = await tab.link.send("browsingContext.captureScreenshot", context=tab.context, **params)
    return _picture(reply["data"], cut=box is not None and shown != box)


def _picture(encoded: str, *, cut: bool = False) -> Picture:
    jpeg = base64.b64decode(encoded)
    height, width, *_ = simplejpeg.decode_jpeg_header(jpeg)
    return Picture(jpeg, width, height, cut=cut)
