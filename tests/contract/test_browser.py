"""What every browser does, the one that draws as the one that shows."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import simplejpeg

from glimpser.core.browsing import Browser, PageFailed, PageSpec, Part, Waits
from glimpser.testing.browser import FakeBrowser
from tests.web_site import Site, browsing, serving

pytestmark = pytest.mark.anyio

PAGE = """<!doctype html><title>A page</title><body style="margin:0">
<p>What is to be read on the page</p>
<div id=map style="width:120px;height:80px;background:teal"></div>
<div style="height:1800px"></div>"""


@dataclass
class World:
    browser: Browser
    url: str


@pytest.fixture(scope="module", params=["fake", "real"])
async def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    if request.param == "fake":
        fake = FakeBrowser()
        fake.missing = {"#gone"}
        yield World(fake, "http://127.0.0.1/")
        return
    scratch: Path = tmp_path_factory.mktemp("b") / "run"
    site: Site
    async with serving({"/": PAGE}) as site, browsing(scratch) as browser:
        yield World(browser, f"{site.url}/")


async def test_gives_the_picture_of_the_window(world: World) -> None:
    shot = await world.browser.capture(PageSpec(url=world.url, width_px=640, height_px=360))

    assert (shot.width, shot.height) == (640, 360)
    assert simplejpeg.decode_jpeg_header(shot.jpeg)[:2] == (360, 640)


async def test_gives_what_was_noticed_and_is_to_be_read(world: World) -> None:
    shot = await world.browser.capture(PageSpec(url=world.url))

    assert shot.facts.url == world.url
    assert (shot.facts.title, shot.facts.status, shot.facts.content_type) == ("A page", 200, "text/html")
    assert shot.facts.loaded
    assert "What is to be read on the page" in shot.text


async def test_gives_the_whole_page(world: World) -> None:
    shot = await world.browser.capture(PageSpec(url=world.url, width_px=640, full_page=True))

    assert shot.width == 640
    assert shot.height >= 1900


@pytest.mark.parametrize("part", [Part(selector="#map"), Part(selector="//*[@id='map']", by="xpath")])
async def test_gives_one_element(world: World, part: Part) -> None:
    shot = await world.browser.capture(PageSpec(url=world.url, part=part))

    assert (shot.width, shot.height) == (120, 80)


@pytest.mark.parametrize(
    "page",
    [
        PageSpec(url="", part=Part(selector="#gone")),
        PageSpec(url="", part=Part(selector="#map", frame="#gone")),
        PageSpec(url="", waits=Waits(selector="#gone", timeout_s=1)),
    ],
    ids=["element", "frame", "wait"],
)
async def test_gives_what_is_there_instead_of_what_is_missing(world: World, page: PageSpec) -> None:
    asked = PageSpec(url=world.url, part=page.part, waits=page.waits)

    with pytest.raises(PageFailed, match="#gone") as failed:
        await world.browser.capture(asked)

    assert failed.value.shot is not None
    assert (failed.value.shot.width, failed.value.shot.height) == (1280, 720)


async def test_shows_several_pages_at_a_time(world: World) -> None:
    pages = [PageSpec(url=world.url, width_px=width) for width in (320, 480, 640)]

    shots = await asyncio.gather(*map(world.browser.capture, pages))

    assert [shot.width for shot in shots] == [320, 480, 640]
