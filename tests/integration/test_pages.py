"""A real browser and pages of every sort: what of them is in the picture, and who asks for them."""

import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace

import numpy as np
import pytest
import simplejpeg

from glimpser.capture.website.pool import SeleniumBrowser
from glimpser.core.browsing import (
    MAX_PAGE_PX,
    MAX_TEXT_BYTES,
    Cookie,
    Login,
    PageShot,
    PageSpec,
    Part,
    Visitor,
    Waits,
)
from glimpser.core.errors import InvalidInput
from tests.web_site import Answer, Asked, Site, browsing, html, redirect, serving

pytestmark = pytest.mark.anyio

RED, GREEN, BLUE = (255, 0, 0), (0, 128, 0), (0, 0, 255)


def filled(color: str, more: str = "") -> str:
    return f"<!doctype html><body style='margin:0;background:{color}'>{more}"


@pytest.fixture(scope="module")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SeleniumBrowser]:
    async with browsing(tmp_path_factory.mktemp("b") / "run") as opened:
        yield opened


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serving() as opened:
        yield opened


def mean_colour(shot: PageShot) -> tuple[int, ...]:
    return tuple(int(v) for v in np.asarray(simplejpeg.decode_jpeg(shot.jpeg)).mean(axis=(0, 1)).round())


def about(colour: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return all(abs(a - b) <= 12 for a, b in zip(colour, wanted, strict=True))


# What is in the picture ------------------------------------------------------------------------------


async def test_the_picture_is_of_the_page(browser: SeleniumBrowser, site: Site) -> None:
    site.pages["/"] = filled("rgb(255,0,0)")

    assert about(mean_colour(await browser.capture(PageSpec(url=f"{site.url}/"))), RED)


@pytest.mark.parametrize("part", [Part(selector="video"), Part(selector="video", frame="#player")])
async def test_the_video_in_an_iframe_of_another_site_can_be_the_picture(
    browser: SeleniumBrowser, site: Site, part: Part
) -> None:
    inner = filled(
        "white", "<div style='height:900px'></div><video style='width:160px;height:90px;background:blue'>"
    )
    async with serving({"/": inner}, host="127.0.0.3") as other:
        frame = f"<iframe id=player src='{other.url}/' style='border:7px solid red;width:400px;height:300px'>"
        site.pages["/"] = filled("white", f"<div style='height:1200px'></div>{frame}")

        shot = await browser.capture(PageSpec(url=f"{site.url}/", part=part, waits=Waits(selector="video")))

    assert (shot.width, shot.height) == (160, 90)
    assert about(mean_colour(shot), BLUE)


async def test_an_element_taller_than_the_window_is_whole(browser: SeleniumBrowser, site: Site) -> None:
    site.pages["/"] = filled("white", "<div id=x style='width:50px;height:3000px;background:green'>")

    shot = await browser.capture(PageSpec(url=f"{site.url}/", part=Part(selector="#x")))

    assert (shot.width, shot.height) == (50, 3000)
    assert about(mean_colour(shot), GREEN)


async def test_a_very_long_page_is_cut_and_said_to_be(browser: SeleniumBrowser, site: Site) -> None:
    site.pages["/long"] = filled("green", "<div style='height:200000px'>")
    site.pages["/short"] = filled("green", "<div style='height:2000px'>")

    long = await browser.capture(PageSpec(url=f"{site.url}/long", width_px=320, full_page=True))
    short = await browser.capture(PageSpec(url=f"{site.url}/short", width_px=320, full_page=True))

    assert (long.height, long.facts.cut) == (MAX_PAGE_PX, True)
    assert (short.height, short.facts.cut) == (2000, False)


async def test_what_is_loaded_when_it_is_scrolled_to_is_on_the_whole_page(
    browser: SeleniumBrowser, site: Site
) -> None:
    dot = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"
    site.pages["/dot.svg"] = html(dot).replace(b"text/html", b"image/svg+xml")
    site.pages["/"] = filled("white", "<div style='height:6000px'></div><img loading=lazy src=/dot.svg>")

    await browser.capture(PageSpec(url=f"{site.url}/", full_page=True))

    assert site.to("/dot.svg")


async def test_what_is_to_be_removed_is_not_in_the_picture(browser: SeleniumBrowser, site: Site) -> None:
    banner = "<div class=banner style='position:fixed;inset:0;background:red'>Cookies?</div>"
    site.pages["/"] = filled("blue", banner)

    removed = await browser.capture(PageSpec(url=f"{site.url}/", remove=(".banner", "#not-there")))
    left = await browser.capture(PageSpec(url=f"{site.url}/"))

    assert about(mean_colour(removed), BLUE)
    assert about(mean_colour(left), RED)
    assert "Cookies?" not in removed.text


async def test_an_element_that_comes_late_is_waited_for(browser: SeleniumBrowser, site: Site) -> None:
    late = "setTimeout(() => document.body.innerHTML = '<p id=late>now</p>', 700)"
    site.pages["/"] = filled("white", f"<script>{late}</script>")

    shot = await browser.capture(PageSpec(url=f"{site.url}/", waits=Waits(selector="#late")))

    assert shot.text == "now"


async def test_what_is_still_being_fetched_is_waited_for(browser: SeleniumBrowser, site: Site) -> None:
    steps = "[1,2,3].reduce((before, n) => before.then(() => fetch('/step' + n)), Promise.resolve())"
    done = "fetch('/done').then(() => document.body.append('done'))"
    site.pages["/"] = filled("white", f"<script>{steps}.then(() => {done})</script>")

    shot = await browser.capture(PageSpec(url=f"{site.url}/", waits=Waits(network_idle=True)))

    assert "done" in shot.text


async def test_the_text_can_be_that_of_one_element_and_is_bounded(
    browser: SeleniumBrowser, site: Site
) -> None:
    site.pages["/"] = filled("white", "<h1>News</h1><p id=level>2.31 m</p>")
    site.pages["/huge"] = filled("white", "<pre>" + "é" * (MAX_TEXT_BYTES + 1000) + "</pre>")

    level = await browser.capture(PageSpec(url=f"{site.url}/", text_selector="#level"))
    huge = await browser.capture(PageSpec(url=f"{site.url}/huge"))

    assert level.text == "2.31 m"
    assert MAX_TEXT_BYTES - 4 < len(huge.text.encode()) <= MAX_TEXT_BYTES


async def test_errors_of_the_pages_scripts_are_kept_but_not_all(browser: SeleniumBrowser, site: Site) -> None:
    many = "for (let n = 0; n < 5000; n++) console.error('trouble ' + n + ' '.repeat(2000))"
    site.pages["/"] = filled("white", f"<script>{many}; nonsense()</script>")

    shot = await browser.capture(PageSpec(url=f"{site.url}/"))

    assert len(shot.facts.console_errors) == 20
    assert shot.facts.console_errors[0].startswith("trouble 0")
    assert max(map(len, shot.facts.console_errors)) <= 500


@pytest.mark.parametrize(
    ("page", "pointer"),
    [
        (PageSpec(url="", part=Part(selector="##")), "/config/selector"),
        (PageSpec(url="", part=Part(selector="//[", by="xpath")), "/config/selector"),
        (PageSpec(url="", part=Part(frame="a[")), "/config/frame"),
        (PageSpec(url="", remove=("#fine", ">>")), "/config/remove/1"),
        (PageSpec(url="", waits=Waits(selector="]")), "/config/wait_for"),
        (PageSpec(url="", text_selector=":::"), "/config/text_selector"),
    ],
    ids=["css", "xpath", "frame", "remove", "wait", "text"],
)
async def test_a_selector_that_is_none_is_named(
    browser: SeleniumBrowser, site: Site, page: PageSpec, pointer: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await browser.capture(replace(page, url=f"{site.url}/"))

    assert [error.pointer for error in refused.value.errors] == [pointer]


# Who asks --------------------------------------------------------------------------------------------


def basic(asked: Asked) -> bytes:
    wanted = "Basic " + base64.b64encode(b"ann:p@ss").decode()
    if asked.headers.get("authorization") != wanted:
        return html("<h1>No</h1>", status="401 Unauthorized", headers=['WWW-Authenticate: Basic realm="r"'])
    return html("welcome")


def digest(asked: Asked) -> bytes:
    """RFC 7616, section 3.4, with `qop=auth` and MD5."""
    fields = dict(
        part.strip().split("=", 1)
        for part in asked.headers.get("authorization", "").removeprefix("Digest ").split(",")
        if "=" in part
    )
    given = {name: value.strip('"') for name, value in fields.items()}
    if given.get("nonce") == "abc":
        secret = _md5("ann:r:p@ss")
        request = _md5(f"GET:{given['uri']}")
        wanted = _md5(f"{secret}:abc:{given['nc']}:{given['cnonce']}:auth:{request}")
        if given["response"] == wanted:
            return html("welcome")
    challenge = 'WWW-Authenticate: Digest realm="r", nonce="abc", qop="auth", algorithm=MD5'
    return html("<h1>No</h1>", status="401 Unauthorized", headers=[challenge])


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


@pytest.mark.parametrize("challenge", [basic, digest])
async def test_a_challenge_is_answered_and_a_wrong_password_is_told(
    browser: SeleniumBrowser, site: Site, challenge: Answer
) -> None:
    site.pages["/"] = challenge

    right = await browser.capture(PageSpec(url=f"{site.url}/", visitor=Visitor(login=Login("ann", "p@ss"))))
    wrong = await browser.capture(PageSpec(url=f"{site.url}/", visitor=Visitor(login=Login("ann", "x"))))
    without = await browser.capture(PageSpec(url=f"{site.url}/"))

    assert (right.facts.status, right.text) == (200, "welcome")
    assert wrong.facts.status == 401
    assert without.facts.status == 401


async def test_login_and_headers_are_for_the_pages_own_origin_alone(
    browser: SeleniumBrowser, site: Site
) -> None:
    async with serving({"/": basic}, host="127.0.0.3") as other:
        site.pages["/"] = filled(
            "white", f"<img src='{other.url}/'><iframe src='{other.url}/'></iframe><img src=/own>"
        )
        visitor = Visitor(login=Login("ann", "p@ss"), headers={"X-Key": "s3cret"})

        await browser.capture(PageSpec(url=f"{site.url}/", visitor=visitor, waits=Waits(network_idle=True)))

        assert other.asked
        assert not any("x-key" in a.headers or "authorization" in a.headers for a in other.asked)
    assert [a.headers.get("x-key") for a in (*site.to("/"), *site.to("/own"))] == ["s3cret", "s3cret"]


async def test_the_visitor_is_who_it_is_said_to_be(browser: SeleniumBrowser, site: Site) -> None:
    told = "[navigator.userAgent, navigator.language, matchMedia('(prefers-color-scheme: dark)').matches]"
    site.pages["/"] = filled("white", f"<script>document.write({told}.join('|'))</script>")
    visitor = Visitor(
        user_agent="Mozilla/5.0 (Test)",
        language="de-CH",
        dark=True,
        cookies=(Cookie(name="sid", value="1=2"),),
    )

    shot = await browser.capture(PageSpec(url=f"{site.url}/", visitor=visitor))

    assert shot.text == "Mozilla/5.0 (Test)|de-CH|true"
    [asked] = site.to("/")
    assert asked.headers["user-agent"] == "Mozilla/5.0 (Test)"
    assert asked.headers["accept-language"].startswith("de-CH")
    assert asked.headers["cookie"] == "sid=1=2"


@pytest.mark.parametrize("stealth", [True, False])
async def test_stealth_hides_that_there_is_no_person(
    browser: SeleniumBrowser, site: Site, *, stealth: bool
) -> None:
    told = "[navigator.webdriver, navigator.userAgent.includes('Headless')]"
    site.pages["/"] = filled("white", f"<script>document.write({told}.join('|'))</script>")

    shot = await browser.capture(PageSpec(url=f"{site.url}/", visitor=Visitor(stealth=stealth)))

    assert shot.text == ("false|false" if stealth else "true|true")


async def test_every_picture_is_taken_by_a_visitor_without_a_past(
    browser: SeleniumBrowser, site: Site
) -> None:
    store = "document.cookie = 'seen=1; max-age=999'; localStorage.seen = 1"
    told = "document.write([document.cookie, localStorage.seen].join('|'))"
    site.pages["/"] = filled("white", f"<script>{told}; {store}</script>")

    shots = [await browser.capture(PageSpec(url=f"{site.url}/")) for _ in range(2)]

    assert [shot.text for shot in shots] == ["|", "|"]


async def test_redirects_are_followed_and_the_last_address_is_told(
    browser: SeleniumBrowser, site: Site
) -> None:
    site.pages |= {
        "/": redirect("/second"),
        "/second": "<script>location.replace('/third')</script>",
        "/third": "<meta http-equiv=refresh content='0;url=/fourth'>",
        "/fourth": "arrived",
    }

    shot = await browser.capture(PageSpec(url=f"{site.url}/"))

    assert (shot.text, shot.facts.url, shot.facts.status) == ("arrived", f"{site.url}/fourth", 200)
