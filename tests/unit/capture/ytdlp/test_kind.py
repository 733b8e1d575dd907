import pytest

from glimpser.capture.ytdlp.kind import video_kind
from glimpser.capture.ytdlp.locating import Locator
from glimpser.core.errors import InvalidInput
from glimpser.core.kinds import Kind
from glimpser.core.live import Located
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.testing.clock import FakeClock
from tests.unit.capture.ytdlp.answers import Answers

URL = "https://video.example/watch?v=1"


@pytest.fixture
def kind() -> Kind:
    return video_kind(
        Locator(Answers(), Gate(GatePolicy()), proxy_url="http://127.0.0.1:1", clock=FakeClock())
    )


def test_an_address_is_enough(kind: Kind) -> None:
    assert kind.parse({"url": URL}) == {"url": URL, "format": "best", "is_live": False, "detect_fps": 5.0}


@pytest.mark.parametrize(
    "choice", ["best", "worst", "best[height<=480]", "bv*+ba/b", "22", "(mp4,webm)[fps>20]"]
)
def test_a_format_is_chosen_in_the_words_of_yt_dlp(kind: Kind, choice: str) -> None:
    assert kind.parse({"url": URL, "format": choice})["format"] == choice


@pytest.mark.parametrize(
    ("config", "pointer"),
    [
        ({"url": "file:///etc/passwd"}, "/config/url"),
        ({"url": "ytsearch:cats"}, "/config/url"),
        ({"url": "rtsp://camera/1"}, "/config/url"),
        ({"url": "--exec=id"}, "/config/url"),
        ({"url": "https://me:hush@video.example/"}, "/config/url"),
        ({"url": URL, "format": "--exec=id"}, "/config/format"),
        ({"url": URL, "format": "-f"}, "/config/format"),
        ({"url": URL, "format": "best\n--exec"}, "/config/format"),
        ({"url": URL, "format": ""}, "/config/format"),
        ({"url": URL, "options": {"exec": "id"}}, "/config/options"),
        ({"url": URL, "cookies": "a=b"}, "/config/cookies"),
        ({"url": URL, "detect_fps": 0}, "/config/detect_fps"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(kind: Kind, config: dict[str, object], pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        kind.parse(config)

    assert [error.pointer for error in caught.value.errors] == [pointer]
    assert "hush" not in str(caught.value.errors)


def test_views_of_one_config_are_equal_and_of_another_are_not(kind: Kind) -> None:
    feed = kind.feed({"url": URL})

    assert isinstance(feed, Located)
    assert feed == kind.feed({"url": URL})
    assert feed != kind.feed({"url": URL, "format": "worst"})
