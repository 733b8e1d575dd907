"""A page as a view: asked of the browser, judged, and made into what views of pictures give."""

import asyncio

import numpy as np
import simplejpeg

from glimpser.capture.pictures.blankness import verdict_on_picture
from glimpser.capture.website.config import WebsiteConfig
from glimpser.capture.website.walls import verdict_on
from glimpser.core.browsing import Browser, PageFailed, PageShot, PageSpec, Part
from glimpser.core.health import WELL, HealthState, Verdict
from glimpser.core.redaction import redact
from glimpser.core.sources import Shot, ViewFailed
from glimpser.egress.gate import Gate

_MAX_URL = 2048
_EMPTY = Verdict(HealthState.BLANK, "The page is empty: no text, and all of one colour.")


class WebsiteSource:
    """Implements `core.sources.Source`."""

    def __init__(self, config: WebsiteConfig, browser: Browser, gate: Gate) -> None:
        self._page = config.page()
        self._invert = config.invert
        self._browser = browser
        self._gate = gate

    async def snapshot(self) -> Shot:
        """Take a picture of the page.

        Raises:
            ViewFailed: it gave none of what was wanted; `shot` is what it showed instead.
            Denied: the address is closed to us; the sentence names the setting.
            Unavailable, InvalidInput, Misconfigured: as `Browser.capture`.
        """
        page = self._page
        if page.proxy is None:
            # The browser's own way out checks every connection; this one is told in our words, and first.
            await asyncio.to_thread(self._gate.check, page.url)
        try:
            seen = await self._browser.capture(page)
        except PageFailed as error:
            raise await self._failed(error) from error
        shot = await self._shot(seen)
        if shot.verdict.state is HealthState.DOWN:
            raise ViewFailed(shot.verdict.reason or "The page is not to be had.", shot=shot)
        return shot

    async def _failed(self, error: PageFailed) -> ViewFailed:
        shot = await self._shot(error.shot) if error.shot else None
        known = shot.verdict if shot and shot.verdict.reason else Verdict(HealthState.DOWN, error.detail)
        return ViewFailed(known.reason or error.detail, error.retry_after_s, state=known.state, shot=shot)

    async def _shot(self, seen: PageShot) -> Shot:
        jpeg = await asyncio.to_thread(inverted, seen, self._page) if self._invert else seen.jpeg
        facts = seen.facts
        verdict = verdict_on(self._page, facts, seen.text)
        if verdict == WELL and self._shows_nothing_but_colour(seen):
            verdict = await asyncio.to_thread(_emptiness, seen.jpeg)
        return Shot(
            jpeg=jpeg,
            width=seen.width,
            height=seen.height,
            text=seen.text,
            verdict=verdict,
            details={
                "http_status": facts.status,
                "final_url": redact(facts.url)[:_MAX_URL],
                "title": redact(facts.title),
                "console_errors": [redact(line) for line in facts.console_errors],
                "loaded": facts.loaded,
                "cut": facts.cut,
            },
        )

    def _shows_nothing_but_colour(self, seen: PageShot) -> bool:
        """Tell whether the page may be blank: an element may well be of one colour, as a signal is."""
        return not seen.text.strip() and self._page.part == Part()


def _emptiness(jpeg: bytes) -> Verdict:
    return _EMPTY if verdict_on_picture(jpeg) != WELL else WELL


def inverted(seen: PageShot, page: PageSpec) -> bytes:
    """Give the picture with every colour turned into its opposite. Blocks."""
    pixels = simplejpeg.decode_jpeg(seen.jpeg, colorspace="BGR")
    turned = np.ascontiguousarray(255 - np.asarray(pixels))
    return bytes(simplejpeg.encode_jpeg(turned, quality=page.quality, colorspace="BGR"))
