import ipaddress
from datetime import timedelta

import pytest

from glimpser.capture.ytdlp.locating import Locator, Wanted
from glimpser.core.errors import Denied, GlimpserError
from glimpser.core.sources import ViewFailed
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.process.command import TimedOut
from glimpser.testing.clock import START, FakeClock
from tests.unit.capture.ytdlp.answers import Answers

pytestmark = pytest.mark.anyio

PROXY = "http://127.0.0.1:4711"
PAGE = "http://127.0.0.2/watch"
WANTED = Wanted(url=PAGE, choice="best", only_live=False, detect_fps=2.0)


def locator(answers: Answers) -> Locator:
    gate = Gate(GatePolicy(allowed=(ipaddress.ip_network("127.0.0.0/30"),)))
    return Locator(answers, gate, proxy_url=PROXY, clock=FakeClock())


def video(url: str) -> dict[str, object]:
    return {"formats": [{"url": url, "protocol": "https", "http_headers": {"Referer": PAGE}}]}


async def test_what_is_found_is_reached_through_the_proxy_with_its_headers() -> None:
    address = await locator(Answers(video("http://127.0.0.2/v.m3u8"))).locate(WANTED)

    assert (address.media.address, address.media.proxy) == ("http://127.0.0.2/v.m3u8", PROXY)
    assert address.media.headers == (("Referer", PAGE),)
    assert address.media.detect_fps == 2.0
    assert address.expires_at == START + timedelta(hours=6)


async def test_a_page_nobody_may_reach_is_never_asked_for() -> None:
    answers = Answers(video("http://127.0.0.2/v"))
    wanted = Wanted(url="http://127.0.1.2/watch", choice="best", only_live=False, detect_fps=5)

    with pytest.raises(Denied, match=r"capture\.egress_allow"):
        await locator(answers).locate(wanted)

    assert answers.commands == []


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://127.0.1.2/v.mp4", Denied),
        ("http://169.254.169.254/latest", Denied),
        ("file:///etc/passwd", ViewFailed),
        ("concat:/etc/passwd", ViewFailed),
        ("http://127.0.0.2\\@127.0.1.2/", ViewFailed),
    ],
)
async def test_a_stream_nobody_may_open_is_refused(url: str, kind: type[GlimpserError]) -> None:
    with pytest.raises(kind, match="names a stream that is not opened"):
        await locator(Answers(video(url))).locate(WANTED)


async def test_a_complaint_is_explained() -> None:
    answers = Answers(complaint="ERROR: [x] a: HTTP Error 429: Too Many Requests")

    with pytest.raises(ViewFailed, match="limits how often"):
        await locator(answers).locate(WANTED)


async def test_one_that_takes_too_long_is_tried_again() -> None:
    with pytest.raises(ViewFailed, match="took long") as caught:
        await locator(Answers(error=TimedOut("It took long."))).locate(WANTED)

    assert caught.value.retry_after_s == 60
