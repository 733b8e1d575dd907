"""Pages as views: what comes of what the browser saw."""

from dataclasses import replace

import numpy as np
import pytest
import simplejpeg

from glimpser.capture.website.config import WebsiteConfig
from glimpser.capture.website.source import WebsiteSource
from glimpser.core.browsing import PageFacts, PageShot, PageSpec
from glimpser.core.errors import Denied, Unavailable
from glimpser.core.health import WELL, HealthState
from glimpser.core.sources import ViewFailed
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.testing.browser import FakeBrowser

pytestmark = pytest.mark.anyio

URL = "http://93.184.216.34/weather"


def source(browser: FakeBrowser, **config: object) -> WebsiteSource:
    return WebsiteSource(WebsiteConfig.model_validate({"url": URL} | config), browser, Gate(GatePolicy()))


async def test_a_page_gives_picture_text_and_what_was_noticed() -> None:
    browser = FakeBrowser()
    browser.facts = replace(browser.facts, console_errors=("boom",), title="Weather")

    shot = await source(browser, width=640, height=360).snapshot()

    assert simplejpeg.decode_jpeg_header(shot.jpeg)[:2] == (360, 640)
    assert (shot.width, shot.height) == (640, 360)
    assert shot.text == browser.text
    assert shot.verdict == WELL
    assert shot.details == {
        "http_status": 200,
        "final_url": URL,
        "title": "Weather",
        "console_errors": ["boom"],
        "loaded": True,
        "cut": False,
    }


async def test_secrets_in_what_a_page_says_are_hidden() -> None:
    browser = FakeBrowser()
    browser.facts = PageFacts(
        url=f"{URL}?token=s3cret", console_errors=("at https://a:s3cret@b/?key=s3cret",)
    )

    shot = await source(browser).snapshot()

    assert "s3cret" not in repr(shot.details)


async def test_an_error_page_is_a_picture_with_a_verdict() -> None:
    browser = FakeBrowser()
    browser.facts = replace(browser.facts, status=500)

    shot = await source(browser).snapshot()

    assert shot.verdict.state is HealthState.ERROR_PAGE
    assert shot.details["http_status"] == 500


class PlainBrowser(FakeBrowser):
    """All its pages are of one colour."""

    async def capture(self, page: PageSpec) -> PageShot:
        shot = await super().capture(page)
        white = np.full((shot.height, shot.width, 1), 255, np.uint8)
        plain = simplejpeg.encode_jpeg(white, colorspace="GRAY", colorsubsampling="Gray")
        return replace(shot, jpeg=bytes(plain))


async def test_a_page_with_nothing_on_it_is_blank() -> None:
    browser = PlainBrowser()
    browser.text = " \n"

    assert (await source(browser).snapshot()).verdict.state is HealthState.BLANK


@pytest.mark.parametrize(
    ("text", "config"),
    [("All clear", {}), ("", {"selector": "#signal"}), ("", {"frame": "#lamp"})],
    ids=["text", "element", "frame"],
)
async def test_one_colour_may_be_all_there_is_to_show(text: str, config: dict[str, object]) -> None:
    browser = PlainBrowser()
    browser.text = text

    assert (await source(browser, **config).snapshot()).verdict == WELL


async def test_a_view_that_fails_carries_what_was_to_be_seen_instead() -> None:
    browser = FakeBrowser()
    browser.missing = {"#map"}

    with pytest.raises(ViewFailed, match="#map") as failed:
        await source(browser, selector="#map").snapshot()

    assert failed.value.state is HealthState.DOWN
    assert failed.value.shot is not None
    assert (failed.value.shot.width, failed.value.shot.height) == (1280, 720)
    assert failed.value.shot.details["http_status"] == 200


async def test_what_is_missing_behind_a_wall_is_blamed_on_the_wall() -> None:
    browser = FakeBrowser()
    browser.missing = {"#map"}
    browser.facts = replace(browser.facts, status=429)

    with pytest.raises(ViewFailed, match="429") as failed:
        await source(browser, wait_for="#map").snapshot()

    assert failed.value.state is HealthState.BLOCKED


async def test_a_site_that_our_proxy_cannot_reach_is_down() -> None:
    browser = FakeBrowser()
    browser.facts = replace(browser.facts, status=502, content_type="text/plain")
    browser.text = "93.184.216.34 port 80 refuses the connection.\n"

    with pytest.raises(ViewFailed, match="refuses") as failed:
        await source(browser).snapshot()

    assert failed.value.state is HealthState.DOWN


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "http://10.0.0.1/", "http://169.254.169.254/latest/"])
async def test_a_closed_address_is_refused_before_any_browser_is_asked(url: str) -> None:
    browser = FakeBrowser()

    with pytest.raises(Denied):
        await source(browser, url=url).snapshot()

    assert browser.asked == []


async def test_a_browser_that_is_not_to_be_had_is_said_so() -> None:
    browser = FakeBrowser()
    browser.failure = Unavailable("The browser does not start.")

    with pytest.raises(Unavailable, match="does not start"):
        await source(browser).snapshot()


async def test_invert_turns_every_colour_into_its_opposite() -> None:
    plain = await source(FakeBrowser(), width=320, height=240, quality=100).snapshot()
    turned = await source(FakeBrowser(), width=320, height=240, quality=100, invert=True).snapshot()

    before, after = (simplejpeg.decode_jpeg(shot.jpeg).astype(int) for shot in (plain, turned))
    assert np.abs(255 - before - after).mean() < 3
