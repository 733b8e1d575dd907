import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from glimpser.capture.ytdlp.answer import expiry_of, parse_answer
from glimpser.core.sources import ViewFailed

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def stream(name: str, **more: Any) -> dict[str, Any]:
    return {"url": f"https://cdn.example/{name}", "protocol": "https", "vcodec": "avc1.64", **more}


def chosen(answer: dict[str, Any], *, ours: bool = True, only_live: bool = False) -> str:
    found = parse_answer(json.dumps(answer).encode(), ours=ours, only_live=only_live)
    return found.url.rpartition("/")[2]


def test_the_largest_up_to_1080_lines_is_taken() -> None:
    heights = (360, 2160, 1080, 720)
    formats = [stream(str(height), height=height) for height in heights]

    assert chosen({"formats": formats}) == "1080"


def test_what_is_larger_than_that_is_taken_if_there_is_nothing_else() -> None:
    assert chosen({"formats": [stream("2160", height=2160)]}) == "2160"


@pytest.mark.parametrize(
    ("h264_height", "expected"), [(720, "h264"), (480, "vp9")], ids=["a bit smaller", "much smaller"]
)
def test_h264_is_preferred_unless_it_is_much_smaller(h264_height: int, expected: str) -> None:
    formats = [stream("h264", height=h264_height), stream("vp9", height=1080, vcodec="vp09.00")]

    assert chosen({"formats": formats}) == expected


@pytest.mark.parametrize(
    "unusable",
    [
        stream("x", vcodec="none"),
        stream("x", protocol="file"),
        stream("x", protocol="mhtml"),
        stream("x", protocol="http_dash_segments"),
        stream("x", has_drm=True),
        stream("x", url=None),
    ],
    ids=["sound", "file", "pictures", "dash", "protected", "no address"],
)
def test_what_cannot_be_shown_is_passed_over(unusable: dict[str, Any]) -> None:
    assert chosen({"formats": [stream("small", height=144), unusable]}) == "small"
    with pytest.raises(ViewFailed, match="None of its streams"):
        chosen({"formats": [unusable]})


def test_the_choice_of_a_format_by_yt_dlp_stands() -> None:
    answer = {
        **stream("chosen", height=240),
        "formats": [stream("other", height=1080), stream("chosen", height=240)],
    }

    assert chosen(answer, ours=False) == "chosen"


def test_of_a_chosen_pair_the_video_is_taken() -> None:
    pair = [stream("sound", vcodec="none"), stream("video")]

    assert chosen({"requested_formats": pair, "formats": []}, ours=False) == "video"


def test_of_several_videos_on_a_page_the_first_is_taken() -> None:
    entries = [None, {"entries": [{"formats": [stream("first")]}]}, {"formats": [stream("second")]}]

    assert chosen({"entries": entries}) == "first"


@pytest.mark.parametrize("stdout", [b"", b"null", b"[]", b"{", b'{"formats": 1}', b"[" * 100_000])
def test_an_answer_that_is_none_asks_for_an_update(stdout: bytes) -> None:
    with pytest.raises(ViewFailed, match="not understood"):
        parse_answer(stdout, ours=True, only_live=False)


@pytest.mark.parametrize("answer", [{"live_status": "is_upcoming"}, {"entries": []}], ids=["soon", "empty"])
def test_what_is_not_there_yet_is_looked_for_again(answer: dict[str, Any]) -> None:
    with pytest.raises(ViewFailed) as caught:
        chosen(answer)

    assert caught.value.retry_after_s == 300


@pytest.mark.parametrize("answer", [{"is_live": False}, {"live_status": "was_live"}])
def test_a_recording_is_not_live_and_can_be_shown_if_that_is_wanted(answer: dict[str, Any]) -> None:
    answer["formats"] = [stream("video")]

    assert chosen(answer) == "video"
    with pytest.raises(ViewFailed, match="not live now"):
        chosen(answer, only_live=True)


@pytest.mark.parametrize("answer", [{"is_live": True}, {}], ids=["live", "unknown"])
def test_what_may_be_live_is_shown(answer: dict[str, Any]) -> None:
    assert chosen({**answer, "formats": [stream("video")]}, only_live=True) == "video"


def test_of_its_headers_only_harmless_and_whole_ones_are_sent() -> None:
    headers = {
        "User-Agent": "Mozilla/5.0",
        "Referer": "https://a/\r\nX-Evil: 1",
        "Cookie": "session=hush",
        "Authorization": "hush",
    }

    found = parse_answer(
        json.dumps({"formats": [stream("v", http_headers=headers)]}).encode(), ours=True, only_live=False
    )

    assert found.headers == (("User-Agent", "Mozilla/5.0"),)


SOON = int((NOW + timedelta(hours=2)).timestamp())


@pytest.mark.parametrize(
    "url",
    [f"https://c/v?a=1&expire={SOON}", f"https://c/v?Expires={SOON}", f"https://c/expire/{SOON}/v.m3u8"],
)
def test_an_address_ends_when_it_says(url: str) -> None:
    assert expiry_of(url, NOW) == NOW + timedelta(hours=2)


@pytest.mark.parametrize("url", ["https://c/v", "https://c/v?expire=soon", "https://c/v?expire=9" + "9" * 30])
def test_one_that_does_not_say_ends_after_six_hours(url: str) -> None:
    assert expiry_of(url, NOW) == NOW + timedelta(hours=6)


@pytest.mark.parametrize(
    ("given", "expected"), [(1_000_000_000, timedelta(seconds=30)), (9_999_999_999, timedelta(days=7))]
)
def test_an_end_long_past_or_far_away_is_not_believed(given: int, expected: timedelta) -> None:
    assert expiry_of(f"https://c/v?expire={given}", NOW) == NOW + expected
